package import Bytes
import MQTTCodec

/// What is noted for the journal while packets are handled, and what waits for it.
///
/// "Acknowledged means durable": PUBACK and PUBREC wait until each receiver that outlives its connection has the
/// message, or the journal has it for them, whichever is first. What all have before the commit is never written.
extension BrokerState {
    /// Begins to keep what must outlive the process; call it before anything else, after `load` at the latest.
    package mutating func keepJournal(_ sync: JournalSync) {
        journal.sync = sync
        guard !journal.writesRetained else { return }
        deadlines.add(Deadlines.Entry(at: now + Self.retainedInterval, kind: .retainedJournal))
    }

    /// How often retained messages of QoS 0, which nobody waits for, are written.
    private static let retainedInterval: Duration = .seconds(60)

    mutating func retainedJournalDue() {
        letGoOfUnneeded()
        journal.writesRetained = true
        journal.needSometime(now)
        deadlines.add(Deadlines.Entry(at: now + Self.retainedInterval, kind: .retainedJournal))
    }

    // MARK: deliveries

    /// What must be known of a delivery so that it is not lost with the process.
    @inline(__always)
    mutating func number(_ delivery: inout Delivery, _ session: Int) {
        guard sessions[session].keeping != .nothing else { return }
        delivery.keeping = sessions[session].keeping
        delivery.sequence = sessions[session].nextSequence
        sessions[session].nextSequence += 1
    }

    /// A session took a delivery: from here on it must not be lost.
    @inline(__always)
    mutating func noteTaken(_ delivery: Delivery, _ session: Int) {
        if delivery.keeping != .nothing, delivery.qos != .atMostOnce { keep(delivery, session) }
    }

    private mutating func keep(_ delivery: Delivery, _ session: Int) {
        guard delivery.keeping == .journal else {
            if journal.makesWait { messages.needInside(delivery.message) }
            return
        }
        let isWritten = messages[delivery.message].journalNumber != 0
        if !isWritten { keepMessage(delivery.message) }
        if journal.makesWait { messages.needJournal(delivery.message) }
        journal.deliveries.append(
            JournalState.KeptDelivery(
                session: SessionIndex(clamping: session), key: sessions[session].key, delivery: delivery,
                number: messages[delivery.message].journalNumber))
        journal.need(now)
    }

    /// The next batch holds the message, if somebody still needs it then.
    mutating func keepMessage(_ message: MessageIndex) {
        guard messages.begin(message) else { return }
        messages.retain(message)
        journal.next.messages.append(message)
        journal.pendingBytes += messages[message].length
        if journal.pendingBytes > JournalState.mostPending { journal.needAtOnce(now) }
    }

    /// The session of a delivery has come to its end.
    ///
    /// What a client inside was to keep stays unsafe for a while: if the gateway is about to stop, nobody has it.
    mutating func letGoAtEnd(_ delivery: Delivery, _ session: Int) {
        guard delivery.keeping == .inside, delivery.qos != .atMostOnce, journal.makesWait else {
            return letGo(delivery, session)
        }
        if orphans.isEmpty { deadlines.add(Deadlines.Entry(at: now + Self.orphanage, kind: .orphans)) }
        orphans.append(delivery.message)
    }

    private static let orphanage: Duration = .seconds(5)

    mutating func resolveOrphans() {
        let messages = orphans
        orphans = []
        for message in messages {
            resolve(self.messages.settle(message, isInside: true))
            self.messages.release(message)
        }
    }

    /// A delivery has come to its end, whichever: its message goes back.
    @inline(__always)
    mutating func letGo(_ delivery: Delivery, _ session: Int) {
        if delivery.keeping != .nothing { noteEnd(delivery, session) }
        messages.release(delivery.message)
    }

    private mutating func noteEnd(_ delivery: Delivery, _ session: Int) {
        if delivery.keeping == .journal { markProgress(session) }
        guard delivery.qos != .atMostOnce else { return }
        resolve(messages.settle(delivery.message, isInside: delivery.keeping == .inside))
    }

    /// A QoS 2 message goes out when the disk has its identifier: a second one for the same message would be a second
    /// message to the client.
    mutating func hold(_ packetID: UInt16, _ session: Int) {
        journal.next.held.append(
            JournalState.HeldDelivery(
                session: SessionIndex(clamping: session), key: sessions[session].key, packetID: packetID))
        markProgress(session)
        journal.need(now)
    }

    /// Whether a message at QoS 2 to this session must wait for its identifier.
    @inline(__always)
    mutating func mustHold(_ delivery: Delivery) -> Bool {
        delivery.qos == .exactlyOnce && delivery.keeping == .journal && journal.makesWait
    }

    // MARK: sessions

