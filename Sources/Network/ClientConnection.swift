import Broker
import Bytes
import LinuxIO

/// One transport of the broker's loop, seen as what it can do: take bytes and be closed.
///
/// Bytes from it come in through the loop. Three kinds: a plain socket on the broker's own epoll, a TLS connection on
/// the TLS thread, and a client inside the gateway.
enum Transport {
    case socket(SocketTransport)
    case tls(TLSConnection)
    case local(LocalTransport)
}

/// A transport and the broker's name for its connection.
struct ClientConnection {
    var id: ConnectionID
    var transport: Transport
    /// Nil where MQTT is not in WebSocket frames.
    var webSocket: WebSocketLayer?
    /// The loop asked to be told when the transport takes bytes again.
    var waitsToWrite = false
    /// The broker does not want more bytes of it for a while.
    var isPaused = false
    /// The broker closed it; it is read until the peer closes too, so that no reset eats the last packet.
    /// [MQTT-4.13.2-1]
    var lingersUntil: MonotonicTime?

    init(id: ConnectionID, transport: Transport, webSocket: WebSocketLayer? = nil) {
        self.id = id
        self.transport = transport
        self.webSocket = webSocket
    }

    var isLocal: Bool {
        if case .local = transport { true } else { false }
    }
}

/// A connected TCP or Unix socket.
final class SocketTransport {
    let rawValue: CInt
    private var owned: OwnedDescriptor?

    init(_ descriptor: consuming OwnedDescriptor) {
        rawValue = descriptor.rawValue
        owned = consume descriptor
    }

    /// Gives the descriptor to somebody else, who closes it.
    func handOver() -> CInt {
        guard let descriptor = owned.take() else { return -1 }
        return descriptor.release()
    }
}
