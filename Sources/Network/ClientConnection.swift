import Broker
import Bytes
import LinuxIO

/// One transport of the broker's loop, seen as what it can do: take bytes and be closed.
///
/// Bytes from it come in
/// through the loop.
///
/// Two kinds so far: a plain socket on the broker's own epoll, and a client inside the gateway. TLS and WebSocket
/// become a third, on loops of their own.
enum Transport {
    case socket(SocketTransport)
    case local(LocalTransport)
}

/// A transport and the broker's name for its connection.
struct ClientConnection {
    var id: ConnectionID
    var transport: Transport
    /// The loop asked to be told when the transport takes bytes again.
    var waitsToWrite = false
    /// The broker closed it; it is read until the peer closes too, so that no reset eats the last packet.
    /// [MQTT-4.13.2-1]
    var lingersUntil: MonotonicTime?
}

/// A connected TCP or Unix socket.
final class SocketTransport {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
