import Synchronization

/// Values from other threads for one loop: a locked array that the loop empties at once.
final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])

    /// Returns whether the mailbox was empty, so that the loop must be woken.
    func post(_ message: Message) -> Bool {
        messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
    }

    func takeAll() -> [Message] {
        messages.withLock { messages in
            guard !messages.isEmpty else { return [] }
            let all = messages
            messages = []
            return all
        }
    }
}
