import Bytes
import MQTTCodec
import Readings

/// `$SYS/martlet/…`: what neither mosquitto nor EMQX tells.
extension BrokerState {
    /// So many clients' queues are told about at once; each costs four retained topics.
    private static let mostReported = 1_000
    /// Sessions looked at in one go, and the pause before the next: ten thousand don't hold up the loop.
    private static let scanLength = 500
    private static let scanPause: Duration = .milliseconds(50)

    mutating func publishOwnTopics() {
        for reason in DropReason.allCases {
            setSystem("$SYS/martlet/drops/\(reason.name)", counters.dropped[reason])
        }
        publishTakeOvers()
    }

    // MARK: take-overs

    /// Tells of the take-over, or of the two devices that share a client id; that rarely, however often it happens.
    mutating func noteTakeOver(_ clientID: [UInt8], by index: Int, from old: Int) {
        let client = String(decoding: clientID, as: UTF8.self)
        let (winner, loser) = (connections[index].origin, connections[old].origin)
        let due = system.takeOvers.takenOver(
            clientID, by: winner, from: loser, now: now, time: host.wallClock().milliseconds)
        if let due {
            events.append(
                .sharedClientID(
                    client: client, peer: winner.peer, otherPeer: loser.peer, takeOvers: due.count,
                    isOneAddress: due.isOneAddress))
        } else if !system.takeOvers.isRecognised(clientID) {
            events.append(.takenOver(client: client, by: winner.peer, from: loser.peer))
        }
    }

    private mutating func publishTakeOvers() {
        let over = system.takeOvers.forget(now: now)
        for client in over { setSystem(Self.takeOverTopic(client), []) }
        for (client, record) in system.takeOvers.records where record.isRecognised {
            var body = JSONObject()
            body.add("clientid", String(decoding: client, as: UTF8.self))
            body.add("count", record.count)
            body.add("peer", record.winner.peer)
            body.add("other_peer", record.loser.peer)
            body.add("since", record.since)
            setSystem(Self.takeOverTopic(client), body.bytes)
        }
    }

    private static func takeOverTopic(_ client: [UInt8]) -> [UInt8] {
        Array("$SYS/martlet/takeovers/".utf8) + level(client)
    }

    // MARK: queues

    /// Begins to look through the sessions for those that have something waiting.
    mutating func startDepthScan() {
        for client in system.goneClients { publishDepth(nil, of: client) }
        system.reportedClients -= system.goneClients.count
        system.goneClients = []
        scanDepths(from: 0)
    }

    mutating func scanDepths(from start: Int32) {
        let end = min(sessions.count, Int(start) + Self.scanLength)
        for place in Int(start)..<max(Int(start), end) where sessions[place].isUsed { reportDepth(place) }
        guard end < sessions.count else { return }
        deadlines.add(Deadlines.Entry(at: now + Self.scanPause, kind: .clientDepths, index: Int32(clamping: end)))
    }

    private mutating func reportDepth(_ place: Int) {
        let depth = SystemState.Depth(
            queued: sessions[place].queue.count, queuedBytes: sessions[place].queuedBytes,
            inFlight: sessions[place].window.unacknowledged, dropped: sessions[place].dropped)
        let hasSomething = depth.queued > 0 || depth.dropped > 0
        if hasSomething, !sessions[place].isReported {
            guard system.reportedClients < Self.mostReported else { return }
            sessions[place].isReported = true
            system.reportedClients += 1
        } else if !hasSomething, sessions[place].isReported {
            sessions[place].isReported = false
            system.reportedClients -= 1
            return publishDepth(nil, of: sessions[place].clientID)
        }
        if hasSomething { publishDepth(depth, of: sessions[place].clientID) }
    }

    /// Nil takes the client's topics away.
    private mutating func publishDepth(_ depth: SystemState.Depth?, of clientID: [UInt8]) {
        let prefix = Array("$SYS/martlet/clients/".utf8) + Self.level(clientID)
        let values = [
            ("/queued", depth?.queued), ("/queued_bytes", depth?.queuedBytes), ("/in_flight", depth?.inFlight),
            ("/dropped", depth?.dropped),
        ]
        for (name, value) in values {
            setSystem(prefix + Array(name.utf8), value.map { Array(String($0).utf8) } ?? [])
        }
    }
}
