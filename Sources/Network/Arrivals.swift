import Bytes
import LinuxIO

/// A connection before its first byte of MQTT: what stands around that is read or agreed on first.
struct Arrival {
    enum Stage: Equatable {
        case proxyHeader
        case handshake
        case upgrade
        /// It was refused or has ended; it is read until the peer closes too, so that no reset eats the last words.
        case leaving
    }

    var transport: Transport
    /// Who it comes from, as the socket says, or the proxy before it.
    var peer: PeerAddress
    /// Nil for one that is leaving.
    let listener: Listener?
    /// When all that stands before MQTT must be over, and CONNECT be there; nil if nothing stands before.
    var connectBy: MonotonicTime?
    var stage = Stage.proxyHeader
    /// The loop's poller knows its socket.
    var isWatched = false
    /// What has come of the header or the request.
    var bytes: [UInt8] = []
    var certificateUser: [UInt8]?
    /// Tells it from those that had its place before.
    fileprivate var serial = 0

    init(_ transport: Transport, _ peer: PeerAddress, _ listener: Listener?) {
        self.transport = transport
        self.peer = peer
        self.listener = listener
    }
}

/// The connections that are not clients yet, each with its time limit.
struct Arrivals {
    private struct Due {
        let index: Int
        let serial: Int
        let at: MonotonicTime
    }

    private var slots: [Arrival?] = []
    private var free: [Int] = []
    /// Each kind has one length of time, so the first in is the first due.
    private var due = Ring<Due>()
    private var dueLeaving = Ring<Due>()
    private var serial = 0

    var count: Int { slots.count - free.count }

    subscript(index: Int) -> Arrival? {
        get { index < slots.count ? slots[index] : nil }
        set { slots[index] = newValue }
    }

    /// When the first has had its time.
    var earliest: MonotonicTime? {
        guard let first = due.first?.at else { return dueLeaving.first?.at }
        return min(first, dueLeaving.first?.at ?? first)
    }

    mutating func add(_ arrival: Arrival, until: MonotonicTime) -> Int {
        serial += 1
        let index: Int
        if let reused = free.popLast() {
            index = reused
            slots[index] = arrival
        } else {
            index = slots.count
            slots.append(arrival)
        }
        slots[index]?.serial = serial
        let entry = Due(index: index, serial: serial, at: until)
        if arrival.stage == .leaving { dueLeaving.append(entry) } else { due.append(entry) }
        return index
    }

    /// Takes it out.
    mutating func remove(_ index: Int) -> Arrival? {
        guard let arrival = self[index] else { return nil }
        slots[index] = nil
        free.append(index)
        // Most go in the order in which they came.
        while let first = due.first, self[first.index]?.serial != first.serial { _ = due.popFirst() }
        return arrival
    }

    /// The place of one whose time is over; nil if there is none.
    mutating func nextDue(_ now: MonotonicTime) -> Int? {
        while let first = due.first, first.at <= now {
            _ = due.popFirst()
            if let arrival = self[first.index], arrival.serial == first.serial {
                return first.index
            }
        }
        while let first = dueLeaving.first, first.at <= now {
            _ = dueLeaving.popFirst()
            if let arrival = self[first.index], arrival.serial == first.serial { return first.index }
        }
        return nil
    }

    /// All places that are taken.
    var indices: [Int] { slots.indices.filter { slots[$0] != nil } }
}
