import Broker
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// What the TLS thread tells the broker's loop.
enum TLSEvent: Sendable {
    /// The handshake is done; the client's certificate in DER form, if it showed one.
    case opened(TLSConnection, certificate: [UInt8]?)
    case bytes(TLSConnection, ByteBuffer)
    /// The connection takes bytes again.
    case ready(TLSConnection)
    /// Nil if the peer went without a reason.
    case closed(TLSConnection, why: String?)
}

/// The thread on which TLS is spoken, with SwiftNIO; it exists only where a listener has TLS.
///
/// Both sides hand over what they have once a turn: a wake-up per message would cost more than the message.
final class TLSThread: Sendable {
    /// What may wait in the broker's mailbox before nobody is read any more.
    private static let limit = 8 << 20

    private let group: MultiThreadedEventLoopGroup
    private let loop: any NIOCore.EventLoop
    private let batch: NIOLoopBound<TLSBatch>
    private let unhandled: UnhandledBytes

    /// `post` is called on the TLS thread.
    init(post: @escaping @Sendable ([TLSEvent]) -> Void) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let unhandled = UnhandledBytes(limit: Self.limit)
        let starting = loop.submit {
            NIOLoopBound(TLSBatch(loop, unhandled, post), eventLoop: loop)
        }
        guard let batch = try? starting.wait() else {
            preconditionFailure("a new event loop does not run")
        }
        (self.group, self.loop, self.unhandled, self.batch) = (group, loop, unhandled, batch)
    }

    /// Takes over a connected socket and begins the handshake.
    func adopt(_ descriptor: CInt, _ context: NIOSSLContext) -> TLSConnection {
        let connection = TLSConnection(on: loop)
        let batch = batch
        let channel = ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.writeBufferWaterMark, value: .init(low: 32_768, high: 131_072))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = TLSHandler(connection, batch.value)
                    try channel.pipeline.syncOperations.addHandlers(
                        FirstByteHandler(handler), NIOSSLServerHandler(context: context), handler)
                }
            }
            .withConnectedSocket(descriptor)
        channel.whenFailure { error in
            batch.value.report(.closed(connection, why: TLSFailure.text(error, firstByte: nil)))
        }
        return connection
    }

    /// Has the TLS thread look at the connections: they have bytes to send, are closed, or may be read again.
    func kick(_ connections: [TLSConnection]) {
        loop.execute {
            for connection in connections { connection.kicked() }
        }
    }

    /// The broker's loop has done with so many bytes.
    func handled(_ count: Int) {
        guard unhandled.remove(count) else { return }
        let batch = batch
        loop.execute { batch.value.resume() }
    }

    func stop() {
        try? group.syncShutdownGracefully()
    }
}

/// How many bytes wait for the broker's loop.
final class UnhandledBytes: Sendable {
    private let limit: Int
    private let count = Atomic<Int>(0)
    private let isAwaited = Atomic<Bool>(false)

    init(limit: Int) {
        self.limit = limit
    }

    var isTooMuch: Bool { count.load(ordering: .sequentiallyConsistent) > limit }

    func add(_ bytes: Int) {
        count.add(bytes, ordering: .sequentiallyConsistent)
    }

    /// Somebody waits until it is not too much any more.
    func await() {
        isAwaited.store(true, ordering: .sequentiallyConsistent)
    }

    /// Returns whether somebody waited for this.
    func remove(_ bytes: Int) -> Bool {
        count.subtract(bytes, ordering: .sequentiallyConsistent)
        guard !isTooMuch, isAwaited.load(ordering: .sequentiallyConsistent) else { return false }
        return isAwaited.exchange(false, ordering: .sequentiallyConsistent)
    }
}

/// What one turn of the TLS thread has for the broker; only that thread uses it.
final class TLSBatch {
    private let loop: any NIOCore.EventLoop
    private let unhandled: UnhandledBytes
    private let post: @Sendable ([TLSEvent]) -> Void
    private var events: [TLSEvent] = []
    /// Connections that are not read because the broker lags.
    private var starved: [TLSHandler] = []

    init(
        _ loop: any NIOCore.EventLoop, _ unhandled: UnhandledBytes, _ post: @escaping @Sendable ([TLSEvent]) -> Void
    ) {
        self.loop = loop
        self.unhandled = unhandled
        self.post = post
    }

    func report(_ event: TLSEvent) {
        if case .bytes(_, let buffer) = event { unhandled.add(buffer.readableBytes) }
        events.append(event)
        guard events.count == 1 else { return }
        // Tasks of the loop run behind all sockets that were ready.
        loop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        let all = events
        events = []
        post(all)
    }

    /// Whether the broker keeps up; if not, the handler is told when it does.
    func mayRead(_ handler: TLSHandler) -> Bool {
        guard unhandled.isTooMuch else { return true }
        starved.append(handler)
        unhandled.await()
        if !unhandled.isTooMuch { resume() }
        return false
    }

    func resume() {
        let waiting = starved
        starved = []
        for handler in waiting { handler.kicked() }
    }
}
