import Bytes
import MQTTCodec

extension BrokerState {
    /// The place of the connection's output buffer, taken from the pool if it had none, and marked for the loop.
    mutating func output(_ index: Int) -> Int {
        if connections[index].output < 0 {
            if let free = freeOutputs.popLast() {
                connections[index].output = free
            } else {
                connections[index].output = Int32(clamping: outputs.count)
                outputs.append(OutputBuffer())
            }
        }
        mark(index)
        return Int(connections[index].output)
    }

    /// Lets `body` append one packet.
    mutating func withOutput(_ index: Int, _ body: (inout [UInt8]) -> Void) {
        let output = output(index)
        let start = outputs[output].bytes.count
        body(&outputs[output].bytes)
        if start < outputs[output].bytes.count {
            counters.packetsSent.add(firstByte: outputs[output].bytes[start])
        }
    }

    mutating func mark(_ index: Int) {
        guard !connections[index].isMarked else { return }
        connections[index].isMarked = true
        marked.append(Int32(clamping: index))
    }

    /// Closes a connection that is not a client yet, without a word.
    ///
    /// What it sent beyond is not looked at. [MQTT-3.1.4-6] (3.1.1: -5)
    mutating func refuse(_ index: Int, why: String) {
        events.append(.refused(peer: connections[index].peer, why: why))
        turnAway(index)
    }

    /// The same, without a word in the log either.
    mutating func turnAway(_ index: Int) {
        connections[index].state = .closing
        connections[index].partial = []
        limitGoodbye(index)
        mark(index)
    }

    /// Ends a client's connection from our side; MQTT 5 clients are told why. [MQTT-3.14.0-1]
    ///
    /// Without a session expiry, reason string or user property. [MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.14.2-3]
    /// [MQTT-3.14.2-4]
    mutating func disconnect(_ index: Int, _ code: ReasonCode, why: String, publishWill: Bool = true) {
        guard connections[index].state == .open else { return }
        if connections[index].version == .v5 {
            withOutput(index) { Disconnect(reasonCode: code).encode(into: &$0, version: .v5) }
        }
        endConnection(index, publishWill: publishWill, why: why)
    }

    /// DISCONNECT from the client.
    ///
    /// Only reason 0x00 takes the will away. [MQTT-3.14.4-3]
    mutating func disconnectReceived(_ index: Int, _ packet: Disconnect) {
        let session = Int(connections[index].session)
        if let expiry = packet.properties[number: .sessionExpiryInterval] {
            // [MQTT-3.1.2-23], section 3.14.2.2.2: not from none to some.
            guard sessions[session].expiry != 0 || expiry == 0 else {
                return disconnect(index, .protocolError, why: "DISCONNECT asked to keep a session that was to end")
            }
            sessions[session].expiry = min(expiry, limits.sessionExpiry)
            markChanged(session)
        }
        let why = packet.reasonCode == .success ? "the client disconnected" : "the client said \(packet.reasonCode)"
        endConnection(index, publishWill: packet.reasonCode != .success, why: why)
    }

    /// From here on the connection is only written out and closed; its session lives on or ends.
    ///
    /// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1]
    mutating func endConnection(_ index: Int, publishWill: Bool, why: String) {
        let session = connections[index].session
        connections[index].state = .closing
        connections[index].session = -1
        connections[index].partial = []
        freeAnswers(index, of: session)
        limitGoodbye(index)
        mark(index)
        if connections[index].isInternal {
            counters.insideClients -= 1
        } else {
            counters.clients -= 1
            tellDisconnected(index, session, why)
            events.append(
                .disconnected(
                    client: String(decoding: sessions[Int(session)].clientID, as: UTF8.self),
                    peer: connections[index].peer, why: why))
        }
        connectionEnded(session, publishWill: publishWill)
    }

    /// The transport is closed; the place may be used again.
    mutating func release(_ index: Int) {
        if connections[index].output >= 0 {
            outputs[Int(connections[index].output)].clear()
            freeOutputs.append(connections[index].output)
        }
        if !connections[index].isInternal { counters.sockets -= 1 }
        freeAnswers(index)
        logins.forget(index)
        let generation = connections[index].generation
        connections[index] = Connection(lastPacketAt: now)
        connections[index].generation = generation
        freeConnections.append(Int32(clamping: index))
    }

    mutating func fallDue(_ entry: Deadlines.Entry) {
        let index = Int(entry.index)
        switch entry.kind {
        case .connect:
            guard connections[index].generation == entry.generation else { return }
            connectDue(index)
        case .goodbye:
            guard connections[index].generation == entry.generation else { return }
            goodbyeDue(index)
        case .keepAlive: keepAliveDue(entry)
        case .sessionExpiry: sessionExpiryDue(entry)
        case .willDelay: willDue(entry)
        case .reading: readingDue(entry)
        case .memory: memoryDue()
        case .retainedJournal: retainedJournalDue()
        case .orphans: resolveOrphans()
        case .retainedExpiry:
            removeExpiredRetained()
            deadlines.add(Deadlines.Entry(at: now + .seconds(60), kind: .retainedExpiry))
        case .system: if entry.generation == systemGeneration { systemDue() }
        case .clientDepths: scanDepths(from: entry.index)
        }
    }

    /// The time to connect in is over, for the CONNECT and for all that proves the client; or the time to go.
    private mutating func connectDue(_ index: Int) {
        switch connections[index].state {
        case .awaitingConnect: refuse(index, why: "no CONNECT within \(limits.connectTimeout)")
        case .exchanging: refuse(index, why: "not authenticated within \(limits.connectTimeout)")
        case .authenticating: checkIsLate(index)
        case .free, .open, .closing, .abandoned: break
        }
    }

    /// Has the connection's last words be taken in the time that its first ones had: a peer that reads nothing would
    /// keep its place.
    private mutating func limitGoodbye(_ index: Int) {
        guard connections[index].output >= 0, !connections[index].isInternal else { return }
        addDeadline(.goodbye, index, at: now + limits.connectTimeout)
    }

    private mutating func goodbyeDue(_ index: Int) {
        guard connections[index].state == .closing else { return }
        connections[index].state = .abandoned
        if connections[index].output >= 0 { outputs[Int(connections[index].output)].clear() }
        mark(index)
    }

    mutating func addDeadline(_ kind: Deadlines.Kind, _ index: Int, at time: MonotonicTime) {
        deadlines.add(
            Deadlines.Entry(
                at: time, kind: kind, index: Int32(clamping: index), generation: connections[index].generation))
    }

    /// Closes after 1.5 times the keep alive without a whole packet. [MQTT-3.1.2-22] (3.1.1: -24)
    private mutating func keepAliveDue(_ entry: Deadlines.Entry) {
        let index = Int(entry.index)
        guard connections[index].generation == entry.generation, connections[index].state == .open else { return }
        // While it is paused it can't be heard.
        let heardAt = isPaused(index) ? now : connections[index].lastPacketAt
        let deadline = heardAt + connections[index].silenceLimit
        guard deadline <= now else {
            deadlines.add(
                Deadlines.Entry(at: deadline, kind: .keepAlive, index: entry.index, generation: entry.generation))
            return
        }
        disconnect(index, .keepAliveTimeout, why: "nothing heard for \(connections[index].silenceLimit)")
    }
}
