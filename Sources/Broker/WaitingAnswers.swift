import Bytes
import MQTTCodec

/// An answer to a publisher that waits until the message is safe, or behind one that does.
struct WaitingAnswer {
    var packetID: UInt16
    var type: UInt8
    var code: UInt8
    /// What it waits for; -1 for nothing.
    var ticket: Int32
}

/// The answers that wait, in the order of their messages for each connection. [MQTT-4.6.0-2] [MQTT-4.6.0-3]
struct WaitingAnswers {
    /// An answer that its publisher did not live to see, and may ask for again.
    struct Name: Hashable {
        var session: SessionIndex
        var generation: UInt32
        var packetID: UInt16

        init(_ session: SessionIndex, _ generation: UInt32, _ packetID: UInt16) {
            self.session = session
            self.generation = generation
            self.packetID = packetID
        }
    }

    private struct Ticket {
        /// -1 when the publisher is gone.
        var connection: Int32
        var isReady = false
        /// What it may ask for when it is back.
        var name: Name?
    }

    private var orphans: [Name: Int32] = [:]

    private var tickets: [Ticket] = []
    private var freeTickets: [Int32] = []
    private var rings: [Ring<WaitingAnswer>] = []
    private var freeRings: [Int32] = []
    private(set) var count = 0

    /// A new ticket for an answer to a connection.
    mutating func addTicket(_ connection: Int) -> Int32 {
        let ticket = Ticket(connection: Int32(clamping: connection))
        guard let index = freeTickets.popLast() else {
            tickets.append(ticket)
            return Int32(clamping: tickets.count - 1)
        }
        tickets[Int(index)] = ticket
        return index
    }

    /// A place for a connection's answers.
    mutating func addRing() -> Int32 {
        if let index = freeRings.popLast() { return index }
        rings.append(Ring())
        return Int32(clamping: rings.count - 1)
    }

    /// Returns how many wait on the same connection.
    mutating func append(_ answer: WaitingAnswer, to ring: Int32) -> Int {
        rings[Int(ring)].append(answer)
        count += 1
        return rings[Int(ring)].count
    }

    /// What the ticket stands for is safe; returns the connection whose turn it may be.
    mutating func resolve(_ ticket: Int32) -> Int? {
        let connection = tickets[Int(ticket)].connection
        guard connection >= 0 else {
            if let name = tickets[Int(ticket)].name { orphans[name] = nil }
            freeTickets.append(ticket)
            return nil
        }
        tickets[Int(ticket)].isReady = true
        return Int(connection)
    }

    /// The next answer of a connection that waits for nothing any more.
    mutating func popReady(_ ring: Int32) -> WaitingAnswer? {
        guard let first = rings[Int(ring)].first else { return nil }
        if first.ticket >= 0 {
            guard tickets[Int(first.ticket)].isReady else { return nil }
            freeTickets.append(first.ticket)
        }
        count -= 1
        return rings[Int(ring)].popFirst()
    }

    func contains(_ id: UInt16, _ type: PacketType, in ring: Int32) -> Bool {
        (0..<rings[Int(ring)].count).contains {
            rings[Int(ring)][$0].packetID == id && rings[Int(ring)][$0].type == type.rawValue
        }
    }

    /// The identifiers of answers of a type that are not given yet.
    func waiting(_ type: PacketType, in ring: Int32) -> [UInt16] {
        (0..<rings[Int(ring)].count).compactMap {
            let answer = rings[Int(ring)][$0]
            return answer.type == type.rawValue ? answer.packetID : nil
        }
    }

    /// The identifiers whose answers a session did not live to see.
    func orphans(of session: SessionIndex, _ generation: UInt32) -> [UInt16] {
        orphans.isEmpty
            ? [] : orphans.keys.filter { $0.session == session && $0.generation == generation }.map(\.packetID)
    }

    func isEmpty(_ ring: Int32) -> Bool { rings[Int(ring)].isEmpty }

    /// A connection of a session has ended: its answers wait for nobody, but may be asked for again.
    mutating func free(_ ring: Int32, of session: SessionIndex, _ generation: UInt32) {
        while let answer = rings[Int(ring)].popFirst() {
            count -= 1
            guard answer.ticket >= 0 else { continue }
            let place = Int(answer.ticket)
            guard !tickets[place].isReady else {
                freeTickets.append(answer.ticket)
                continue
            }
            tickets[place].connection = -1
            guard session >= 0, answer.type == PacketType.pubrec.rawValue else { continue }
            let name = Name(session, generation, answer.packetID)
            tickets[place].name = name
            orphans[name] = answer.ticket
        }
        freeRings.append(ring)
    }

    /// The ticket of an answer that was not given on an earlier connection, now for this one; -1 if it need not wait.
    mutating func adopt(_ name: Name, _ connection: Int) -> Int32 {
        guard let ticket = orphans.removeValue(forKey: name) else { return -1 }
        tickets[Int(ticket)].connection = Int32(clamping: connection)
        tickets[Int(ticket)].name = nil
        return ticket
    }
}
