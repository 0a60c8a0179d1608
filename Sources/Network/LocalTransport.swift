import Bytes
import Synchronization

/// The two ends of a connection inside the process: the broker's loop on one side, a client of the gateway on the
/// other, each on its own thread.
///
/// It carries the same bytes as a socket, so a local client gets the same windows, order and back-pressure.
final class LocalTransport: Sendable {
    /// What may wait for the client before the broker has to hold back.
    private static let limit = 1 << 20

    private struct Inbox {
        var bytes: [UInt8] = []
        var isClosed = false
        var brokerWaits = false
    }

    private let inbox = Mutex(Inbox())
    /// Called on the broker's thread when the client should look into its inbox.
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// Broker side: takes as many bytes as there is room for.
    func write(_ bytes: Span<UInt8>) -> Int {
        let (count, wasEmpty) = put(bytes)
        if wasEmpty, count > 0 { wake() }
        return count
    }

    private func put(_ bytes: Span<UInt8>) -> (count: Int, wasEmpty: Bool) {
        // A copy outside the lock: a borrowed span can't enter its closure.
        let all = [UInt8](copying: bytes)
        return inbox.withLock { inbox in
            let room = max(0, Self.limit - inbox.bytes.count)
            let wasEmpty = inbox.bytes.isEmpty
            inbox.bytes.append(contentsOf: all.prefix(room))
            inbox.brokerWaits = all.count > room
            return (min(all.count, room), wasEmpty)
        }
    }

    /// Broker side: nothing more will come.
    func close() {
        inbox.withLock { $0.isClosed = true }
        wake()
    }

    /// Client side: everything that has arrived; whether the broker closed; whether it waits to write more.
    func take() -> (bytes: [UInt8], isClosed: Bool, brokerWaits: Bool) {
        inbox.withLock { inbox in
            defer {
                inbox.bytes = []
                inbox.brokerWaits = false
            }
            return (inbox.bytes, inbox.isClosed, inbox.brokerWaits)
        }
    }
}
