import LinuxIO
import Readings

/// The last time of day that was known, over restarts: the time of a file in the state directory.
///
/// A clock that begins earlier than that is not set. Marking the file costs the disk a few bytes an hour.
struct KeptTime {
    private static let interval: Duration = .seconds(3_600)

    private let path: String
    private var dueAt: ContinuousClock.Instant?

    init(in folder: String) {
        path = "\(folder)/clock"
    }

    /// Nil where none was kept.
    var last: Timestamp? { File.modifiedAt(path) }

    /// Keeps a time of day that is believed, now and then.
    ///
    /// Without a folder it is not kept; what needs the folder more says so.
    mutating func keep(_ clock: ClockReading) {
        if let dueAt, clock.instant < dueAt { return }
        dueAt = clock.instant + Self.interval
        File.mark(path, modifiedAt: clock.time)
    }

    /// Keeps it when the gateway ends, however late it was kept before.
    func keepLast(_ clock: ClockReading) {
        File.mark(path, modifiedAt: clock.time)
    }
}
