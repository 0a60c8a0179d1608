/// One upstream server: what goes there, what comes from there, and what is kept while it is away.
package struct BridgeSettings: Equatable, Sendable {
    package typealias Line = BridgeLine

    /// Unique at the upstream server.
    package var clientID: [UInt8]
    /// From the local broker to the upstream; the first line that matches decides.
    package var out: [Line]
    /// From the upstream to the local broker; the first line that matches decides.
    package var `in`: [Line]
    package var queue = QueueLimits()
    /// The folder that the queue is kept in; nil for the usual place.
    package var bufferPath: String?
    /// The gateway's name in the list of those that a message came through.
    package var gateway: [UInt8]
    /// How many messages are on their way to the upstream at once.
    package var maximumInFlight = 100

    package init(clientID: [UInt8], out: [Line] = [], in incoming: [Line] = []) {
        self.clientID = clientID
        gateway = clientID
        self.out = out
        self.in = incoming
    }
}
