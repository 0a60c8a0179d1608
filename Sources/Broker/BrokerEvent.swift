package import MQTTCodec

/// Something a person may want to read in the log; rare compared with messages.
package enum BrokerEvent: Equatable, Sendable {
    case connected(client: String, peer: String, version: ProtocolVersion, sessionPresent: Bool)
    case disconnected(client: String, peer: String, why: String)
    /// A connection that was turned away before it became a client.
    case refused(peer: String, why: String)
    /// The same client id connected again; usually two devices share it.
    case takenOver(client: String, by: String, from: String)
    /// A client did not get a message; `total` counts what its session has missed for whatever reason.
    case dropped(client: String, DropReason, total: Int)
    /// The broker comes near its memory limit, or is away from it again.
    case memory(MemoryPressure, inUse: Int, limit: Int)
}
