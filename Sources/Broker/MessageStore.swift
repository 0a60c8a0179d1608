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
        var keeping = Kept.nothing
        /// Published by the gateway itself, which measures again after a restart.
        var isOwn = false
        /// Its number in the journal, or 0.
        var journalNumber: UInt64 = 0
        /// Receivers that don't have it and for whom the journal must keep it; inside clients that keep it themselves
        /// and have not said so yet.
        var unkept: Int32 = 0
        var unkeptInside: Int32 = 0
        /// Of the publisher's answer that waits for them; -1 for none.
        var ticket: Int32 = -1

        var length: Int { Int(topicLength) + Int(propertiesLength) + Int(payloadLength) }
        var topic: Range<Int> { 0..<Int(topicLength) }
        var properties: Range<Int> { Int(topicLength)..<(Int(topicLength) + Int(propertiesLength)) }
        var payload: Range<Int> { (Int(topicLength) + Int(propertiesLength))..<length }
        var isLarge: Bool { blockBits == 0 }
    }

    /// How far the journal is with a message.
    enum Kept: UInt8 {
        case nothing
        /// In the next batch, if it is still needed then.
        case pending
        /// In the batch under way.
        case written
        case kept
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

    // MARK: the journal

    /// Whether the message is new to the journal, which is to keep it now.
    mutating func begin(_ index: MessageIndex) -> Bool {
        guard records[Int(index)].keeping == .nothing else { return false }
        records[Int(index)].keeping = .pending
        return true
    }

    /// One more for whom the journal must keep it, if it does not yet.
    mutating func needJournal(_ index: MessageIndex) {
        if records[Int(index)].keeping != .kept { records[Int(index)].unkept += 1 }
    }

    mutating func needInside(_ index: MessageIndex) {
        records[Int(index)].unkeptInside += 1
    }

    /// One of them has it, or will never get it; returns the ticket of who waited, when it was the last.
    mutating func settle(_ index: MessageIndex, isInside: Bool) -> Int32? {
        let place = Int(index)
        if isInside {
            guard records[place].unkeptInside > 0 else { return nil }
            records[place].unkeptInside -= 1
        } else {
            guard records[place].unkept > 0 else { return nil }
            records[place].unkept -= 1
        }
        return takeTicketIfSafe(place)
    }

    /// The journal has it.
    mutating func kept(_ index: MessageIndex) -> Int32? {
        records[Int(index)].keeping = .kept
        records[Int(index)].unkept = 0
        return takeTicketIfSafe(Int(index))
    }

    private mutating func takeTicketIfSafe(_ place: Int) -> Int32? {
        guard records[place].ticket >= 0, records[place].unkept == 0, records[place].unkeptInside == 0 else {
            return nil
        }
        defer { records[place].ticket = -1 }
        return records[place].ticket
    }

    mutating func setOwn(_ index: MessageIndex) {
        records[Int(index)].isOwn = true
    }

    /// Whether the journal must keep it after all: somebody has not got it, or is still to get it.
    func isNeeded(_ index: MessageIndex, makesWait: Bool) -> Bool {
        makesWait ? records[Int(index)].unkept > 0 : records[Int(index)].references > 1
    }

    /// It was not needed in the end.
    mutating func end(_ index: MessageIndex) {
        records[Int(index)].keeping = .nothing
    }

    mutating func setNumber(_ number: UInt64, of index: MessageIndex) {
        records[Int(index)].journalNumber = number
        records[Int(index)].keeping = .written
    }

    /// Whether somebody must still get it and nobody keeps it for them.
    func isUnsafe(_ index: MessageIndex) -> Bool {
        records[Int(index)].unkept > 0 || records[Int(index)].unkeptInside > 0
    }

    mutating func setTicket(_ ticket: Int32, of index: MessageIndex) {
        records[Int(index)].ticket = ticket
    }

    /// Takes what the journal had: it has this message already.
    mutating func restore(_ number: UInt64, to index: MessageIndex) {
        records[Int(index)].journalNumber = number
        records[Int(index)].keeping = .kept
    }

    /// All messages that the journal has, from a place on; returns the place to go on from, or nil at the end.
    func journaled(from start: Int, _ count: Int, _ body: (MessageIndex) -> Void) -> Int? {
        let end = min(records.count, start + count)
        for place in start..<max(start, end)
        where records[place].references > 0 && records[place].journalNumber != 0 {
            body(MessageIndex(clamping: place))
        }
        return end < records.count ? end : nil
    }

    // MARK: parts

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
