/// What the clients of a rig got from the broker.
struct Seen: Equatable {
    var connected = 0
    var subscribed = 0
    var messages = 0
    var payloadBytes = 0
    /// Messages that the broker took over, by PUBACK or PUBCOMP.
    var acknowledged = 0
    /// Connections that the broker wanted closed.
    var closed = 0
}
