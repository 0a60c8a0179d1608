import Bytes
import Readings

/// The answer to a command, for its result topic or the response topic it named.
package struct CommandAnswer: Equatable, Sendable {
    package var payload: [UInt8]
    /// Where the sender wants it, if not on the result topic.
    package var replyTo: ReplyAddress?
    /// Nil where the command was carried out.
    package var refusal: Refusal?

    /// The answer to a command that was carried out: `{"ok":true,"value":"ON","id":"c1","took":12}`.
    ///
    /// `offAt` is when the output will be switched off again, where that is sure.
    init(done value: String, id: String?, took: Duration, offAt: Timestamp? = nil, replyTo: ReplyAddress?) {
        var object = JSONObject()
        object.add("ok", literal: "true")
        object.add("value", value)
        if let id { object.add("id", id) }
        object.add("took", took.wholeMilliseconds)
        if let offAt { object.add("off_at", offAt.milliseconds) }
        payload = object.bytes
        self.replyTo = replyTo
    }

    /// The answer to a command that was not carried out: `{"ok":false,"error":"too_old","detail":"…","id":"c1"}`.
    package init(refusing refusal: Refusal, id: String?, replyTo: ReplyAddress?) {
        var object = JSONObject()
        object.add("ok", literal: "false")
        object.add("error", refusal.word.rawValue)
        object.add("detail", refusal.detail)
        if let id { object.add("id", id) }
        payload = object.bytes
        self.replyTo = replyTo
        self.refusal = refusal
    }
}

/// The Response Topic and Correlation Data of an MQTT 5 command. [MQTT 5, section 4.10]
package struct ReplyAddress: Equatable, Sendable {
    package var topic: [UInt8]
    package var correlationData: [UInt8]?

    package init(topic: [UInt8], correlationData: [UInt8]?) {
        self.topic = topic
        self.correlationData = correlationData
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
