import Bytes
import Framing

/// WebSocket around one connection's MQTT: takes frames apart, and puts what is sent into frames.
final class WebSocketLayer {
    /// What is taken into one frame at once.
    private static let largestFrame = 1 << 18
    /// What of our own may wait unsent; a client that only pings and never reads gets no more answers than this.
    private static let answerLimit = 1 << 16

    private var reader: WebSocketReader
    private var unsent: [UInt8] = []
    private var sentCount = 0
    private var isClosed = false

    init(maximumFrameSize: Int) {
        reader = WebSocketReader(maximumFrameSize: maximumFrameSize)
    }

    var hasUnsent: Bool { sentCount < unsent.count }

    /// Reads all that has arrived; pings are answered on the way.
    ///
    /// Returns why the connection ends here, if it does: the close frame then waits to be sent.
    func read(_ bytes: Span<UInt8>, into payload: inout [UInt8]) -> String? {
        var offset = 0
        while let signal = reader.read(bytes, from: &offset, into: &payload) {
            switch signal {
            case .ping(let content):
                if unsent.count - sentCount < Self.answerLimit { unsent += WebSocketFrame.pong(content) }
            case .close(let code):
                close(code)
                return "the client closed the WebSocket"
            case .broken(let violation):
                close(violation.closeCode)
                return "\(violation)"
            }
        }
        return nil
    }

    /// The last frame.
    func close(_ code: UInt16?) {
        guard !isClosed else { return }
        isClosed = true
        unsent += WebSocketFrame.close(code)
    }

    /// Puts bytes as they are before everything else: the answer to the upgrade.
    func send(_ bytes: [UInt8]) {
        unsent += bytes
    }

    /// Frames bytes and sends them as far as `send` takes them; returns how many it took over, or nil if `send` failed.
    func write(_ bytes: Span<UInt8>, _ send: (Span<UInt8>) -> Int?) -> Int? {
        guard flush(send) else { return nil }
        guard !hasUnsent else { return 0 }
        let count = min(bytes.count, Self.largestFrame)
        WebSocketFrame.appendBinaryHeader(count, to: &unsent)
        unsent.append(copying: bytes.extracting(0..<count))
        return flush(send) ? count : nil
    }

    /// Sends what waits; false if `send` failed.
    func flush(_ send: (Span<UInt8>) -> Int?) -> Bool {
        guard hasUnsent else { return true }
        guard let count = send(unsent.span.extracting(sentCount..<unsent.count)) else { return false }
        sentCount += count
        guard !hasUnsent else { return true }
        unsent.removeAll(keepingCapacity: unsent.capacity <= 16_384)
        sentCount = 0
        return true
    }
}
