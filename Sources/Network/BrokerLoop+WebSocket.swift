import Broker
import Bytes
import LinuxIO

/// Clients whose MQTT comes in WebSocket frames, over a plain socket or over TLS.
extension BrokerLoop {
    /// Takes frames apart and hands their payload to the broker.
    mutating func readFrames(
        _ index: Int, _ layer: WebSocketLayer, _ bytes: [UInt8], _ count: Int, _ now: MonotonicTime
    ) {
        guard let connection = connections[index] else { return }
        payload.removeAll(keepingCapacity: true)
        let end = layer.read(bytes.span.extracting(0..<count), into: &payload)
        if !payload.isEmpty { Self.receive(&state, connection.id, payload, payload.count, now) }
        if payload.capacity > 1 << 20 { payload = [] }
        guard let end else {
            if layer.hasUnsent { flush(connection.id, now) }
            return
        }
        sayGoodbye(layer, connection.transport)
        connections[index] = nil
        state.connectionLost(connection.id, why: end, now: now)
        leave(connection.transport, [], now)
    }

    mutating func flushFrames(_ connection: ClientConnection, _ layer: WebSocketLayer, _ now: MonotonicTime) {
        var failure: SystemError?
        let transport = connection.transport
        func send(_ bytes: Span<UInt8>) -> Int? { Self.send(transport, bytes, &failure) }
        var outcome = state.flush(connection.id) { bytes, _ in layer.write(bytes, send) }
        if outcome != .lost {
            if !layer.flush(send) { outcome = .lost } else if layer.hasUnsent { outcome = .blocked }
        }
        if case .tls(let connection) = transport { kicked.append(connection) }
        flushed(Int(connection.id.index), outcome, failure, now)
    }

    /// The close frame, as far as the transport takes it.
    mutating func sayGoodbye(_ layer: WebSocketLayer, _ transport: Transport) {
        layer.close(1000)
        var failure: SystemError?
        _ = layer.flush { Self.send(transport, $0, &failure) }
    }

    private static func send(_ transport: Transport, _ bytes: Span<UInt8>, _ failure: inout SystemError?) -> Int? {
        switch transport {
        case .local(let local): return local.write(bytes)
        case .tls(let connection): return connection.write(bytes)
        case .socket(let socket):
            switch Socket.send(socket.rawValue, bytes, more: false) {
            case .sent(let count): return count
            case .wouldBlock: return 0
            case .failed(let error):
                failure = error
                return nil
            }
        }
    }
}
