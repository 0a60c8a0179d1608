import Broker
import Bytes
import LinuxIO

/// The end: publishers get their answers, the clients outside are told, those inside go on for a while.
extension BrokerLoop {
    mutating func isFinished() -> Bool {
        guard let stopsAt else { return false }
        let now = MonotonicTime.now
        if !areClientsGone, now >= stopsAt || connections.allSatisfy({ $0 == nil || $0?.isLocal == true }) {
            areClientsGone = true
            for index in connections.indices where connections[index]?.isLocal == false {
                drop(index, why: "the gateway is stopping", now)
            }
            shared.clientsGone.signal()
        }
        return areClientsGone && isToEnd
    }

    mutating func stop(_ now: MonotonicTime) {
        guard stopsAt == nil, commitsUntil == nil else { return }
        for case let listener? in listeners { try? poller.remove(listener.descriptor.rawValue) }
        (resting, paced) = ([], [])
        for index in arrivals.indices { dropArrival(index) }
        commitsUntil = now + .seconds(1)
        state.commitSoon(now: now)
    }

    mutating func stopWhenKept(_ now: MonotonicTime) {
        guard let until = commitsUntil, state.isKept || now >= until else { return }
        commitsUntil = nil
        stopsAt = now + .seconds(1)
        state.shutDown(now: now)
    }
}
