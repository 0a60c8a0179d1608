/// What polls take of a serial line, computed before any is sent. [Modbus over serial line V1.02, section 2.5.1]
package enum BusLoad {
    /// How long a unit is taken to think before it answers; most take 5 to 50 ms.
    package static let turnaround: Duration = .milliseconds(20)

    /// How long a request has the line for itself: the silence before it, itself, the unit's time and its answer.
    package static func time(for request: Request, _ settings: MasterSettings) -> Duration {
        let mode = settings.mode
        let characters = mode.length(ofPDU: request.pdu.count) + mode.length(ofPDU: request.responseLength)
        return settings.byteTime * characters + silence(settings.byteTime) + turnaround
    }

    /// What must pass between two frames: 3.5 characters, 1.75 ms above 19200 baud.
    package static func silence(_ byteTime: Duration) -> Duration { max(byteTime * 7 / 2, .microseconds(1_750)) }
}
