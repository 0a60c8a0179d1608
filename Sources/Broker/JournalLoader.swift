import Bytes
import MQTTCodec

/// What the batches of a journal have said so far, in the order in which they say it.
///
/// Messages are in the broker's store already, each with a reference; sessions are made when all is read.
struct JournalLoader {
    struct LoadedDelivery {
        var message: UInt64
        var qos: QoS
        var retain: Bool
        var isShared: Bool
        var identifier: UInt32
    }

    /// Of the window: what was on its way, or only its identifier.
    struct LoadedEntry {
        var id: UInt16
        var sequence: UInt64
        var isReleased: Bool
    }

    struct LoadedProgress {
        var firstQueued: UInt64
        var nextSequence: UInt64
        var stragglers: Int
        var firstID: UInt16
        var window: [LoadedEntry]
        var received: [UInt16]
        /// Of those, the ones that PUBREC was not sent for.
        var unanswered: [UInt16] = []
    }

    struct LoadedSession {
        var connect: Connect
        /// Milliseconds of the time of day; 0 for none.
        var expiresAt: UInt64
        var willDueAt: UInt64
        var listener: String
        var address: String
        var filters: [[UInt8]: Recipient] = [:]
        var deliveries: [UInt64: LoadedDelivery] = [:]
        var progress: LoadedProgress?
    }

    /// A message as its record says.
    struct LoadedMessage {
        var number: UInt64
        var flags: UInt8
        var expiresAt: UInt64?
        var topic: Range<Int>
        var properties: Range<Int>
        var payload: Range<Int>
    }

    var sessions: [UInt32: LoadedSession] = [:]
    var messages: [UInt64: MessageIndex] = [:]
    var values: [[UInt8]: [UInt8]] = [:]
    var nextMessageNumber: UInt64 = 1
    var nextSessionKey: UInt32 = 1
    /// The time of day of the last batch, in milliseconds.
    var lastWritten: Int64 = 0
}

extension JournalLoader {
    /// What the broker itself must take at once.
    enum Effect {
        case none
        case message(LoadedMessage)
        case retainedGone(Range<Int>)
    }

    /// Reads the header of a batch.
    mutating func begin(_ reader: inout ByteReader) throws(JournalError) {
        var format: UInt8 = 0
        do throws(EndOfBytes) {
            format = try reader.uint8()
            if format == JournalRecord.format {
                lastWritten = max(lastWritten, Int64(bitPattern: try reader.fixed()))
            }
        } catch {
            throw .damaged(at: error.offset)
        }
        guard format == JournalRecord.format else { throw .unknownFormat(format) }
    }

