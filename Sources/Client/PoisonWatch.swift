import MQTTCodec

/// Finds a message that the server answers by ending the connection: sent again for ever, it would hold up all others.
///
/// When the connection ends twice without any answer, messages are sent one at a time. One that was alone on its way at
/// three ends is set aside, but only if the server has taken another one meanwhile: a server that is ill kills every
/// message, and then nothing is given up.
struct PoisonWatch: Equatable, Sendable {
    private static let mostEnds = 3

    /// Whether only one message may be on its way.
    private(set) var isCareful = false
    /// Unanswered at the last end without an answer.
    private var suspects: Set<RequestHandle> = []
    /// How often each was alone on its way at an end.
    private var ends: [RequestHandle: Int] = [:]
    private var hasTakenOthers = false
    private var answers = 0

    /// Whether a message waits until the server has taken another one; if there is one.
    func holds(_ handle: RequestHandle) -> Bool { isCareful && !hasTakenOthers && ends[handle] != nil }

    mutating func connected() { answers = 0 }

    mutating func answered(_ handle: RequestHandle) {
        answers += 1
        suspects.remove(handle)
        if ends.removeValue(forKey: handle) == nil, !ends.isEmpty { hasTakenOthers = true }
        relaxIfClear()
    }

    /// It is over, whether the server answered or not.
    mutating func forget(_ handle: RequestHandle) {
        suspects.remove(handle)
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
}
