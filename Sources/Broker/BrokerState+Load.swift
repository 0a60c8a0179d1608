import Access
package import Bytes
import MQTTCodec
import Readings

/// The start from what the journal had: sessions with their subscriptions and messages, retained messages, wills.
extension BrokerState {
    /// Takes all that the journal has, then begins to keep it.
    ///
    /// A batch that makes no sense is passed over from where it does: all others are used.
    package mutating func load(
        _ journal: any Journal, _ sync: JournalSync, now: MonotonicTime,
        report: @escaping @Sendable (JournalNews) -> Void
    ) throws(JournalUnavailable) {
        self.now = now
        var loader = JournalLoader()
        var failures: [JournalError] = []
        try journal.open(
            reading: { batch in
                do throws(JournalError) { try take(batch, &loader) } catch { failures.append(error) }
            }, report: report)
        if let failure = failures.first { events.append(.journalDamaged(batches: failures.count, "\(failure)")) }
        self.journal.nextMessageNumber = loader.nextMessageNumber
        self.journal.nextSessionKey = loader.nextSessionKey
        self.journal.values = loader.values
        keepJournal(sync)
        // A clock that stands before the last commit was not set yet: then no time has passed.
        let wall = max(host.wallClock().milliseconds, loader.lastWritten)
        for (key, session) in loader.sessions { open(session, key, loader, wall) }
        for (_, message) in loader.messages { messages.release(message) }
        events.append(
            .journalLoaded(
                sessions: sessions.count { $0.isUsed }, messages: messages.count, retained: retained.count))
        publishDueWills()
    }

    private mutating func take(_ batch: Span<UInt8>, _ loader: inout JournalLoader) throws(JournalError) {
        var reader = ByteReader(batch)
        try loader.begin(&reader)
        while reader.remaining > 0 {
            switch try loader.next(&reader, batch) {
            case .none: break
            case .message(let message): take(message, batch, &loader)
            case .retainedGone(let topic):
                if let old = retained.remove(batch.extracting(topic)) { messages.release(old) }
            }
        }
    }

    private mutating func take(
        _ message: JournalLoader.LoadedMessage, _ batch: Span<UInt8>, _ loader: inout JournalLoader
    ) {
        let index: MessageIndex
        if let known = loader.messages[message.number] {
            index = known
        } else {
            var record = MessageStore.Record(
                topicLength: Int32(clamping: message.topic.count),
                propertiesLength: Int32(clamping: message.properties.count),
                payloadLength: Int32(clamping: message.payload.count), location: 0, blockBits: 0,
                qos: QoS(rawValue: message.flags & 3) ?? .atMostOnce)
            record.expiresAt = message.expiresAt.map {
                moment($0, max(host.wallClock().milliseconds, loader.lastWritten))
            }
            index = messages.add(
                record, topic: batch.extracting(message.topic), properties: batch.extracting(message.properties),
                payload: batch.extracting(message.payload))
            messages.restore(message.number, to: index)
            loader.messages[message.number] = index
        }
        guard message.flags & 4 != 0, !message.topic.isEmpty else { return }
        messages.retain(index)
        if let old = retained.replace(index, for: batch.extracting(message.topic)) { messages.release(old) }
    }

    /// When a time of day will be; now if it has been.
    private func moment(_ wallTime: UInt64, _ wall: Int64) -> MonotonicTime {
        now + .milliseconds(max(0, Int64(clamping: wallTime).subtractingReportingOverflow(wall).partialValue))
    }

    private mutating func open(
        _ loaded: JournalLoader.LoadedSession, _ key: UInt32, _ loader: JournalLoader, _ wall: Int64
    ) {
        // The newer of two that had the same client id: the end of the older one was not kept any more.
        if let other = sessionsByClientID[loaded.connect.clientID] {
            guard sessions[Int(other)].key < key else { return }
            endSession(other)
        }
        let session = addSession(loaded.connect.clientID)
        let place = Int(session)
        sessions[place].key = key
        sessions[place].expiry = loaded.connect.properties[number: .sessionExpiryInterval] ?? 0
        sessions[place].keeping = sessions[place].expiry > 0 ? .journal : .nothing
        sessions[place].will = loaded.connect.will
        let user = loaded.connect.userName.map { ProvenUser(name: $0) }
        set(standing(of: user, loaded.connect.clientID, loaded.address, listener: loaded.listener), of: session)
        for (filter, recipient) in loaded.filters {
            var recipient = recipient
            recipient.session = session
            _ = subscriptions.subscribe(recipient, to: filter.span)
        }
        fill(place, loaded, loader)
        resumeClocks(place, loaded, wall)
    }

