import Bytes

/// What the broker remembers for `$SYS` between two times that it brings it up to date.
struct SystemState {
    /// A message that waits until the event it tells about is handled to its end.
    struct Message {
        var topic: [UInt8]
        var payload: [UInt8]
    }

    /// What one session has waiting, as it was told last.
    struct Depth: Equatable {
        var queued = 0
        var queuedBytes = 0
        var inFlight = 0
        var dropped = 0
    }

    var loads = LoadAverages()
    var updatedAt: MonotonicTime
    var maximumHeap = 0
    /// Highest values so far, by the name of the EMQX topic.
    var maxima: [String: Int] = [:]
    var messages: [Message] = []
    var takeOvers = TakeOverWatch()
    /// How many sessions have `isReported` set.
    var reportedClients = 0
    /// Client ids of reported sessions that ended; their topics go with the next update.
    var goneClients: [[UInt8]] = []

    init(now: MonotonicTime) {
        updatedAt = now
    }
}
