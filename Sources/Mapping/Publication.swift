package import MQTTCodec

/// A message that the gateway publishes about its devices.
package struct Publication: Equatable, Sendable {
    package var topic: [UInt8]
    package var payload: [UInt8]
    package var qos: QoS
    package var retain: Bool
    /// MQTT 5 message expiry interval; nil for never.
    package var expirySeconds: UInt32?

    package init(topic: [UInt8], payload: [UInt8], qos: QoS, retain: Bool, expirySeconds: UInt32? = nil) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.expirySeconds = expirySeconds
    }
}
