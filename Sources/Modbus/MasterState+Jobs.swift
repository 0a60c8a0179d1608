/// What goes into the state of a bus, and what comes out.
extension MasterState {
    package struct Job: Equatable, Sendable {
        /// The caller's name for it.
        package var id: Int
        package var unit: UInt8
        package var request: Request
        /// It is not sent later than this: nobody expects an actuator to move long after the command.
        package var notAfter: Instant?

        package init(id: Int, unit: UInt8, request: Request, notAfter: Instant? = nil) {
            self.id = id
            self.unit = unit
            self.request = request
            self.notAfter = notAfter
        }
    }

    package enum Failure: Equatable, Sendable {
        /// Nothing came in time.
        case noAnswer
        /// Something came, but no frame that could be believed.
        case garbled
        /// The unit was silent a moment ago (an earlier job of the same cycle) or has been set aside.
        case setAside
        /// The port is gone; nothing was sent.
        case portLost
        /// The port went away between the request and its answer.
        case portLostMeanwhile
        /// Its time was over before its turn; nothing was sent.
        case expired
    }

    package enum Outcome: Equatable, Sendable {
        /// `firstByteAt` is when the answer began to arrive: the time of measurement.
        case answered(Response, firstByteAt: Instant)
        /// It was said to all units; nobody answers to that.
        case toldAll
        case failed(Failure)
    }

    package struct Finished: Equatable, Sendable {
        package var job: Job
        package var outcome: Outcome
        /// When its last request went out; nil if none did.
        package var sentAt: Instant?
        /// How long the bus was its own; zero if it never was.
        package var busy = Duration.zero
    }

    package enum Action: Equatable, Sendable {
        /// Write these bytes, then tell `sent`.
        case send([UInt8])
        /// Wait for bytes until then, for ever if nil; then ask again.
        case wait(until: Instant?)
    }

    package struct Counters: Equatable, Sendable {
        package var requests = 0
        package var timeouts = 0
        /// Whole frames that nobody waited for: late answers, echoes.
        package var strangers = 0
        package var garbageBytes = 0
    }
}
