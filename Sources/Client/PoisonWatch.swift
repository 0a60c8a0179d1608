import MQTTCodec

/// Finds a message that the server answers by ending the connection: sent again for ever, it would hold up all others.
///
/// When the connection ends twice without any answer, messages are sent one at a time. One that was alone on its way at
/// three ends is set aside, but only if the server has taken another one meanwhile: a server that is ill kills every
/// message, and then nothing is given up. Where there is no other to try, it rests instead, so that the connection
/// stands: it is tried again after a minute, then after twice as long each time, and as soon as another was taken.
struct PoisonWatch: Equatable, Sendable {
    private static let mostEnds = 3
    /// A server that ends the connection at more messages than these is ill, and they are all tried as before.
    private static let mostResting = 3
    private static let shortestRest: Duration = .seconds(60)
    private static let longestRest: Duration = .seconds(3_600)

    /// Whether only one message may be on its way.
    private(set) var isCareful = false
    /// Those that rest.
    private(set) var resting: Set<RequestHandle> = []
    /// When the next of them is to be tried.
    private(set) var restsUntil: ContinuousClock.Instant?
    /// Unanswered at the last end without an answer.
    private var suspects: Set<RequestHandle> = []
    /// How often each was alone on its way at an end.
    private var ends: [RequestHandle: Int] = [:]
    private var hasTakenOthers = false
    private var answers = 0
    /// When one was last tried although another should have been taken first.
    private var lastTry: ContinuousClock.Instant?

    /// Whether a message waits until the server has taken another one; if there is one.
    func holds(_ handle: RequestHandle) -> Bool { isCareful && !hasTakenOthers && ends[handle] != nil }

    mutating func connected() { answers = 0 }

    mutating func answered(_ handle: RequestHandle) {
        answers += 1
        suspects.remove(handle)
        resting.remove(handle)
        if ends[handle] == nil {
            if !ends.isEmpty { hasTakenOthers = true }
        } else {
            // It was the server, and not this message; so it may have been with the others.
            ends = [:]
            resting = []
            hasTakenOthers = false
        }
        relaxIfClear()
    }

    /// It is over, whether the server answered or not.
    mutating func forget(_ handle: RequestHandle) {
        suspects.remove(handle)
        resting.remove(handle)
        ends[handle] = nil
        relaxIfClear()
    }

    private mutating func relaxIfClear() {
        guard isCareful, suspects.isEmpty, ends.isEmpty else { return }
        let answers = answers
        self = PoisonWatch()
        self.answers = answers
    }

    /// The connection ended with these on their way; returns the one to set aside.
    mutating func ended(_ unanswered: [RequestHandle]) -> RequestHandle? {
        guard isCareful else {
            if answers == 0, unanswered.contains(where: suspects.contains) { isCareful = true }
            suspects = Set(unanswered)
            return nil
        }
        guard unanswered.count == 1, let handle = unanswered.first else { return nil }
        if ends[handle] == nil { hasTakenOthers = false }
        ends[handle, default: 0] += 1
        guard hasTakenOthers, ends[handle, default: 0] >= Self.mostEnds else { return nil }
        return handle
    }

    /// Nothing but these is there to try, and all of them are held: which one is tried all the same; nil while they
    /// rest.
    mutating func next(of held: [RequestHandle], now: ContinuousClock.Instant) -> RequestHandle? {
        restsUntil = nil
        guard let handle = held.min(by: { ends[$0, default: 0] < ends[$1, default: 0] }) else { return nil }
        if let due = rest(of: handle, among: held.count), due > now {
            resting = Set(held)
            restsUntil = due
            return nil
        }
        lastTry = now
        return handle
    }

    /// The time has come, or something else is on its way.
    mutating func wake() { restsUntil = nil }

    /// Until when the one that was tried least, and so all, are left alone.
    private mutating func rest(of handle: RequestHandle, among count: Int) -> ContinuousClock.Instant? {
        let times = ends[handle, default: 0] - Self.mostEnds
        guard times >= 0, count <= Self.mostResting, let lastTry else {
            resting = []
            return nil
        }
        return lastTry + min(Self.longestRest, Self.shortestRest * (1 << min(times, 6)))
    }
}
