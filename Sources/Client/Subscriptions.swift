import MQTTCodec

/// The filters that a client wants, and the requests that the server has not answered.
struct Subscriptions: Sendable {
    /// One call of `subscribe`.
    struct Wish: Sendable {
        let handle: RequestHandle
        var requests: [Subscribe.Request]
        var isGranted = false
    }

    /// One SUBSCRIBE or UNSUBSCRIBE that is under way.
    struct Open: Sendable {
        let handle: RequestHandle
        /// Per filter: a code that this side gave itself, or nil where the server's counts.
        let ownCodes: [ReasonCode?]

        /// The codes of all filters, with the server's filled in.
        func codes(_ fromServer: [ReasonCode]) -> [ReasonCode] {
            var rest = fromServer.makeIterator()
            return ownCodes.map { $0 ?? rest.next() ?? .success }
        }
    }

    struct Removal: Sendable {
        let handle: RequestHandle
        let filters: [[UInt8]]
    }

    private(set) var wishes: [Wish] = []
    /// Not answered yet.
    private(set) var removals: [Removal] = []
    /// By packet identifier; ends with the connection.
    private var open: [UInt16: Open] = [:]

    var isSettled: Bool { open.isEmpty && removals.isEmpty && wishes.allSatisfy(\.isGranted) }

    func contains(_ packetID: UInt16) -> Bool { open[packetID] != nil }

    mutating func add(_ requests: [Subscribe.Request], _ handle: RequestHandle) {
        forget(requests.map(\.filter))
        wishes.append(Wish(handle: handle, requests: requests))
    }

    mutating func remove(_ filters: [[UInt8]], _ handle: RequestHandle) {
        forget(filters)
        removals.append(Removal(handle: handle, filters: filters))
    }

    /// A filter that is asked for again replaces the first. [MQTT-3.8.4-3]
    private mutating func forget(_ filters: [[UInt8]]) {
        for index in wishes.indices {
            wishes[index].requests.removeAll { filters.contains($0.filter) }
        }
        wishes.removeAll { $0.requests.isEmpty && $0.isGranted }
    }

    mutating func sent(_ packetID: UInt16, _ request: Open) {
        open[packetID] = request
    }

    /// The server answered; nil if nothing was asked.
    mutating func answered(_ packetID: UInt16) -> Open? {
        guard let request = open.removeValue(forKey: packetID) else { return nil }
        settle(request.handle)
        return request
    }

    mutating func settle(_ handle: RequestHandle) {
        removals.removeAll { $0.handle == handle }
        for index in wishes.indices where wishes[index].handle == handle { wishes[index].isGranted = true }
        wishes.removeAll { $0.requests.isEmpty && $0.isGranted }
    }

    /// The server knows nothing of earlier requests.
    mutating func sessionLost() {
        for index in wishes.indices { wishes[index].isGranted = false }
    }

    mutating func connectionLost() {
        open = [:]
    }
}