    /// Window and queue, as far as they were kept.
    private mutating func fill(_ session: Int, _ loaded: JournalLoader.LoadedSession, _ loader: JournalLoader) {
        let shares = subscriptions.shares(of: SessionIndex(clamping: session))
        let progress = loaded.progress
        let inWindow = (progress?.window ?? []).map { entry in
            (id: entry.id, entry: windowEntry(entry, loaded, loader, shares))
        }
        let windowed = Set((progress?.window ?? []).lazy.filter { !$0.isReleased }.map(\.sequence))
        sessions[session].window = OutgoingWindow(
            restoring: inWindow, stragglers: progress?.stragglers ?? 0, firstID: progress?.firstID ?? 1)
        let first = progress?.firstQueued ?? 0
        var last: UInt64 = 0
        for (sequence, delivery) in loaded.deliveries.sorted(by: { $0.key < $1.key }) {
            last = sequence
            guard sequence >= first, !windowed.contains(sequence),
                let kept = self.delivery(delivery, sequence, loader, shares)
            else { continue }
            sessions[session].queue.append(kept)
            sessions[session].queuedBytes += messages[kept.message].length + Session.overheadPerQueued
        }
        sessions[session].nextSequence = max(progress?.nextSequence ?? 1, last + 1)
        sessions[session].received = Set(progress?.received ?? [])
        sessions[session].hasKeptReceived = !sessions[session].received.isEmpty
        for id in progress?.unanswered ?? [] {
            notGivenInside.insert(
                WaitingAnswers.Name(SessionIndex(clamping: session), sessions[session].generation, id))
        }
    }

    private mutating func windowEntry(
        _ entry: JournalLoader.LoadedEntry, _ loaded: JournalLoader.LoadedSession, _ loader: JournalLoader,
        _ shares: [(filter: [UInt8], key: ShareKey)]
    ) -> OutgoingWindow.Entry {
        if entry.isReleased {
            var delivery = Delivery.nothing
            delivery.qos = .exactlyOnce
            delivery.keeping = .journal
            return OutgoingWindow.Entry(delivery: delivery, state: .released)
        }
        guard let kept = loaded.deliveries[entry.sequence],
            let delivery = delivery(kept, entry.sequence, loader, shares)
        else { return OutgoingWindow.Entry(delivery: .nothing, state: .done) }
        return OutgoingWindow.Entry(delivery: delivery, state: .unsent)
    }

    /// The delivery with a reference to its message, if that was kept.
    private mutating func delivery(
        _ kept: JournalLoader.LoadedDelivery, _ sequence: UInt64, _ loader: JournalLoader,
        _ shares: [(filter: [UInt8], key: ShareKey)]
    ) -> Delivery? {
        guard let message = loader.messages[kept.message] else { return nil }
        messages.retain(message)
        var delivery = Delivery(
            message: message, qos: kept.qos, retain: kept.retain, subscriptionIdentifier: kept.identifier)
        delivery.keeping = .journal
        delivery.sequence = sequence
        guard kept.isShared else { return delivery }
        let topic = messages.topic(of: message)
        delivery.share = shares.first { Topic.matches(filter: $0.filter, name: topic) }?.key ?? 0
        return delivery
    }

    /// Its client is not there, whether it left or the gateway did: what waited for a time goes on waiting for it.
    private mutating func resumeClocks(_ session: Int, _ loaded: JournalLoader.LoadedSession, _ wall: Int64) {
        let expiry = sessions[session].expiry
        let index = SessionIndex(clamping: session)
        if let will = sessions[session].will {
            let delay = min(will.properties[number: .willDelayInterval] ?? 0, expiry)
            let dueAt = loaded.willDueAt == 0 ? now + .seconds(Int(delay)) : moment(loaded.willDueAt, wall)
            sessions[session].willDueAt = dueAt
            addDeadline(.willDelay, index, at: dueAt)
        }
        guard expiry < UInt32.max else { return }
        let expiresAt = loaded.expiresAt == 0 ? now + .seconds(Int(expiry)) : moment(loaded.expiresAt, wall)
        sessions[session].expiresAt = expiresAt
        addDeadline(.sessionExpiry, index, at: expiresAt)
    }

    private mutating func addDeadline(_ kind: Deadlines.Kind, _ session: SessionIndex, at time: MonotonicTime) {
        deadlines.add(
            Deadlines.Entry(at: time, kind: kind, index: session, generation: sessions[Int(session)].generation))
    }
}
