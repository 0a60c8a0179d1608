/// Something that is sent to a device so that it answers.
package struct StreamRequest: Equatable, Sendable {
    package var name: String
    package var bytes: [UInt8]
    /// How often it is sent; nil for once, when the port was opened.
    package var every: Duration?
    /// How long an answer may take.
    package var wait: Duration

    package init(name: String, bytes: [UInt8], every: Duration?, wait: Duration) {
        self.name = name
        self.bytes = bytes
        self.every = every
        self.wait = wait
    }
}

/// Whose turn it is: one request at a time, each at its own pace, without drift and without catching up.
package struct RequestTurns: Sendable {
    package enum Action: Equatable, Sendable {
        /// The request with this number; then ask again.
        case send(Int)
        /// Nothing to do before then, unless an answer comes.
        case wait(until: ContinuousClock.Instant)
        case nothing
    }

    package let requests: [StreamRequest]
    private var dueAt: [ContinuousClock.Instant?]
    /// The request that waits for its answer, and until when.
    private var open: (number: Int, until: ContinuousClock.Instant)?
    /// How many requests in a row had no answer.
    package private(set) var missed = 0

    package init(_ requests: [StreamRequest], from start: ContinuousClock.Instant) {
        self.requests = requests
        dueAt = requests.map { _ in start }
    }

    package mutating func next(at now: ContinuousClock.Instant) -> Action {
        if let open {
            guard now >= open.until else { return .wait(until: open.until) }
            self.open = nil
            // What is sent once sets something; many devices say nothing to that.
            if requests[open.number].every != nil { missed += 1 }
        }
        let waiting = dueAt.indices.compactMap { number in dueAt[number].map { (number: number, at: $0) } }
        guard let (number, due) = waiting.min(by: { $0.at < $1.at }) else { return .nothing }
        guard due <= now else { return .wait(until: due) }
        dueAt[number] = requests[number].every.map { every in due + every > now ? due + every : now + every }
        open = (number, now + requests[number].wait)
        return .send(number)
    }

    /// A whole message came.
    package mutating func answered() {
        open = nil
        missed = 0
    }
}
