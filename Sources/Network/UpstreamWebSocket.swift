import Framing
import LinuxIO
import NIOCore

/// The WebSocket between MQTT and the upstream: shakes hands, then puts every write into a frame and takes frames apart.
final class UpstreamWebSocket: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let largestFrame = 32 << 20

    private let request: WebSocketRequest
    private var answer: [UInt8] = []
    private var isOpen = false
    private var reader = WebSocketReader(maximumFrameSize: largestFrame, isMasked: false)
    /// Written before the server agreed.
    private var waiting: [ByteBuffer] = []

    init(host: String, path: String) {
        request = WebSocketRequest(host: host, path: path, nonce: Entropy.bytes(16) ?? [])
    }

    func channelActive(context: ChannelHandlerContext) {
        send(request.bytes, context)
        context.fireChannelActive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        guard isOpen else {
            waiting.append(buffer)
            promise?.succeed()
            return
        }
        let frame = WebSocketFrame.masked(2, Array(buffer.readableBytesView), key: mask)
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: promise)
    }

    private var mask: UInt32 { UInt32(truncatingIfNeeded: Entropy.seed()) }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).readableBytesView)
        if isOpen { return read(bytes, context) }
        answer += bytes
        switch request.answer(answer) {
        case .incomplete: break
        case .refused(let why): fail(why, context)
        case .open(let start):
            isOpen = true
            for buffer in waiting {
                send(WebSocketFrame.masked(2, Array(buffer.readableBytesView), key: mask), context)
            }
            waiting = []
            let rest = Array(answer[start...])
            answer = []
            if !rest.isEmpty { read(rest, context) }
        }
    }

    private func read(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        var payload: [UInt8] = []
        var offset = 0
        while offset < bytes.count {
            switch reader.read(bytes.span, from: &offset, into: &payload) {
            case nil: continue
            case .ping(let content): send(WebSocketFrame.masked(10, content, key: mask), context)
            case .broken(let violation): return fail("it sent \(violation)", context)
            case .close:
                pass(payload, context)
                context.close(promise: nil)
                return
            }
        }
        pass(payload, context)
    }

    private func pass(_ payload: [UInt8], _ context: ChannelHandlerContext) {
        guard !payload.isEmpty else { return }
        context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: payload)))
    }

    private func fail(_ why: String, _ context: ChannelHandlerContext) {
        context.fireErrorCaught(UpstreamFailure.webSocket(why))
    }
}
