import Broker
import Bytes
import Framing
import LinuxIO

/// What comes before MQTT: the proxy's header, the TLS handshake, the HTTP upgrade; one time limit for them and CONNECT.
extension BrokerLoop {
    mutating func arrive(_ arrival: Arrival, _ listener: Listener, _ now: MonotonicTime) {
        guard arrivals.count < limits.maximumConnections else {
            return refused(arrival.peer, "\(arrivals.count) connections have not begun yet")
        }
        var arrival = arrival
        let connectBy = now + limits.connectTimeout
        arrival.connectBy = connectBy
        let index = arrivals.add(arrival, until: connectBy)
        if listener.settings.proxyProtocol { watch(index) } else { proxyIsDone(index, now) }
    }

    private mutating func watch(_ index: Int) {
        guard let arrival = arrivals[index] else { return }
        do throws(SystemError) {
            try watch(arrival, token: .arrival(index))
            arrivals[index]?.isWatched = true
        } catch {
            shared.report(.failed("\(error)"))
            dropArrival(index)
        }
    }

    // MARK: bytes

    mutating func readArrival(_ index: Int, _ now: MonotonicTime) {
        guard let arrival = arrivals[index], case .socket(let socket) = arrival.transport else { return }
        switch arrival.stage {
        case .handshake: return
        case .proxyHeader: readProxyHeader(index, arrival, socket, now)
        case .upgrade, .leaving:
            switch Socket.receive(socket.rawValue, into: &buffer) {
            case .bytes(let count):
                if arrival.stage == .upgrade { upgrade(index, Array(buffer[..<count]), now) }
            case .wouldBlock: break
            case .closed, .failed: dropArrival(index)
            }
        }
    }

    /// Not one byte more than the header is taken: what follows may be for the TLS thread.
    private mutating func readProxyHeader(
        _ index: Int, _ arrival: Arrival, _ socket: SocketTransport, _ now: MonotonicTime
    ) {
        do throws(ProxyHeader.Failure) {
            let missing = try ProxyHeader.byteCount(arrival.bytes.span) - arrival.bytes.count
            switch Socket.receive(socket.rawValue, into: &buffer, upTo: missing) {
            case .bytes(let count):
                let bytes = arrival.bytes + buffer[..<count]
                arrivals[index]?.bytes = bytes
                guard try ProxyHeader.byteCount(bytes.span) == bytes.count else { return }
                // A header without addresses ends with its fixed part.
                proxied(index, try ProxyHeader(bytes.span), now)
            case .wouldBlock: break
            case .closed, .failed: dropArrival(index)
            }
        } catch {
            refuseArrival(index, why: "\(error)")
        }
    }

    private mutating func proxied(_ index: Int, _ header: ProxyHeader, _ now: MonotonicTime) {
        switch header.source {
        case .proxyItself: break
        case .unknown: arrivals[index]?.peer = .unknown
        case .address(let address, let port): arrivals[index]?.peer = PeerAddress(address: address, port: port)
        }
        arrivals[index]?.bytes = []
        proxyIsDone(index, now)
    }

    // MARK: steps

    private mutating func proxyIsDone(_ index: Int, _ now: MonotonicTime) {
        guard let arrival = arrivals[index], case .socket(let socket) = arrival.transport else { return }
        guard let tls = arrival.listener?.tls else { return tlsIsDone(index, now) }
        if arrival.isWatched { try? poller.remove(socket.rawValue) }
        let connection = startTLS().adopt(socket.handOver(), tls.context)
        connection.place = .arrival(index)
        arrivals[index]?.transport = .tls(connection)
        arrivals[index]?.stage = .handshake
    }

    mutating func tlsIsDone(_ index: Int, _ now: MonotonicTime) {
        guard arrivals[index]?.listener?.settings.webSocket != nil else {
            if let arrival = arrivals.remove(index) { open(arrival, now) }
            return
        }
        arrivals[index]?.stage = .upgrade
        if arrivals[index]?.isWatched == false { watch(index) }
    }

    /// Bytes of the HTTP request.
    mutating func upgrade(_ index: Int, _ bytes: [UInt8], _ now: MonotonicTime) {
        guard let arrival = arrivals[index], let settings = arrival.listener?.settings.webSocket else { return }
        let all = arrival.bytes + bytes
        switch UpgradeRequest.read(all.span, path: settings.path, origins: settings.origins) {
        case .incomplete: arrivals[index]?.bytes = all
        case .refuse(let response, let why):
            refused(arrival.peer, why)
            _ = arrivals.remove(index)
            leave(arrival.transport, response, now)
        case .accept(let response, let consumed): upgraded(index, response, Array(all[consumed...]), now)
        }
    }

    private mutating func upgraded(_ index: Int, _ response: [UInt8], _ rest: [UInt8], _ now: MonotonicTime) {
        guard let arrival = arrivals.remove(index) else { return }
        let layer = WebSocketLayer(maximumFrameSize: max(16 << 20, limits.maximumPacketSize))
        guard let place = open(arrival, now, webSocket: layer), let id = connections[place]?.id else { return }
        layer.send(response)
        flush(id, now)
        if !rest.isEmpty { readFrames(place, layer, rest, rest.count, now) }
    }

    // MARK: the end

    /// Sends the last words and gives the peer a moment to read them; the poller must know a socket.
    mutating func leave(_ transport: Transport, _ lastWords: [UInt8], _ now: MonotonicTime) {
        switch transport {
        case .local: break
        case .tls(let connection):
            _ = connection.write(lastWords.span)
            leaveTLS(connection)
        case .socket(let socket):
            // A few hundred bytes fit into the socket's buffer, or the peer reads nothing anyway.
            if !lastWords.isEmpty { _ = Socket.send(socket.rawValue, lastWords.span, more: false) }
            Socket.shutDownWriting(socket.rawValue)
            var leaving = Arrival(transport, .unknown, nil)
            leaving.stage = .leaving
            leaving.isWatched = true
            watch(arrivals.add(leaving, until: now + Self.lingerTime))
        }
    }

    /// Those that took too long.
    mutating func closeArrivals(_ now: MonotonicTime) {
        while let index = arrivals.nextDue(now) {
            let what: String? =
                switch arrivals[index]?.stage {
                case .proxyHeader: "PROXY header"
                case .handshake: "TLS handshake"
                case .upgrade: "WebSocket upgrade"
                case .leaving, nil: nil
                }
            if let what {
                refuseArrival(index, why: "no \(what) within \(limits.connectTimeout)")
            } else {
                dropArrival(index)
            }
        }
    }

    mutating func refuseArrival(_ index: Int, why: String) {
        guard let arrival = arrivals[index] else { return }
        refused(arrival.peer, why)
        dropArrival(index)
    }

    func refused(_ peer: PeerAddress, _ why: String) {
        shared.report(.broker(.refused(peer: peer.description, why: why)))
    }

    mutating func dropArrival(_ index: Int) {
        guard let arrival = arrivals.remove(index) else { return }
        switch arrival.transport {
        case .local: break
        case .tls(let connection): leaveTLS(connection)
        case .socket(let socket): try? poller.remove(socket.rawValue)
        }
    }
}
