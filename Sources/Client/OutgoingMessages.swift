import Bytes
import MQTTCodec

/// Messages on their way to the server, in the order they were published in.
struct OutgoingMessages: Sendable {
    enum Stage: Equatable, Sendable {
        /// PUBLISH is owed or unanswered.
        case published
        /// PUBREC came; PUBREL is owed or unanswered, and the PUBLISH must not be sent again. [MQTT-4.3.3-6]
        case released
    }

    struct Entry: Sendable {
        let handle: RequestHandle
        var message: Publish
        var stage = Stage.published
        /// Whether what the stage owes was sent on this connection.
        var isSent = false
        /// Whether the PUBLISH was sent on any connection: then it is a duplicate the next time.
        var wasSent = false
        /// Whether it takes one of the places of the server's Receive Maximum.
        var takesPlace = false
        /// Whether it is among the `Downgrades` already.
        var isCounted = false
    }

    /// With packet identifiers; small, and acknowledged mostly from the front.
    private(set) var window: [Entry] = []
    private(set) var waiting = Ring<Entry>()

    /// How many places of the Receive Maximum are taken.
    private(set) var placesTaken = 0

    var isEmpty: Bool { window.isEmpty && waiting.isEmpty }

    mutating func append(_ message: Publish, _ handle: RequestHandle) {
        waiting.append(Entry(handle: handle, message: message))
    }

    func index(of packetID: UInt16) -> Int? {
        window.firstIndex { $0.message.packetID == packetID }
    }

    func index(of handle: RequestHandle) -> Int? {
        window.firstIndex { $0.handle == handle }
    }

    /// Sent on this connection, and not answered.
    var unanswered: [RequestHandle] {
        window.filter { $0.isSent && $0.stage == .published }.map(\.handle)
    }

    /// To be sent on this connection.
    var owed: [RequestHandle] {
        window.filter { !$0.isSent && $0.stage == .published }.map(\.handle)
    }

    /// Whether the server owes an answer.
    var isAnswerOwed: Bool { window.contains(where: \.isSent) }

    func contains(_ packetID: UInt16) -> Bool { index(of: packetID) != nil }

    /// The first message of the queue moves into the window.
    mutating func startNext(packetID: UInt16) {
        guard var entry = waiting.popFirst() else { return }
        entry.message.packetID = packetID
        window.append(entry)
    }

    /// The first message of the queue is not sent at all, or needs no acknowledgement.
    mutating func removeNext() -> Entry? { waiting.popFirst() }

    /// Its PUBLISH went out, at a QoS that the server allows.
    mutating func publishSent(at index: Int, qos: QoS) {
        window[index].message.qos = qos
        window[index].isSent = true
        window[index].wasSent = true
        window[index].takesPlace = true
        placesTaken += 1
    }

    mutating func counted(at index: Int) {
        window[index].isCounted = true
    }

    mutating func releaseSent(at index: Int) {
        window[index].isSent = true
    }

    /// PUBREC came: the content is the server's now.
    mutating func received(at index: Int) {
        window[index].stage = .released
        window[index].isSent = false
        window[index].message.payload = []
    }

    mutating func remove(at index: Int) -> Entry {
        let entry = window.remove(at: index)
        if entry.takesPlace { placesTaken -= 1 }
        return entry
    }

    /// The connection is gone: everything in the window is owed again. [MQTT-4.4.0-1]
    mutating func connectionLost() {
        placesTaken = 0
        for index in window.indices {
            window[index].isSent = false
            window[index].takesPlace = false
        }
    }

    /// The server has no session: what it did not answer is new to it.
    ///
    /// What it answered with PUBREC was its own already; returns those.
    mutating func sessionLost() -> [Entry] {
        let taken = window.filter { $0.stage == .released }
        window.removeAll { $0.stage == .released }
        for index in window.indices { window[index].wasSent = false }
        return taken
    }
}
