import Bytes
import MQTTCodec

/// What one session was sent at QoS 1 and 2 and has not acknowledged: a ring in which a packet identifier's place
/// is its distance from the oldest, so that no table is searched.
struct OutgoingWindow {
    struct Entry: Equatable {
        enum State: UInt8 {
            /// Sent on this connection; waiting for PUBACK or PUBREC, whatever becomes of its expiry. [MQTT-4.3.2-3]
            /// [MQTT-4.3.3-3] [MQTT-4.3.3-7] [MQTT-4.3.3-13]
            case sent
            /// Must be sent again on this connection, with DUP. [MQTT-4.4.0-1]
            case unsent
            /// Not sent: the journal does not have its identifier yet.
            case held
            /// Not sent, but the journal has its identifier.
            case ready
            /// PUBREC came, PUBREL went; waiting for PUBCOMP. Never published again. [MQTT-4.3.3-5]
            /// [MQTT-4.3.3-6]
            case released
            /// Acknowledged; stays in the ring until the ones before it are.
            case done

            /// Whether its message is still held for it.
            var isOnItsWay: Bool {
                switch self {
                case .sent, .unsent, .held, .ready: true
                case .released, .done: false
                }
            }
        }
        var delivery: Delivery
        var state: State
    }

    enum Acknowledged: Equatable {
        /// The flow is over; the message's reference goes back.
        case finished(Delivery)
        /// PUBREC: the message goes back, the identifier stays until PUBCOMP.
        case received(Delivery)
        /// Nobody waits for it.
        case unknown
    }

    private struct Straggler {
        var id: UInt16
        var entry: Entry
    }

    private var entries = Ring<Entry>()
    /// What stayed unacknowledged while tens of thousands after it were: the ring goes on without it.
    ///
    /// In the functions below it stands before the ring, at negative positions.
    private var stragglers: [Straggler] = []
    /// The packet identifier of `entries[0]`.
    private var firstID: UInt16 = 1
    /// Entries that count against the receiver's Receive Maximum.
    private(set) var unacknowledged = 0
    private(set) var unsent = 0

    /// The ring must not come near the identifiers' wrap, so its first entry is set aside here. [MQTT-2.2.1-4]
    private static let longestSpan = 32_768

    init() {}

    var isEmpty: Bool { entries.isEmpty && stragglers.isEmpty }

    /// Whether one more may be sent to a receiver that allows `limit`. [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
    func hasRoom(_ limit: Int) -> Bool {
        unacknowledged - unsent < min(limit, Self.longestSpan)
    }

