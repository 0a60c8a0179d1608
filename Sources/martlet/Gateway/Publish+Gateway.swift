import Control
import MQTTCodec
import Mapping

extension Publish {
    /// The packet for a message about a device.
    init(_ publication: Publication) {
        self.init(
            topic: publication.topic, payload: publication.payload, qos: publication.qos, retain: publication.retain)
        if let seconds = publication.expirySeconds { properties[number: .messageExpiryInterval] = seconds }
    }

    /// The packet for an answer: where the command asked for it, else on the result topic. [MQTT 5, section 4.10]
    init(_ answer: CommandAnswer, to resultTopic: [UInt8]) {
        self.init(
            topic: answer.replyTo?.topic ?? resultTopic, payload: answer.payload, qos: .atLeastOnce, retain: false)
        properties[bytes: .correlationData] = answer.replyTo?.correlationData
    }
}

extension Publish {
    /// What an output did without a command, on its result topic.
    init(_ move: OwnMove, to resultTopic: [UInt8]) {
        self.init(topic: resultTopic, payload: move.payload, qos: .atLeastOnce, retain: false)
    }
}

extension ReplyAddress {
    /// Nil where the command names no response topic.
    init?(_ properties: Properties) {
        guard let topic = properties[bytes: .responseTopic] else { return nil }
        self.init(topic: topic, correlationData: properties[bytes: .correlationData])
    }
}