    /// Reads the next record.
    @_lifetime(reader: copy reader)
    mutating func next(_ reader: inout ByteReader, _ bytes: Span<UInt8>) throws(JournalError) -> Effect {
        do throws(EndOfBytes) {
            let start = reader.offset
            guard let kind = JournalRecord(rawValue: try reader.uint8()) else { throw EndOfBytes(offset: start) }
            return try next(kind, &reader, bytes)
        } catch {
            throw .damaged(at: error.offset)
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func next(
        _ kind: JournalRecord, _ reader: inout ByteReader, _ bytes: Span<UInt8>
    ) throws(EndOfBytes) -> Effect {
        switch kind {
        case .session: try readSession(&reader)
        case .sessionEnded: sessions[try Self.key(&reader)] = nil
        case .subscribed: try readSubscription(&reader)
        case .unsubscribed:
            let key = try Self.key(&reader)
            sessions[key]?.filters[try reader.counted()] = nil
        case .message: return .message(try readMessage(&reader))
        case .delivery: try readDelivery(&reader)
        case .progress: try readProgress(&reader)
        case .removed:
            let key = try Self.key(&reader)
            sessions[key]?.deliveries[try reader.varint()] = nil
        case .retainedGone: return .retainedGone(try reader.skip(try reader.count()))
        case .value:
            let name = try reader.counted()
            values[name] = try reader.counted()
        case .unanswered:
            let key = try Self.key(&reader)
            for _ in 0..<(try reader.count()) { sessions[key]?.progress?.unanswered.append(try reader.uint16()) }
        }
        return .none
    }

    private static func key(_ reader: inout ByteReader) throws(EndOfBytes) -> UInt32 {
        UInt32(clamping: try reader.varint())
    }

    private mutating func readSession(_ reader: inout ByteReader) throws(EndOfBytes) {
        let key = try Self.key(&reader)
        let start = reader.offset
        let packet = try reader.counted()
        let (expiresAt, willDueAt) = (try reader.fixed(), try reader.fixed())
        let listener = String(decoding: try reader.counted(), as: UTF8.self)
        let address = String(decoding: try reader.counted(), as: UTF8.self)
        nextSessionKey = max(nextSessionKey, key &+ 1)
        guard let header = try? FixedHeader.parse(packet.span), let connect = try? Connect(packet.span, header) else {
            throw EndOfBytes(offset: start)
        }
        if sessions[key] == nil {
            sessions[key] = LoadedSession(
                connect: connect, expiresAt: expiresAt, willDueAt: willDueAt, listener: listener, address: address)
        } else {
            sessions[key]?.connect = connect
            sessions[key]?.expiresAt = expiresAt
            sessions[key]?.willDueAt = willDueAt
        }
    }

    private mutating func readSubscription(_ reader: inout ByteReader) throws(EndOfBytes) {
        let key = try Self.key(&reader)
        let filter = try reader.counted()
        let options = try reader.uint8()
        let identifier = UInt32(clamping: try reader.varint())
        sessions[key]?.filters[filter] = Recipient(
            session: -1, qos: QoS(rawValue: options & 3) ?? .exactlyOnce, noLocal: options & 4 != 0,
            retainAsPublished: options & 8 != 0, identifier: identifier)
    }

    private mutating func readMessage(_ reader: inout ByteReader) throws(EndOfBytes) -> LoadedMessage {
        let number = try reader.varint()
        let flags = try reader.uint8()
        let expiresAt = flags & 8 == 0 ? nil : try reader.fixed()
        let lengths = (try reader.count(), try reader.count(), try reader.count())
        nextMessageNumber = max(nextMessageNumber, number &+ 1)
        return LoadedMessage(
            number: number, flags: flags, expiresAt: expiresAt, topic: try reader.skip(lengths.0),
            properties: try reader.skip(lengths.1), payload: try reader.skip(lengths.2))
    }

    private mutating func readDelivery(_ reader: inout ByteReader) throws(EndOfBytes) {
        let key = try Self.key(&reader)
        let (sequence, number) = (try reader.varint(), try reader.varint())
        let flags = try reader.uint8()
        let identifier = UInt32(clamping: try reader.varint())
        sessions[key]?.deliveries[sequence] = LoadedDelivery(
            message: number, qos: QoS(rawValue: flags & 3) ?? .atLeastOnce, retain: flags & 4 != 0,
            isShared: flags & 8 != 0, identifier: identifier)
    }

    private mutating func readProgress(_ reader: inout ByteReader) throws(EndOfBytes) {
        let key = try Self.key(&reader)
        var progress = LoadedProgress(
            firstQueued: try reader.varint(), nextSequence: try reader.varint(), stragglers: try reader.count(),
            firstID: try reader.uint16(), window: [], received: [])
        for _ in 0..<(try reader.count()) {
            let id = try reader.uint16()
            let isReleased = try reader.uint8() == 1
            progress.window.append(LoadedEntry(id: id, sequence: try reader.varint(), isReleased: isReleased))
        }
        for _ in 0..<(try reader.count()) { progress.received.append(try reader.uint16()) }
        guard sessions[key] != nil else { return }
        let waiting = Set(progress.window.lazy.filter { !$0.isReleased }.map(\.sequence))
        forget(before: progress.firstQueued, but: waiting, of: key)
        sessions[key]?.progress = progress
    }

    /// What is over needs no place any more: a long journal must not need the memory of all that ever went through.
    private mutating func forget(before first: UInt64, but waiting: Set<UInt64>, of key: UInt32) {
        guard let deliveries = sessions[key]?.deliveries, deliveries.count > 64 else { return }
        sessions[key]?.deliveries = deliveries.filter { $0.key >= first || waiting.contains($0.key) }
    }
}
