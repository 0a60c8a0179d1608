/// Why a message did not reach the upstream.
package enum DropReason: Int, CaseIterable, Hashable, Sendable {
    /// The queue was full and this was the oldest.
    case queueFull
    /// The queue was full, and the newest gives way.
    case noRoom
    /// The queue was full, and there is a newer one of its topic.
    case superseded
    /// The queue was full, and this was not one in so many.
    case thinned
    /// Alone larger than the queue.
    case tooLarge
    /// Its message expiry passed.
    case expired
    /// Older than the queue keeps messages.
    case tooOld
    /// The upstream answered with an error; it would do so again.
    case refused
    /// Its rewritten topic can't be published to.
    case topicInvalid
    /// The disk takes nothing, and the memory for what waits for it is used up.
    case diskFailing
    /// It was on the disk and can't be read any more.
    case damaged
    /// Somebody gave the order.
    case ordered

    /// A level of the topics on `$SYS`.
    package var word: String {
        switch self {
        case .queueFull: "full"
        case .noRoom: "no_room"
        case .superseded: "superseded"
        case .thinned: "thinned"
        case .tooLarge: "too_large"
        case .expired: "expired"
        case .tooOld: "too_old"
        case .refused: "refused"
        case .topicInvalid: "topic_invalid"
        case .diskFailing: "disk_failing"
        case .damaged: "damaged"
        case .ordered: "ordered"
        }
    }
}

extension DropReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .queueFull: "the queue was full"
        case .noRoom: "the queue was full, and keeps what it has"
        case .superseded: "the queue was full, and has newer ones of their topics"
        case .thinned: "the queue was full, and was thinned"
        case .tooLarge: "larger than the queue"
        case .expired: "the message expired"
        case .tooOld: "older than the queue keeps messages"
        case .refused: "the server refused it"
        case .topicInvalid: "its new topic is not valid"
        case .diskFailing: "the disk does not take them, and too many wait for it"
        case .damaged: "they can't be read from the disk any more"
        case .ordered: "somebody ordered it"
        }
    }
}
