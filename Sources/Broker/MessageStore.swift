import Bytes
import MQTTCodec

/// A message kept for somebody: index into the store.
typealias MessageIndex = Int32

/// The messages that the broker keeps (queued, in flight, retained), counted by reference.
///
/// Small messages lie in one slab, in blocks of powers of two, so that keeping one allocates nothing; messages
/// above `largeSize` are arrays of their own and are shared with the outputs instead of copied.
struct MessageStore: ~Copyable {
    /// Above this, sharing costs less than copying (measured: between 1 and 2 kB).
    static let largeSize = 2_048

    struct Record {
        var references: Int32 = 0
        var topicLength: Int32
        var propertiesLength: Int32
        var payloadLength: Int32
        /// Offset in the slab; for a large message its place among the large ones.
        var location: Int32
        /// Size of the block as a power of two; 0 for a large message.
        var blockBits: UInt8
        var qos: QoS
        /// When it may no longer be delivered.
        var expiresAt: MonotonicTime?

        var length: Int { Int(topicLength) + Int(propertiesLength) + Int(payloadLength) }
        var topic: Range<Int> { 0..<Int(topicLength) }
        var properties: Range<Int> { Int(topicLength)..<(Int(topicLength) + Int(propertiesLength)) }
        var payload: Range<Int> { (Int(topicLength) + Int(propertiesLength))..<length }
        var isLarge: Bool { blockBits == 0 }
    }

    private var records: [Record] = []
    private var freeRecords: [MessageIndex] = []
    private var slab: [UInt8] = []
    /// Free blocks by size, smallest 64 bytes.
    private var freeBlocks: [[Int32]] = Array(repeating: [], count: 12)
    private var large: [[UInt8]] = []
    private var freeLarge: [Int32] = []
    private(set) var count = 0
    private(set) var bytes = 0

    /// The memory that the messages take: blocks are powers of two, so it is more than their bytes.
    var footprint: Int { bytes + bytes / 2 + count * MemoryLayout<Record>.stride }

    /// Keeps a message and returns its index, with one reference that the caller owns.
    mutating func add(_ record: Record, topic: Span<UInt8>, properties: Span<UInt8>, payload: Span<UInt8>)
        -> MessageIndex
    {
        var record = record
        record.references = 1
        if record.length > Self.largeSize {
            var whole: [UInt8] = []
            whole.reserveCapacity(record.length)
            whole.append(copying: topic)
            whole.append(copying: properties)
            whole.append(copying: payload)
            record.blockBits = 0
            record.location = addLarge(whole)
        } else {
            (record.location, record.blockBits) = block(for: record.length)
            copy(topic, to: Int(record.location))
            copy(properties, to: Int(record.location) + topic.count)
            copy(payload, to: Int(record.location) + topic.count + properties.count)
        }
        count += 1
        bytes += record.length
        guard let index = freeRecords.popLast() else {
            records.append(record)
            return MessageIndex(clamping: records.count - 1)
        }
        records[Int(index)] = record
        return index
    }

    subscript(index: MessageIndex) -> Record { records[Int(index)] }

    mutating func retain(_ index: MessageIndex) {
        records[Int(index)].references += 1
    }

    mutating func release(_ index: MessageIndex) {
        records[Int(index)].references -= 1
        guard records[Int(index)].references == 0 else { return }
        let record = records[Int(index)]
        count -= 1
        bytes -= record.length
        if record.isLarge {
            large[Int(record.location)] = []
            freeLarge.append(record.location)
        } else {
            freeBlocks[Int(record.blockBits)].append(record.location)
        }
        freeRecords.append(index)
        if count == 0 { shrink() }
    }

    /// Appends a part of the message (`record.topic`, `.properties` or `.payload`).
    func append(_ part: Range<Int>, of index: MessageIndex, to output: inout [UInt8]) {
        let record = records[Int(index)]
        if record.isLarge {
            output.append(contentsOf: large[Int(record.location)][part])
        } else {
            let start = Int(record.location)
            output.append(copying: slab.span.extracting((start + part.lowerBound)..<(start + part.upperBound)))
        }
    }

    /// A copy of the message's topic.
    func topic(of index: MessageIndex) -> [UInt8] {
        var topic: [UInt8] = []
        append(records[Int(index)].topic, of: index, to: &topic)
        return topic
    }

    /// An alias for the message's topic.
    func alias(for index: MessageIndex, from aliases: TopicAliases) -> (alias: UInt16, isKnown: Bool)? {
        let record = records[Int(index)]
        if record.isLarge {
            let whole = large[Int(record.location)]
            return aliases.alias(for: whole.span.extracting(record.topic))
        }
        let start = Int(record.location)
        return aliases.alias(for: slab.span.extracting(start..<(start + Int(record.topicLength))))
    }

    /// The bytes of a large message, to be shared.
    func largeBytes(of index: MessageIndex) -> [UInt8] {
        large[Int(records[Int(index)].location)]
    }

    /// Memory goes back when the last message went: a burst must not be paid for ever.
    private mutating func shrink() {
        guard slab.count > 1 << 20 || records.count > 10_000 else { return }
        slab = []
        freeBlocks = Array(repeating: [], count: 12)
        records = []
        freeRecords = []
        large = []
        freeLarge = []
    }

    private mutating func addLarge(_ whole: [UInt8]) -> Int32 {
        guard let index = freeLarge.popLast() else {
            large.append(whole)
            return Int32(clamping: large.count - 1)
        }
        large[Int(index)] = whole
        return index
    }

    private mutating func block(for length: Int) -> (Int32, UInt8) {
        var bits = 6
        while 1 << bits < length { bits += 1 }
        if let offset = freeBlocks[bits].popLast() { return (offset, UInt8(bits)) }
        let offset = slab.count
        slab.append(contentsOf: repeatElement(0, count: 1 << bits))
        return (Int32(clamping: offset), UInt8(bits))
    }

    private mutating func copy(_ bytes: Span<UInt8>, to offset: Int) {
        var target = slab.mutableSpan
        for index in bytes.indices { target[offset + index] = bytes[index] }
    }
}