    /// Where its deliveries stand, or which identifiers it uses, has changed.
    @inline(__always)
    mutating func markProgress(_ session: Int) {
        guard sessions[session].keeping == .journal, !sessions[session].hasProgress else { return }
        sessions[session].hasProgress = true
        journal.sessionsWithProgress.append(SessionIndex(clamping: session))
        journal.needSometime(now)
    }

    /// The session is another one than the journal knows: it was made, its client came or went, its will changed.
    mutating func markChanged(_ session: Int) {
        guard journal.isOn, !sessions[session].hasChanged else { return }
        if sessions[session].key == 0 {
            guard sessions[session].expiry > 0 || sessions[session].will != nil else { return }
            sessions[session].key = journal.nextSessionKey
            journal.nextSessionKey += 1
        }
        sessions[session].hasChanged = true
        journal.changedSessions.append(SessionIndex(clamping: session))
        journal.needSometime(now)
    }

    /// Who keeps what is sent to the session: asked when its client connected, or changed its mind.
    mutating func decideKeeping(_ session: Int, on connection: Int) {
        if connections[connection].isInternal {
            sessions[session].keeping = connections[connection].origin.keepsMessages ? .inside : .nothing
        } else {
            sessions[session].keeping = journal.isOn && sessions[session].expiry > 0 ? .journal : .nothing
            markChanged(session)
        }
    }

    mutating func noteEnded(_ session: Int) {
        guard sessions[session].key != 0 else { return }
        journal.records.append(.sessionEnded)
        journal.records.append(varint: Int(sessions[session].key))
        journal.needSometime(now)
    }

    mutating func noteSubscribed(_ session: SessionIndex, _ filter: Span<UInt8>, _ recipient: Recipient) {
        guard sessions[Int(session)].keeping == .journal else { return }
        Self.append(sessions[Int(session)].key, filter, recipient, to: &journal.records)
        journal.next.subscribers.insert(session)
        journal.need(now)
    }

    static func append(_ key: UInt32, _ filter: Span<UInt8>, _ recipient: Recipient, to batch: inout [UInt8]) {
        batch.append(.subscribed)
        batch.append(varint: Int(key))
        batch.append(counted: filter)
        var options = recipient.qos.rawValue
        if recipient.noLocal { options |= 4 }
        if recipient.retainAsPublished { options |= 8 }
        batch.append(options)
        batch.append(varint: Int(recipient.identifier))
    }

    mutating func noteUnsubscribed(_ session: SessionIndex, _ filter: [UInt8]) {
        guard sessions[Int(session)].keeping == .journal else { return }
        journal.records.append(.unsubscribed)
        journal.records.append(varint: Int(sessions[Int(session)].key))
        journal.records.append(counted: filter.span)
        journal.next.subscribers.insert(session)
        journal.need(now)
    }

    /// A delivery left the middle of a queue, where progress does not tell of it.
    mutating func noteRemoved(_ delivery: Delivery, _ session: Int) {
        guard delivery.keeping == .journal else { return }
        journal.records.append(.removed)
        journal.records.append(varint: Int(sessions[session].key))
        journal.records.append(varint: delivery.sequence)
        journal.needSometime(now)
    }

    // MARK: other parts of the gateway

    /// Keeps a few bytes under a name, in the place of what was there.
    package mutating func keep(_ value: [UInt8], for name: [UInt8], now: MonotonicTime) {
        self.now = now
        guard journal.isOn, journal.values[name] != value else { return }
        journal.values[name] = value
        Self.append(value, name, to: &journal.records)
        journal.need(now)
    }

    /// What was kept, by name, also by the process before.
    package var keptValues: [[UInt8]: [UInt8]] { mutating get { journal.values } }

    static func append(_ value: [UInt8], _ name: [UInt8], to batch: inout [UInt8]) {
        batch.append(.value)
        batch.append(counted: name.span)
        batch.append(counted: value.span)
    }

    // MARK: retained messages

    /// At QoS 0 the journal gets what is retained once a minute.
    ///
    /// What the gateway itself has retained it does not get at all: a value from before a restart is no value, and
    /// would look like one.
    mutating func noteRetained(_ message: MessageIndex, _ incoming: Incoming, _ topic: Span<UInt8>) {
        guard journal.isOn, topic[0] != UInt8(ascii: "$") else { return }
        if incoming.publisher >= 0, isInternal(Int(incoming.publisher)) { return messages.setOwn(message) }
        guard incoming.qos != .atMostOnce else { return }
        keepMessage(message)
        if journal.makesWait { messages.needJournal(message) }
        journal.need(now)
    }

    /// Nothing is retained for the topic any more.
    mutating func noteNotRetained(_ topic: Span<UInt8>) {
        guard journal.isOn, topic[0] != UInt8(ascii: "$") else { return }
        journal.records.append(.retainedGone)
        journal.records.append(counted: topic)
        journal.need(now)
    }

