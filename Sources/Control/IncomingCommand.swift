/// A message on a command topic, as it arrived.
package struct IncomingCommand: Equatable, Sendable {
    package var payload: [UInt8]
    /// Whether the broker kept it: it may be from last week, and would come again at every reconnect.
    package var isRetained: Bool
    package var replyTo: ReplyAddress?

    package init(payload: [UInt8], isRetained: Bool, replyTo: ReplyAddress? = nil) {
        self.payload = payload
        self.isRetained = isRetained
        self.replyTo = replyTo
    }

    /// The command, unless it can't be understood or must not be.
    func command() throws(Refusal) -> Command {
        guard !isRetained else {
            throw Refusal(
                .rejectedRetained, "a retained command would fire again at every reconnect; send it without retain")
        }
        return try Command(payload: payload)
    }

    /// The id for the answer to a command that is refused unread.
    var id: String? { (try? Command(payload: payload))?.id }

    /// The answer to a command for a point that takes none.
    package func answerNotWritable(point: String) -> CommandAnswer {
        CommandAnswer(refusing: Refusal(.notWritable, "\(point) takes no commands"), id: id, replyTo: replyTo)
    }
}
