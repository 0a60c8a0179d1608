import NIOCore
import NIOSSL
import NIOTLS

/// The end of a TLS connection's pipeline: hands decrypted bytes to the broker, and the broker's to be encrypted.
final class TLSHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let patience: TimeAmount = .seconds(2)

    private let connection: TLSConnection
    private let batch: TLSBatch
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var error: (any Error)?
    /// A read was not asked for because nobody wants bytes now.
    private var isResting = false
    private var isLeaving = false
    /// What the peer said first, before TLS took it apart.
    var firstByte: UInt8?

    init(_ connection: TLSConnection, _ batch: TLSBatch) {
        self.connection = connection
        self.batch = batch
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.setHandler(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection.setHandler(nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
        // It may have been closed before it was here.
        kicked()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            batch.report(.opened(connection, certificate: try? certificate?.toDERBytes()))
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        handOver()
        readOn(context)
    }

    private func handOver() {
        guard received.readableBytes > 0 else { return }
        batch.report(.bytes(connection, received))
        received = ByteBuffer()
    }

    private func readOn(_ context: ChannelHandlerContext) {
        isResting = !connection.wantsToRead || !batch.mayRead(self)
        if !isResting { context.read() }
    }

    // MARK: out

    func kicked() {
        guard let context else { return }
        send(context)
        if isResting { readOn(context) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        guard context.channel.isWritable else { return limitGoodbye(context) }
        let taken = connection.take()
        if taken.bytes.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(taken.bytes), promise: nil) }
        if taken.brokerWaits { batch.report(.ready(connection)) }
        guard taken.isClosed else { return }
        // The peer's answer to our goodbye must be read.
        if isResting { context.read() }
        context.close(promise: nil)
    }

    // MARK: the end

    /// The broker has closed it, and its peer takes nothing: it gets a while, and is cut off then.
    private func limitGoodbye(_ context: ChannelHandlerContext) {
        guard connection.isClosed, !isLeaving else { return }
        isLeaving = true
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { self.context?.close(promise: nil) }
    }

    /// The first error says why; those that follow come from closing.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        handOver()
        batch.report(.closed(connection, why: TLSFailure.text(error, firstByte: firstByte)))
    }
}

/// Looks at the first byte that a peer sends, and gets out of the way.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let handler: TLSHandler

    init(_ handler: TLSHandler) {
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        handler.firstByte = bytes.getInteger(at: bytes.readerIndex)
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// Why a TLS connection ended, for people.
enum TLSFailure {
    /// What BoringSSL calls it, and what it comes from.
    private static let reasons = [
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the client showed no certificate, and this listener requires one"),
        ("CERTIFICATE_VERIFY_FAILED", "the client's certificate is not from the CA of this listener, or not valid now"),
        ("ALERT_UNKNOWN_CA", "the client does not trust our certificate: it knows no CA for it"),
        ("ALERT_CERTIFICATE_EXPIRED", "the client says that our certificate has expired"),
        ("ALERT_BAD_CERTIFICATE", "the client does not accept our certificate"),
        ("ALERT_CERTIFICATE_UNKNOWN", "the client does not accept our certificate"),
        // OpenSSL's clients say so without encryption, where TLS 1.3 has it already.
        (
            "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
            "the client broke the handshake off: perhaps it knows no CA for our certificate"
        ),
        ("UNSUPPORTED_PROTOCOL", "the client speaks only versions of TLS that are too old"),
        ("NO_SHARED_CIPHER", "the client offers no cipher that is safe"),
        ("EOF during handshake", "the peer closed the connection during the TLS handshake"),
    ]

    /// Nil if the peer only went.
    static func text(_ error: (any Error)?, firstByte: UInt8?) -> String? {
        guard let error else { return nil }
        if case .uncleanShutdown? = error as? NIOSSLError { return nil }
        guard let failure = error as? NIOSSLError, case .handshakeFailed = failure else { return "\(error)" }
        if let hint = hint(firstByte) { return hint }
        let text = "\(failure)"
        if firstByte == nil, text.contains("EOF during handshake") { return nil }
        if let known = reasons.first(where: { text.contains($0.0) }) { return known.1 }
        return "the TLS handshake failed: \(word(text) ?? text)"
    }

    /// BoringSSL's own word for it, without where in BoringSSL that is.
    private static func word(_ text: String) -> String? {
        let mark = "OPENSSL_internal:"
        guard let place = text.utf8.indices.last(where: { text[$0...].hasPrefix(mark) }) else { return nil }
        return String(text[place...].dropFirst(mark.count).prefix { $0 != " " && $0 != "]" })
    }

    /// Something else than TLS is known by its first byte.
    private static func hint(_ firstByte: UInt8?) -> String? {
        switch firstByte {
        case nil, 0x16: nil
        case 0x10: "a client speaks MQTT without TLS on this TLS port"
        case UInt8(ascii: "G"), UInt8(ascii: "P"), UInt8(ascii: "H"):
            "a client speaks HTTP without TLS on this TLS port"
        default: "something else than TLS was spoken on this TLS port"
        }
    }
}
