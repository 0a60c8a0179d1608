/// How a bus is run; section `modbus` of a port.
package struct MasterSettings: Equatable, Sendable {
    package enum Mode: String, CaseIterable, Sendable {
        case rtu
        case ascii
        case tcp

        /// How many bytes a frame has whose function and data have so many.
        func length(ofPDU count: Int) -> Int {
            switch self {
            case .rtu: count + 3
            case .ascii: 2 * (count + 2) + 3
            case .tcp: count + 7
            }
        }
    }

    package var mode = Mode.rtu
    /// From the end of the request to the first byte of the answer.
    package var timeout: Duration = .milliseconds(300)
    /// Silence before another unit is addressed.
    package var pause: Duration = .milliseconds(20)
    /// Further attempts of a read that was not answered.
    package var retries = 2
    /// Failed cycles before a unit is set aside.
    package var offlineAfter = 3
    /// How often a unit that was set aside is tried, with one request.
    package var probeEvery: Duration = .seconds(30)
    /// The time that one byte takes on the line; zero for TCP.
    package var byteTime: Duration = .zero

    /// How long units have for what was said to all of them: nobody tells when it is done.
    /// [Modbus over serial line V1.02, section 2.4.1: 100 to 200 ms]
    static let broadcastPause: Duration = .milliseconds(100)

    package init() {}

    /// How long an answer may be late before nobody reckons with it any more.
    var longestLateness: Duration { max(timeout * 3, .milliseconds(500)) }

    /// The time that the rest of an answer needs once it has begun; USB adapters hold bytes back for 16 ms and more.
    func time(forAnswerTo request: Request) -> Duration {
        byteTime * (mode.length(ofPDU: request.responseLength) + 8) + .milliseconds(50)
    }
}
