import Broker
import Bytes
import LinuxIO

/// Who connects, and how fast.
extension BrokerLoop {
    /// How long a listener rests that can't accept (no descriptors left): epoll would report it again at once.
    private static let acceptPause: Duration = .seconds(1)
    /// A storm of connections must not keep the others waiting.
    private static let acceptedAtOnce = 256

    /// Begins to accept; the loop keeps the listener.
    mutating func add(_ listener: Listener) throws(SystemError) {
        let index = listeners.firstIndex { $0 == nil } ?? listeners.count
        try poller.add(
            listener.descriptor.rawValue, token: PollToken.listener(index).rawValue, reading: true, writing: false)
        if index == listeners.count { listeners.append(listener) } else { listeners[index] = listener }
        for warning in listener.tls?.warnings ?? [] { shared.report(.warning("\(listener.name): \(warning)")) }
    }

    /// Opens and closes; connections that are there stay.
    mutating func apply(_ change: ListenerChange) {
        guard stopsAt == nil else { return }
        for listener in change.closed {
            remove(listener)
            if !change.keepsPath(of: listener) { listener.removePath() }
        }
        for listener in change.opened {
            do throws(SystemError) {
                try add(listener)
            } catch {
                shared.report(.failed("listener \(listener.name): \(error)"))
            }
        }
        for warning in change.warnings { shared.report(.warning(warning)) }
    }

    private mutating func remove(_ listener: Listener) {
        guard let index = listeners.firstIndex(where: { $0 === listener }) else { return }
        try? poller.remove(listener.descriptor.rawValue)
        listeners[index] = nil
        resting.removeAll { $0.listener == index }
        paced.removeAll { $0 == index }
    }

    mutating func accept(_ index: Int, _ now: MonotonicTime) {
        guard index < listeners.count, listeners[index] != nil else { return }
        for _ in 0..<Self.acceptedAtOnce {
            // Behind those that wait for the pace: what it allows is shared.
            guard pace.mayAccept(now), paced.isEmpty else { return waitForPace(index, now) }
            guard acceptOne(index, now) == .accepted else { return }
        }
    }

    private enum Acceptance {
        case accepted
        case nobodyThere
        case failed
    }

    private mutating func acceptOne(_ index: Int, _ now: MonotonicTime) -> Acceptance {
        guard let listener = listeners[index] else { return .nobodyThere }
        switch Socket.accept(listener.descriptor.rawValue) {
        case .connection(let descriptor, let peer):
            pace.accepted(now)
            let arrival = Arrival(.socket(SocketTransport(descriptor)), peer, listener)
            if listener.isPlain { open(arrival, now) } else { arrive(arrival, listener, now) }
            return .accepted
        case .wouldBlock: return .nobodyThere
        case .failed(let error):
            shared.report(.failed("accept on \(listener.name): \(error)"))
            rest(index, until: now + Self.acceptPause)
            return .failed
        }
    }

    private mutating func rest(_ index: Int, until: MonotonicTime) {
        ignore(index)
        resting.append((index, until))
    }

    private mutating func waitForPace(_ index: Int, _ now: MonotonicTime) {
        ignore(index)
        if paced.isEmpty { pacedUntil = pace.nextTime(now) }
        paced.append(index)
    }

    /// Has the poller tell no more who knocks.
    private mutating func ignore(_ index: Int) {
        guard let listener = listeners[index] else { return }
        try? poller.remove(listener.descriptor.rawValue)
    }

    mutating func wakeListeners(_ now: MonotonicTime) {
        guard stopsAt == nil else { return }
        if !paced.isEmpty, pacedUntil <= now { acceptPaced(now) }
        guard !resting.isEmpty else { return }
        for place in resting.indices where resting[place].until <= now {
            let index = resting[place].listener
            guard let listener = listeners[index] else { continue }
            let token = PollToken.listener(index).rawValue
            do {
                try poller.add(listener.descriptor.rawValue, token: token, reading: true, writing: false)
            } catch {
                // Without this one nobody could connect any more: it is tried again until it works.
                shared.report(.failed("listener \(listener.name): \(error)"))
                resting[place].until = now + Self.acceptPause
            }
        }
        resting.removeAll { $0.until <= now }
    }

    /// Accepts one connection of each listener in turn, as many as the pace allows: a flood on one leaves the others
    /// their part.
    private mutating func acceptPaced(_ now: MonotonicTime) {
        var count = 0
        while let index = paced.first, count < Self.acceptedAtOnce, pace.mayAccept(now) {
            paced.removeFirst()
            count += 1
            switch acceptOne(index, now) {
            case .accepted: paced.append(index)
            // The poller tells when somebody comes.
            case .nobodyThere: resting.append((index, now))
            case .failed: break
            }
        }
        pacedUntil = pace.mayAccept(now) ? now : pace.nextTime(now)
    }

    /// From here on a connection speaks MQTT; returns its place, nil if it was turned away.
    @discardableResult
    mutating func open(_ arrival: Arrival, _ now: MonotonicTime, webSocket: WebSocketLayer? = nil) -> Int? {
        guard let listener = arrival.listener,
            let id = state.connectionOpened(arrival.origin(listener), connectBy: arrival.connectBy, now: now)
        else {
            if case .tls(let connection) = arrival.transport { leaveTLS(connection) }
            return nil
        }
        let index = Int(id.index)
        do throws(SystemError) {
            try watch(arrival, token: .connection(index))
        } catch {
            shared.report(.failed("\(error)"))
            state.connectionLost(id, why: "\(error)", now: now)
            return nil
        }
        if case .tls(let connection) = arrival.transport { connection.place = .client(index) }
        set(ClientConnection(id: id, transport: arrival.transport, webSocket: webSocket))
        return index
    }

    /// Has the poller tell under this token what its socket is ready for.
    mutating func watch(_ arrival: Arrival, token: PollToken) throws(SystemError) {
        guard case .socket(let socket) = arrival.transport else { return }
        if arrival.isWatched {
            try poller.modify(socket.rawValue, token: token.rawValue, reading: true, writing: false)
        } else {
            try poller.add(socket.rawValue, token: token.rawValue, reading: true, writing: false)
        }
    }
}

extension Arrival {
    fileprivate func origin(_ listener: Listener) -> ConnectionOrigin {
        var origin = ConnectionOrigin(peer: peer.description)
        origin.address = peer.host
        origin.listener = listener.name
        origin.mayBeAnonymous = listener.letsInAnonymous(peer)
        origin.certificateUser = certificateUser
        // Not behind a proxy: then anybody might be at the other end.
        origin.isLocalSocket = peer.isUnixSocket && !listener.settings.proxyProtocol
        return origin
    }
}
