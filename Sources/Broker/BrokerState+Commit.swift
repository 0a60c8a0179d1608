package import Bytes
import MQTTCodec
import Readings

/// Batches: when one is due, what it says, and what goes on when it is on the disk.
extension BrokerState {
    /// When `takeBatch` will have something, or nil.
    package var commitDueAt: MonotonicTime? { mutating get { journal.running == nil ? journal.dueAt : nil } }

    /// Whether all there is to keep is on the disk.
    package var isKept: Bool { mutating get { journal.running == nil && journal.dueAt == nil } }

    /// Makes the next commit due now: what is there is wanted on the disk, however little.
    package mutating func commitSoon(now: MonotonicTime) {
        self.now = now
        journal.writesRetained = true
        journal.needAtOnce(now)
    }

    /// What is to be kept next, when it is due and the one before is kept.
    package mutating func takeBatch(now: MonotonicTime) -> (number: UInt64, batch: [UInt8])? {
        self.now = now
        guard journal.isOn, journal.running == nil, let due = journal.dueAt, due <= now else { return nil }
        var bytes: [UInt8] = []
        JournalRecord.begin(&bytes, at: host.wallClock())
        let empty = bytes.count
        var batch = journal.takeNext()
        appendChangedSessions(to: &bytes)
        bytes += journal.records
        journal.records = []
        if journal.writesRetained { collectRetained(&batch) }
        appendMessages(&batch, to: &bytes)
        appendDeliveries(to: &bytes)
        appendProgress(to: &bytes)
        let waits =
            !batch.messages.isEmpty || !batch.held.isEmpty || !batch.packets.isEmpty || !batch.tickets.isEmpty
        guard bytes.count > empty || waits else { return nil }
        return (journal.start(batch), bytes)
    }

    private mutating func appendChangedSessions(to bytes: inout [UInt8]) {
        let changed = journal.changedSessions
        journal.changedSessions = []
        for session in changed where sessions[Int(session)].hasChanged {
            sessions[Int(session)].hasChanged = false
            appendSession(Int(session), to: &bytes)
        }
    }

    /// Retained messages that nobody waited for: those of QoS 0.
    private mutating func collectRetained(_ batch: inout JournalState.Batch) {
        journal.writesRetained = false
        for place in retained.all where !retained.isReserved(place.node) && !messages[place.message].isOwn {
            guard messages.begin(place.message) else { continue }
            messages.retain(place.message)
            messages.needJournal(place.message)
            batch.messages.append(place.message)
        }
    }

    /// Writes what is still needed; the others were taken by all their receivers, and are not kept.
    private mutating func appendMessages(_ batch: inout JournalState.Batch, to bytes: inout [UInt8]) {
        var kept: [MessageIndex] = []
        for message in batch.messages {
            guard messages.isNeeded(message, makesWait: journal.makesWait) else {
                messages.end(message)
                messages.release(message)
                continue
            }
            messages.setNumber(journal.nextMessageNumber, of: message)
            journal.nextMessageNumber += 1
            appendMessage(message, to: &bytes)
            kept.append(message)
        }
        batch.messages = kept
    }

    /// While the disk takes nothing, lets go of what nobody needs any more, and so no commit would write.
    ///
    /// The gateway's own clients are not refused: what they publish must not pile up for as long as that lasts.
    mutating func letGoOfUnneeded() {
        guard journal.failure != nil else { return }
        let makesWait = journal.makesWait
        var gone: Set<MessageIndex> = []
        for message in journal.next.messages where !messages.isNeeded(message, makesWait: makesWait) {
            gone.insert(message)
        }
        guard !gone.isEmpty else { return }
        journal.deliveries.removeAll { $0.number == 0 && gone.contains($0.delivery.message) }
        journal.next.messages.removeAll { gone.contains($0) }
        for message in gone {
            journal.pendingBytes -= messages[message].length
            messages.end(message)
            messages.release(message)
        }
    }

    func appendMessage(_ message: MessageIndex, to bytes: inout [UInt8]) {
        let record = messages[message]
        bytes.append(.message)
        bytes.append(varint: record.journalNumber)
        var flags = record.qos.rawValue
        let topic = messages.topic(of: message)
        if !record.isOwn, retained.message(for: topic.span) == message { flags |= 4 }
        if record.expiresAt != nil { flags |= 8 }
        bytes.append(flags)
        if let expiresAt = record.expiresAt { bytes.append(fixed: wallTime(of: expiresAt)) }
        bytes.append(varint: Int(record.topicLength))
        bytes.append(varint: Int(record.propertiesLength))
        bytes.append(varint: Int(record.payloadLength))
        messages.append(0..<record.length, of: message, to: &bytes)
    }

    /// The time of day at which a moment will be, in milliseconds.
    func wallTime(of moment: MonotonicTime) -> UInt64 {
        let (seconds, attoseconds) = (moment - now).components
        let left = seconds.multipliedReportingOverflow(by: 1_000)
        let milliseconds = left.overflow ? Int64.max / 2 : left.partialValue + attoseconds / 1_000_000_000_000_000
        return UInt64(bitPattern: host.wallClock().milliseconds &+ milliseconds)
    }