    /// Notes a new delivery and returns its packet identifier. [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    mutating func add(_ delivery: Delivery, isHeld: Bool = false) -> UInt16 {
        if entries.count >= Self.longestSpan { setFirstAside() }
        while !stragglers.isEmpty, straggler(id(at: entries.count)) != nil {
            entries.append(Entry(delivery: .nothing, state: .done))  // its identifier is in use
        }
        entries.append(Entry(delivery: delivery, state: isHeld ? .held : .sent))
        unacknowledged += 1
        return id(at: entries.count - 1)
    }

    private mutating func setFirstAside() {
        guard let first = entries.popFirst() else { return }
        stragglers.append(Straggler(id: firstID, entry: first))
        firstID = firstID == .max ? 1 : firstID + 1
        popDone()
    }

    mutating func puback(_ id: UInt16) -> Acknowledged {
        guard let position = position(of: id), self[position].state == .sent,
            self[position].delivery.qos == .atLeastOnce
        else { return .unknown }
        return finish(position)
    }

    /// PUBREC; with an error code the flow is over without PUBREL. [MQTT-4.3.3-4] [MQTT-4.4.0-2]
    mutating func pubrec(_ id: UInt16, isError: Bool) -> Acknowledged {
        guard let position = position(of: id), self[position].delivery.qos == .exactlyOnce else { return .unknown }
        switch self[position].state {
        case .sent where isError: return finish(position)
        case .sent:
            self[position].state = .released
            return .received(self[position].delivery)
        case .released: return .received(.nothing)
        case .unsent, .held, .ready, .done: return .unknown
        }
    }

    mutating func pubcomp(_ id: UInt16) -> Bool {
        guard let position = position(of: id), self[position].state == .released else { return false }
        _ = finish(position)
        return true
    }

    /// The journal has the identifier: the message may go out.
    mutating func release(_ id: UInt16) -> Bool {
        guard let position = position(of: id), self[position].state == .held else { return false }
        self[position].state = .ready
        unsent += 1
        return true
    }

    /// A new connection begins: what was sent must be sent again.
    mutating func connectionResumed() {
        for position in -stragglers.count..<entries.count where self[position].state == .sent {
            self[position].state = .unsent
            unsent += 1
        }
    }

    /// The next entry to send again, in the first order, now counted as sent.
    ///
    /// The first time is not a duplicate.
    mutating func nextUnsent() -> (id: UInt16, delivery: Delivery, isDuplicate: Bool)? {
        guard unsent > 0 else { return nil }
        for position in -stragglers.count..<entries.count {
            let state = self[position].state
            guard state == .unsent || state == .ready else { continue }
            self[position].state = .sent
            unsent -= 1
            return (id(at: position), self[position].delivery, state == .unsent)
        }
        return nil
    }

    /// The identifiers whose PUBREL must be sent again.
    var released: [UInt16] {
        (-stragglers.count..<entries.count).filter { self[$0].state == .released }.map { id(at: $0) }
    }

    /// Takes out what was sent at QoS 1 through a shared subscription and not acknowledged. [MQTT-4.8.2-5]
    ///
    /// Only when the session ends: the identifiers are then nobody's.
    mutating func takeShared() -> [Delivery] {
        var taken: [Delivery] = []
        for position in -stragglers.count..<entries.count {
            let entry = self[position]
            guard entry.state.isOnItsWay, entry.delivery.share != 0,
                entry.delivery.qos == .atLeastOnce
            else { continue }
            taken.append(entry.delivery)
            self[position].state = .done
        }
        return taken
    }

    /// Forgets everything; returns the deliveries whose messages go back.
    mutating func removeAll() -> [Delivery] {
        var deliveries: [Delivery] = []
        for position in -stragglers.count..<entries.count {
            let entry = self[position]
            if entry.state.isOnItsWay { deliveries.append(entry.delivery) }
        }
        self = OutgoingWindow()
        return deliveries
    }

    // MARK: the journal

    /// Deliveries whose messages are held for it, in their order.
    var onTheirWay: [Delivery] {
        (-stragglers.count..<entries.count).filter { self[$0].state.isOnItsWay }.map { self[$0].delivery }
    }

    /// Appends how many stand in front of the ring, and then for each that is not done: its identifier, its state,
    /// and the sequence number of its delivery.
    func append(to bytes: inout [UInt8]) {
        bytes.append(varint: stragglers.count)
        bytes.append(bigEndian: firstID)
        let open = (-stragglers.count..<entries.count).filter { self[$0].state != .done }
        bytes.append(varint: open.count)
        for position in open {
            bytes.append(bigEndian: id(at: position))
            bytes.append(self[position].state == .released ? 1 : 0)
            bytes.append(varint: self[position].delivery.sequence)
        }
    }

    /// A window as the journal had it: what was on its way is to be sent again.
    init(restoring entries: [(id: UInt16, entry: Entry)], stragglers count: Int, firstID: UInt16) {
        self.firstID = firstID == 0 ? 1 : firstID
        for (id, entry) in entries.prefix(count) { stragglers.append(Straggler(id: id, entry: entry)) }
        for (id, entry) in entries.dropFirst(count) where id != 0 {
            let distance = Int(id) - Int(self.firstID)
            let position = distance < 0 ? distance + 65_535 : distance
            guard position >= self.entries.count, position < Self.longestSpan else { continue }
            while self.entries.count < position { self.entries.append(Entry(delivery: .nothing, state: .done)) }
            self.entries.append(entry)
        }
        for position in -stragglers.count..<self.entries.count where self[position].state != .done {
            unacknowledged += 1
            if self[position].state == .unsent { unsent += 1 }
        }
    }

    private mutating func finish(_ position: Int) -> Acknowledged {
        let delivery = self[position].delivery
        unacknowledged -= 1
        guard position >= 0 else {
            stragglers.remove(at: position + stragglers.count)
            return .finished(delivery)
        }
        self[position].state = .done
        popDone()
        return .finished(delivery)
    }

    private mutating func popDone() {
        while let first = entries.first, first.state == .done {
            _ = entries.popFirst()
            firstID = firstID == .max ? 1 : firstID + 1
        }
    }

    private subscript(position: Int) -> Entry {
        get { position < 0 ? stragglers[position + stragglers.count].entry : entries[position] }
        set {
            if position < 0 {
                stragglers[position + stragglers.count].entry = newValue
            } else {
                entries[position] = newValue
            }
        }
    }

    /// Identifiers go from 1 to 65,535 and around, never 0.
    private func id(at position: Int) -> UInt16 {
        guard position >= 0 else { return stragglers[position + stragglers.count].id }
        return UInt16(truncatingIfNeeded: (Int(firstID) - 1 + position) % 65_535 + 1)
    }

    private func position(of id: UInt16) -> Int? {
        guard id != 0 else { return nil }
        if !stragglers.isEmpty, let late = straggler(id) { return late }
        let distance = Int(id) - Int(firstID)
        let position = distance < 0 ? distance + 65_535 : distance
        return position < entries.count ? position : nil
    }

    private func straggler(_ id: UInt16) -> Int? {
        stragglers.firstIndex { $0.id == id }.map { $0 - stragglers.count }
    }
}

/// Who sees to it that what is sent to a session is not lost with the process.
enum Keeping: UInt8 {
    /// Nobody: the session ends with its connection, or there is no journal.
    case nothing
    case journal
    /// A client inside the gateway, which acknowledges what it has kept.
    case inside
}

/// One message on its way to one session.
struct Delivery: Equatable {
    var message: MessageIndex
    var qos: QoS
    var retain: Bool
    /// 0 when the subscription has none.
    var subscriptionIdentifier: UInt32
    /// The shared subscription that it came through; 0 for none.
    var share: ShareKey = 0
    /// Who keeps it until it is over.
    var keeping = Keeping.nothing
    /// Its place among all of the session's, where the journal keeps it.
    var sequence: UInt64 = 0

    /// Stands where no message is held any more.
    static let nothing = Delivery(message: -1, qos: .atMostOnce, retain: false, subscriptionIdentifier: 0)
}
