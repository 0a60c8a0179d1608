/// Why a command ends with a status other than 0: a sentence for the person who ran it.
struct CommandFailure: Error {
    enum Status: Int32 {
        /// Something failed while running.
        case failed = 1
        /// The command line or the configuration is wrong.
        case usage = 2
        /// `sub -W`: the time was over; the number is mosquitto_sub's.
        case timedOut = 27
    }

    var message: String
    var status: Status

    init(_ message: String, status: Status = .failed) {
        self.message = message
        self.status = status
    }

    /// All has been said already.
    static func silent(_ status: Status) -> CommandFailure {
        CommandFailure("", status: status)
    }
}
