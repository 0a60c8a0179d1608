import Broker
import Bytes
import Framing
import NIOCore

/// The loop's side of the TLS thread.
extension BrokerLoop {
    /// The thread begins with the first connection that needs it.
    mutating func startTLS() -> TLSThread {
        if let tls { return tls }
        let shared = shared
        let thread = TLSThread { events in shared.post(.tls(events)) }
        tls = thread
        return thread
    }

    mutating func kickTLS() {
        guard !kicked.isEmpty else { return }
        tls?.kick(kicked)
        kicked = []
    }

    /// The broker has done with it; the TLS thread sends what waits and closes it.
    mutating func leaveTLS(_ connection: TLSConnection) {
        connection.place = .nowhere
        connection.close()
        kicked.append(connection)
    }

    mutating func handle(_ event: TLSEvent, _ now: MonotonicTime) {
        switch event {
        case .opened(let connection, let certificate): shookHands(connection, certificate, now)
        case .bytes(let connection, let buffer):
            received(connection, buffer, now)
            tls?.handled(buffer.readableBytes)
        case .ready(let connection):
            if case .client(let index) = connection.place, let id = connections[index]?.id { flush(id, now) }
        case .closed(let connection, let why): closed(connection, why, now)
        }
    }

    private mutating func shookHands(_ connection: TLSConnection, _ certificate: [UInt8]?, _ now: MonotonicTime) {
        guard case .arrival(let index) = connection.place, let arrival = arrivals[index] else { return }
        if let certificate, let source = arrival.listener?.settings.tls?.userFrom {
            // Its signature is verified; what is in it is still only as good as the CA that signed it.
            let names = try? CertificateNames(certificate.span)
            arrivals[index]?.certificateUser =
                switch source {
                case .commonName: names?.commonName
                case .subjectAlternativeName: names?.alternativeNames.first
                }
        }
        tlsIsDone(index, now)
    }

    private mutating func received(_ connection: TLSConnection, _ buffer: ByteBuffer, _ now: MonotonicTime) {
        switch connection.place {
        case .nowhere: break
        case .arrival(let index): upgrade(index, Array(buffer.readableBytesView), now)
        case .client(let index):
            guard let client = connections[index] else { return }
            guard let layer = client.webSocket else {
                return state.bytesReceived(client.id, buffer.readableBytesUInt8Span, now: now)
            }
            let bytes = Array(buffer.readableBytesView)
            readFrames(index, layer, bytes, bytes.count, now)
        }
    }

    private mutating func closed(_ connection: TLSConnection, _ why: String?, _ now: MonotonicTime) {
        switch connection.place {
        case .nowhere: break
        case .client(let index): clientIsGone(index, connection, why ?? "the peer closed the connection", now)
        case .arrival(let index): if let why { refuseArrival(index, why: why) } else { dropArrival(index) }
        }
        connection.place = .nowhere
    }

    /// What it sent before is still handled: a client that was too fast for its rate loses nothing by leaving.
    private mutating func clientIsGone(
        _ index: Int, _ connection: TLSConnection, _ why: String, _ now: MonotonicTime
    ) {
        // The pause may be as new as its last bytes.
        _ = changeReading(now)
        guard let client = connections[index], client.isPaused else { return drop(index, why: why, now) }
        gone[index] = why
        connection.peerIsGone()
        flush(client.id, now)
    }
}