    private mutating func appendDeliveries(to bytes: inout [UInt8]) {
        let deliveries = journal.deliveries
        journal.deliveries = []
        for kept in deliveries where sessions[Int(kept.session)].key == kept.key {
            let number = kept.number == 0 ? messages[kept.delivery.message].journalNumber : kept.number
            guard number != 0 else { continue }
            Self.append(kept.delivery, number, kept.key, to: &bytes)
        }
    }

    static func append(_ delivery: Delivery, _ number: UInt64, _ key: UInt32, to bytes: inout [UInt8]) {
        bytes.append(.delivery)
        bytes.append(varint: Int(key))
        bytes.append(varint: delivery.sequence)
        bytes.append(varint: number)
        var flags = delivery.qos.rawValue
        if delivery.retain { flags |= 4 }
        if delivery.share != 0 { flags |= 8 }
        bytes.append(flags)
        bytes.append(varint: Int(delivery.subscriptionIdentifier))
    }

    private mutating func appendProgress(to bytes: inout [UInt8]) {
        let marked = journal.sessionsWithProgress
        journal.sessionsWithProgress = []
        for session in marked where sessions[Int(session)].hasProgress {
            sessions[Int(session)].hasProgress = false
            appendProgress(Int(session), to: &bytes)
            sessions[Int(session)].hasKeptReceived = !sessions[Int(session)].received.isEmpty
        }
    }

    /// All deliveries before the first queued one are over, but for those in the window.
    func appendProgress(_ session: Int, to bytes: inout [UInt8]) {
        bytes.append(.progress)
        bytes.append(varint: Int(sessions[session].key))
        bytes.append(varint: sessions[session].queue.first?.sequence ?? sessions[session].nextSequence)
        bytes.append(varint: sessions[session].nextSequence)
        sessions[session].window.append(to: &bytes)
        bytes.append(varint: sessions[session].received.count)
        for id in sessions[session].received { bytes.append(bigEndian: id) }
        appendUnanswered(session, to: &bytes)
    }

    /// Identifiers that are in the journal while a client inside may still lack their messages: if the process ends now,
    /// the publisher sends them again, and they must not be taken for what everybody has.
    private func appendUnanswered(_ session: Int, to bytes: inout [UInt8]) {
        guard !sessions[session].received.isEmpty else { return }
        let connection = Int(sessions[session].connection)
        var waiting = answers.orphans(of: SessionIndex(clamping: session), sessions[session].generation)
        if connection >= 0, connections[connection].answers >= 0 {
            waiting += answers.waiting(.pubrec, in: connections[connection].answers)
        }
        let unanswered = waiting.filter(sessions[session].received.contains)
        guard !unanswered.isEmpty else { return }
        bytes.append(.unanswered)
        bytes.append(varint: Int(sessions[session].key))
        bytes.append(varint: unanswered.count)
        for id in unanswered { bytes.append(bigEndian: id) }
    }

    /// The session as a CONNECT packet, which has all of it but for the times.
    func appendSession(_ session: Int, to bytes: inout [UInt8]) {
        var connect = Connect(version: .v5)
        connect.clientID = sessions[session].clientID
        connect.will = sessions[session].will
        connect.userName = sessions[session].standing?.user?.name
        connect.properties[number: .sessionExpiryInterval] = sessions[session].expiry
        var packet: [UInt8] = []
        connect.encode(into: &packet)
        bytes.append(.session)
        bytes.append(varint: Int(sessions[session].key))
        bytes.append(counted: packet.span)
        bytes.append(fixed: sessions[session].expiresAt.map { wallTime(of: $0) } ?? 0)
        bytes.append(fixed: sessions[session].willDueAt.map { wallTime(of: $0) } ?? 0)
        let standing = sessions[session].standing
        bytes.append(counted: Array((standing?.listener ?? "").utf8).span)
        bytes.append(counted: Array((standing?.address ?? "").utf8).span)
    }

    // MARK: news

    /// What became of the batches.
    package mutating func journalReported(_ news: JournalNews, now: MonotonicTime) {
        self.now = now
        switch news {
        case .committed(let number): committed(number)
        case .failing(let why):
            journal.failure = why
            events.append(.journalFailing(why))
        case .recovered:
            journal.failure = nil
            events.append(.journalRecovered)
        case .snapshotWanted: beginSnapshot()
        }
        publishDueWills()
        watchMemory()
    }

    private mutating func committed(_ number: UInt64) {
        guard let batch = journal.finish(number) else { return }
        for message in batch.messages {
            resolve(messages.kept(message))
            messages.release(message)
        }
        for ticket in batch.tickets { resolve(ticket) }
        for held in batch.held { release(held) }
        for packet in batch.packets { send(packet, of: batch) }
        guard journal.failure == nil, !journal.paused.isEmpty else { return }
        let paused = journal.paused
        journal.paused = []
        for connection in paused where isCurrent(connection) { resume(Int(connection.index), .journal) }
    }

    private mutating func release(_ held: JournalState.HeldDelivery) {
        let session = Int(held.session)
        guard sessions[session].key == held.key, sessions[session].window.release(held.packetID) else { return }
        pump(held.session)
    }

    private mutating func send(_ packet: JournalState.DelayedPacket, of batch: JournalState.Batch) {
        let index = Int(packet.connection.index)
        guard isCurrent(packet.connection), connections[index].state == .open else { return }
        withOutput(index) { $0 += batch.packetBytes[packet.bytes] }
    }
}
