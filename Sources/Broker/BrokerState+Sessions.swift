import Bytes
import MQTTCodec

extension BrokerState {
    mutating func addSession(_ clientID: [UInt8]) -> SessionIndex {
        let index: SessionIndex
        if let reused = freeSessions.popLast() {
            index = reused
        } else {
            index = SessionIndex(clamping: sessions.count)
            sessions.append(Session())
        }
        let generation = sessions[Int(index)].generation &+ 1
        sessions[Int(index)] = Session()
        sessions[Int(index)].generation = generation
        sessions[Int(index)].clientID = clientID
        sessions[Int(index)].isUsed = true
        sessionsByClientID[clientID] = index
        return index
    }

    /// The session's connection is over; it ends too, or waits for the client to come back.
    mutating func connectionEnded(_ index: SessionIndex, publishWill: Bool) {
        let place = Int(index)
        let expiry = sessions[place].expiry
        sessions[place].connection = -1
        if let will = sessions[place].will {
            // A will goes at its delay or with the session, whichever is first. [MQTT-3.1.3-9]
            let delay = min(will.properties[number: .willDelayInterval] ?? 0, expiry)
            // [MQTT-3.1.2-8] [MQTT-3.1.2-10]
            if !publishWill {
                sessions[place].will = nil
            } else if delay == 0 {
                sessions[place].will = nil
                dueWills.append(DueWill(will: will, clientID: sessions[place].clientID))
            } else {
                sessions[place].willDueAt = now + .seconds(Int(delay))
                schedule(.willDelay, in: delay, index)
            }
            markChanged(place)
        }
        if expiry > 0, subscriptions.hasShares(index) { redistribute(index, atItsEnd: false) }
        // [MQTT-4.1.0-2]
        if expiry == 0 {
            endSession(index)
        } else if expiry < UInt32.max {
            sessions[place].expiresAt = now + .seconds(Int(expiry))
            schedule(.sessionExpiry, in: expiry, index)
            markChanged(place)
        }
    }

    private mutating func schedule(_ kind: Deadlines.Kind, in seconds: UInt32, _ index: SessionIndex) {
        deadlines.add(
            Deadlines.Entry(
                at: now + .seconds(Int(seconds)), kind: kind, index: index,
                generation: sessions[Int(index)].generation))
    }

    mutating func sessionExpiryDue(_ entry: Deadlines.Entry) {
        let place = Int(entry.index)
        guard sessions[place].isUsed, sessions[place].generation == entry.generation else { return }
        guard let expiresAt = sessions[place].expiresAt, expiresAt <= now else { return }
        counters.sessionsExpired += 1
        endSession(entry.index)
    }

    mutating func willDue(_ entry: Deadlines.Entry) {
        let place = Int(entry.index)
        guard sessions[place].isUsed, sessions[place].generation == entry.generation else { return }
        guard let dueAt = sessions[place].willDueAt, dueAt <= now, let will = sessions[place].will else { return }
        sessions[place].will = nil
        sessions[place].willDueAt = nil
        markChanged(place)
        dueWills.append(DueWill(will: will, clientID: sessions[place].clientID))
    }

    /// Forgets everything of the session.
    ///
    /// A will that still waited goes now. [MQTT-3.1.2-8]
    mutating func endSession(_ index: SessionIndex) {
        let place = Int(index)
        if sessions[place].willDueAt != nil, let will = sessions[place].will {
            dueWills.append(DueWill(will: will, clientID: sessions[place].clientID))
        }
        if subscriptions.hasShares(index) { redistribute(index, atItsEnd: true) }
        for delivery in sessions[place].window.removeAll() { letGoAtEnd(delivery, place) }
        while let delivery = sessions[place].queue.popFirst() { letGoAtEnd(delivery, place) }
        noteEnded(place)
        subscriptions.removeAll(of: index)
        if sessions[place].isReported { system.goneClients.append(sessions[place].clientID) }
        sessionsByClientID[sessions[place].clientID] = nil
        let generation = sessions[place].generation
        sessions[place] = Session()
        sessions[place].generation = generation
        freeSessions.append(index)
    }

    /// Sets all wills free, while those who want to know are still connected. [MQTT-3.1.2-8]
    ///
    /// Not those of the gateway's own clients, which stay longer than the others.
    mutating func releaseWills() {
        for place in sessions.indices {
            guard let will = sessions[place].will else { continue }
            let connection = Int(sessions[place].connection)
            if connection >= 0, connections[connection].isInternal { continue }
            // One that the journal keeps goes on waiting for its delay.
            let delay = will.properties[number: .willDelayInterval] ?? 0
            if sessions[place].keeping == .journal, delay > 0 { continue }
            sessions[place].will = nil
            sessions[place].willDueAt = nil
            markChanged(place)
            dueWills.append(DueWill(will: will, clientID: sessions[place].clientID))
        }
    }

    /// Publishes the wills that the last event set free; a will may reach a session that the event touched, so
    /// they wait until it is handled to its end.
    mutating func publishDueWills() {
        while !dueWills.isEmpty {
            let wills = dueWills
            dueWills = []
            for will in wills { publish(will) }
        }
        if !system.messages.isEmpty { publishSystemMessages() }
    }

    private mutating func publish(_ due: DueWill) {
        let will = due.will
        var message = Publish(topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain)
        // [MQTT-3.1.2-14] [MQTT-3.1.2-15] (3.1.1: -16, -17) [MQTT-3.1.3-10]
        message.properties = will.properties
        // Will-only properties stay in CONNECT.
        message.properties[number: .willDelayInterval] = nil
        // No Local goes by the client id: a session of the same client is the publisher. [MQTT-3.8.3-3]
        publish(message, from: sessionsByClientID[due.clientID] ?? -1)
    }
}
