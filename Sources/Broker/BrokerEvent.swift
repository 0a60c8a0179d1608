package import MQTTCodec

/// Something a person may want to read in the log; rare compared with messages.
package enum BrokerEvent: Equatable, Sendable {
    case connected(client: String, peer: String, version: ProtocolVersion, sessionPresent: Bool)
    case disconnected(client: String, peer: String, why: String)
    /// A connection that was turned away before it became a client.
    case refused(peer: String, why: String)
    /// The same client id connected again.
    case takenOver(client: String, by: String, from: String)
    /// The same client id connects again and again, which ends its other connection each time.
    case sharedClientID(client: String, peer: String, otherPeer: String, takeOvers: Int, isOneAddress: Bool)
    /// A client did not get a message; `total` counts what its session has missed for whatever reason.
    case dropped(client: String, DropReason, total: Int)
    /// The broker comes near its memory limit, or is away from it again.
    case memory(MemoryPressure, inUse: Int, limit: Int)
    /// The disk takes nothing, for the reason given; or it does again.
    case journalFailing(String)
    case journalRecovered
    /// Batches on the disk that make no sense; the others were used.
    case journalDamaged(batches: Int, String)
    /// What the journal had at the start.
    case journalLoaded(sessions: Int, messages: Int, retained: Int)
}
