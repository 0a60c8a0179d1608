/// What is known of how an output stands.
///
/// What is not known counts as on: only an output that was seen off, or written off with an answer, is off.
struct OutputState: Sendable {
    /// The value that it was last known to have; nil while that is not known.
    private(set) var value: String?
    /// Since when it may be on without a break; nil while it is off.
    private(set) var mayBeOnSince: ContinuousClock.Instant?
    /// Since when it has been off, at least.
    private(set) var offSince: ContinuousClock.Instant
    /// What is being written.
    private(set) var writing: String?
    /// Since when it may be on if the write that is under way is not carried out.
    private var mayBeOnWithoutWrite: ContinuousClock.Instant?
    /// What was read before this tells nothing of now.
    private var knownFrom: ContinuousClock.Instant

    /// Nothing is known yet.
    init(at now: ContinuousClock.Instant) {
        mayBeOnSince = now
        offSince = now
        knownFrom = now
    }

    /// A write begins: from now on it may have the new value.
    mutating func beginsWriting(_ word: String, isOff: Bool, at now: ContinuousClock.Instant) {
        writing = word
        mayBeOnWithoutWrite = mayBeOnSince
        if !isOff, mayBeOnSince == nil { mayBeOnSince = now }
    }

    /// The write is done, and it stands so now.
    mutating func wrote(_ word: String, isOff: Bool, at now: ContinuousClock.Instant) {
        writing = nil
        settle(word, isOff: isOff, at: now)
        knownFrom = now
    }

    /// The write was not carried out: all is as before.
    mutating func didNotWrite(at now: ContinuousClock.Instant) {
        writing = nil
        mayBeOnSince = mayBeOnWithoutWrite
        knownFrom = now
    }

    /// Nobody can tell what became of the write.
    mutating func lostWrite(at now: ContinuousClock.Instant) {
        writing = nil
        forget(at: now)
    }

    /// The device is gone, or nothing that was known of it holds any more.
    mutating func forget(at now: ContinuousClock.Instant) {
        value = nil
        if mayBeOnSince == nil { mayBeOnSince = now }
        if mayBeOnWithoutWrite == nil { mayBeOnWithoutWrite = mayBeOnSince }
        knownFrom = now
    }

    /// It was read; what is older than the last write, or comes in the middle of one, says nothing.
    mutating func observed(_ word: String, isOff: Bool, at time: ContinuousClock.Instant) {
        guard writing == nil, time >= knownFrom else { return }
        settle(word, isOff: isOff, at: time)
    }

    private mutating func settle(_ word: String, isOff: Bool, at now: ContinuousClock.Instant) {
        value = word
        if !isOff {
            if mayBeOnSince == nil { mayBeOnSince = now }
        } else if mayBeOnSince != nil {
            mayBeOnSince = nil
            offSince = now
        }
    }
}