    /// Whether the journal would have to keep a message.
    mutating func mustKeep(_ parts: PublishHeader, _ topic: Span<UInt8>) -> Bool {
        if parts.retain { return true }
        for position in subscriptions.match(topic) {
            let recipient = subscriptions.recipient(at: position)
            guard recipient.session >= 0 else { return true }
            if recipient.qos != .atMostOnce, sessions[Int(recipient.session)].keeping == .journal { return true }
        }
        return false
    }

    // MARK: answers

    /// A ticket for the publisher of a message that is not safe yet, or -1.
    mutating func ticket(for message: MessageIndex, _ connection: Int) -> Int32 {
        guard message >= 0, connection >= 0, messages.isUnsafe(message) else { return -1 }
        let ticket = answers.addTicket(connection)
        messages.setTicket(ticket, of: message)
        return ticket
    }

    /// A ticket for the publisher of a message that takes a retained one away, which must not come back; `other` is what
    /// its answer waits for already, or -1.
    ///
    /// Also where nothing was retained any more: that may be as new, and somebody else's.
    mutating func ticketForRemoval(_ connection: Int, besides other: Int32) -> Int32 {
        guard connection >= 0, journal.makesWait, journal.isBehind else { return other }
        let ticket = answers.addTicket(connection)
        journal.next.tickets.append(ticket)
        journal.need(now)
        guard other >= 0 else { return ticket }
        // It stands in the row before the answer, and is none itself: so the answer waits for both.
        if connections[connection].answers < 0 { connections[connection].answers = answers.addRing() }
        _ = answers.append(
            WaitingAnswer(packetID: 0, type: 0, code: 0, ticket: ticket), to: connections[connection].answers)
        return other
    }

    /// Answers a PUBLISH or PUBREL now, or when what it waits for, and the answers before it, have had their turn.
    mutating func answer(_ index: Int, _ type: PacketType, _ id: UInt16, _ code: ReasonCode, after ticket: Int32) {
        guard ticket >= 0 || connections[index].answers >= 0 else {
            let version = connections[index].version
            return withOutput(index) {
                Acknowledgement(packetID: id, reasonCode: code).encode(type, into: &$0, version: version)
            }
        }
        if connections[index].answers < 0 { connections[index].answers = answers.addRing() }
        let waiting = answers.append(
            WaitingAnswer(packetID: id, type: type.rawValue, code: code.rawValue, ticket: ticket),
            to: connections[index].answers)
        guard ticket >= 0 else { return }
        if waiting >= JournalState.mostWaitingOfOne || answers.count >= JournalState.mostWaiting {
            journal.needAtOnce(now)
        }
        if journal.failure != nil || journal.pendingBytes > JournalState.mostPending { pauseForJournal(index) }
    }

    /// The publisher is not read until the disk has what it sent.
    private mutating func pauseForJournal(_ index: Int) {
        guard !connections[index].isInternal, !connections[index].pauses.contains(.journal) else { return }
        pause(index, .journal)
        journal.paused.append(
            ConnectionID(index: Int32(clamping: index), generation: connections[index].generation))
    }

    mutating func resolve(_ ticket: Int32?) {
        guard let ticket, let index = answers.resolve(ticket) else { return }
        sendAnswers(index)
    }

    private mutating func sendAnswers(_ index: Int) {
        let version = connections[index].version
        while connections[index].answers >= 0, let answer = answers.popReady(connections[index].answers) {
            guard let type = PacketType(rawValue: answer.type) else { continue }
            let packet = Acknowledgement(
                packetID: answer.packetID, reasonCode: ReasonCode(rawValue: answer.code))
            withOutput(index) { packet.encode(type, into: &$0, version: version) }
            if answers.isEmpty(connections[index].answers) { freeAnswers(index) }
        }
    }

    mutating func freeAnswers(_ index: Int, of session: SessionIndex = -1) {
        guard connections[index].answers >= 0 else { return }
        let generation = session >= 0 ? sessions[Int(session)].generation : 0
        answers.free(connections[index].answers, of: session, generation)
        connections[index].answers = -1
    }

    /// Sends a packet when the next batch is on the disk.
    mutating func delay(_ index: Int, _ encode: (inout [UInt8]) -> Void) {
        let start = journal.next.packetBytes.count
        encode(&journal.next.packetBytes)
        journal.next.packets.append(
            JournalState.DelayedPacket(
                connection: ConnectionID(index: Int32(clamping: index), generation: connections[index].generation),
                bytes: start..<journal.next.packetBytes.count))
        journal.need(now)
    }

    /// Whether packets that say something is kept must wait for this session.
    @inline(__always)
    mutating func makesWait(_ session: Int) -> Bool {
        sessions[session].keeping == .journal && journal.makesWait
    }
}
