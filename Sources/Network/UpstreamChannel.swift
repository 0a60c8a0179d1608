import NIOCore
import NIOPosix
import NIOSSL

/// Opens channels to the upstream and hands what they carry to the core.
enum UpstreamChannel {
    /// Looks up the name, tries its addresses and prepares TLS; the handshake goes on after the channel is open.
    static func open(
        _ settings: UpstreamLink.Settings, on loop: any NIOCore.EventLoop, for core: UpstreamCore, attempt: Int
    ) -> EventLoopFuture<any Channel> {
        let context: NIOSSLContext?
        do throws(UpstreamFailure) {
            context = try settings.tls.map(UpstreamTLS.context)
        } catch {
            return loop.makeFailedFuture(error)
        }
        let bound = NIOLoopBound(core, eventLoop: loop)
        // A channel is made when there is an address for it.
        let isNameKnown = NIOLoopBoundBox(false, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(settings.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                isNameKnown.value = true
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(UpstreamTLS.handler(context, settings))
                    }
                    if let path = settings.address.path {
                        try pipeline.addHandler(UpstreamWebSocket(host: "\(settings.address)", path: path))
                    }
                    try pipeline.addHandler(UpstreamHandler(bound.value, attempt: attempt))
                }
            }
            .connect(host: settings.host, port: Int(settings.port))
            .flatMapErrorThrowing { error in
                if case ChannelError.connectTimeout = error, !isNameKnown.value {
                    throw UpstreamFailure.nameNotAnswered
                }
                throw error
            }
    }
}

extension UpstreamChannel {
    /// Whether somebody accepts connections at an address; the connection is not used.
    static func probe(_ settings: UpstreamLink.Settings, on loop: any NIOCore.EventLoop) -> EventLoopFuture<Void> {
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(settings.connectTimeout))
            .connect(host: settings.host, port: Int(settings.port))
            .flatMap { $0.close() }
    }
}

/// The end of the pipeline: bytes in, and what went wrong.
final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let core: UpstreamCore
    private let attempt: Int
    private var error: (any Error)?

    init(_ core: UpstreamCore, attempt: Int) {
        self.core = core
        self.attempt = attempt
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        core.received(unwrapInboundIn(data), attempt: attempt)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        core.receivedAll(attempt: attempt)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        core.writabilityChanged(attempt: attempt)
    }

    func channelInactive(context: ChannelHandlerContext) {
        core.closed(error, attempt: attempt)
    }

    /// The first error says why; those that follow come from closing.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error }
        context.close(promise: nil)
    }
}
