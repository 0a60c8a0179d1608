import NIOCore
import Synchronization

/// A TLS connection as the broker's loop sees it: bytes in, bytes out, close; what happens to them happens on the TLS
/// thread.
///
/// What may wait in it is limited: the broker then waits as for a socket whose buffer is full.
final class TLSConnection: Sendable {
    /// What may wait to be encrypted.
    private static let limit = 1 << 18

    /// Where the broker's loop keeps it.
    enum Place: Equatable {
        case nowhere
        case arrival(Int)
        case client(Int)
    }

    private struct Outbox {
        var bytes = ByteBuffer()
        var isClosed = false
        var isGone = false
        var brokerWaits = false
    }

    private let outbox = Mutex(Outbox())
    private let placeNumber = Atomic<Int>(-1)
    private let isReading = Atomic<Bool>(true)
    private let handler: NIOLoopBoundBox<TLSHandler?>

    init(on loop: any NIOCore.EventLoop) {
        handler = .makeEmptyBox(eventLoop: loop)
    }

    // MARK: on the broker's loop

    /// Only the broker's loop asks and sets it.
    var place: Place {
        get {
            let number = placeNumber.load(ordering: .relaxed)
            if number < 0 { return .nowhere }
            return number & 1 == 0 ? .arrival(number >> 1) : .client(number >> 1)
        }
        set {
            let number =
                switch newValue {
                case .nowhere: -1
                case .arrival(let index): index << 1
                case .client(let index): index << 1 | 1
                }
            placeNumber.store(number, ordering: .relaxed)
        }
    }

    /// Takes as many bytes as there is room for; the TLS thread must be kicked then.
    func write(_ bytes: Span<UInt8>) -> Int {
        // A borrowed span can't enter the lock's closure; what comes is at most what one turn made.
        var copy = ByteBuffer()
        copy.writeBytes(bytes.bytes)
        return put(copy)
    }

    private func put(_ bytes: ByteBuffer) -> Int {
        outbox.withLock { outbox in
            guard !outbox.isGone else { return bytes.readableBytes }
            let room = max(0, Self.limit - outbox.bytes.readableBytes)
            let count = min(room, bytes.readableBytes)
            outbox.brokerWaits = count < bytes.readableBytes
            if outbox.bytes.readableBytes == 0, count == bytes.readableBytes {
                outbox.bytes = bytes
            } else {
                outbox.bytes.writeImmutableBuffer(bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer())
            }
            return count
        }
    }

    /// Closes it when what waits is sent; the TLS thread must be kicked then.
    func close() {
        outbox.withLock { $0.isClosed = true }
    }

    /// The peer is gone: what is written from here on is for nobody.
    func peerIsGone() {
        outbox.withLock { outbox in
            outbox.isGone = true
            outbox.bytes = ByteBuffer()
        }
    }

    /// Whether bytes of the peer are wanted; the TLS thread must be kicked when they are again.
    func setReading(_ isWanted: Bool) {
        isReading.store(isWanted, ordering: .relaxed)
    }

    // MARK: on the TLS thread

    var wantsToRead: Bool { isReading.load(ordering: .relaxed) }

    /// The broker has done with it.
    var isClosed: Bool { outbox.withLock { $0.isClosed } }

    /// Everything that waits, whether the broker waits to write more, and whether it closed.
    func take() -> (bytes: ByteBuffer, brokerWaits: Bool, isClosed: Bool) {
        outbox.withLock { outbox in
            defer {
                outbox.bytes = ByteBuffer()
                outbox.brokerWaits = false
            }
            return (outbox.bytes, outbox.brokerWaits, outbox.isClosed)
        }
    }

    /// Nil when it is gone.
    func setHandler(_ handler: TLSHandler?) {
        self.handler.value = handler
    }

    /// Looks what there is to send or to read.
    func kicked() {
        handler.value?.kicked()
    }
}
