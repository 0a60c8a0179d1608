import Bytes
import MQTTCodec
import Readings

/// The messages that say whether devices and the gateway are there: retained, without expiry, since silence must not
/// look like health.
struct Availability: Sendable {
    /// In the order of the configuration.
    let devices: [String]
    let topics: [String: [UInt8]]
    let gatewayTopic: [UInt8]

    /// `gatewayTopic` where it is not the plan's: that of a connection stays as long as it lasts, for its will does.
    init(_ plan: TopicPlan, gatewayTopic: [UInt8]? = nil) {
        devices = plan.devices.map(\.key)
        topics = Dictionary(
            plan.devices.map { ($0.key, $0.availability) }, uniquingKeysWith: { first, _ in first })
        self.gatewayTopic = gatewayTopic ?? plan.gateway
    }

    /// The message about a device, nil for one that the settings don't know.
    func device(_ key: String, _ status: DeviceStatus, since: Timestamp) -> Publication? {
        topics[key].map { Self.publication($0, Self.payload(status, since: since)) }
    }

    func gateway(_ status: DeviceStatus, since: Timestamp) -> Publication {
        Self.publication(gatewayTopic, Self.payload(status, since: since))
    }

    /// A will is written before it is needed, so it can't say since when.
    var will: Publication {
        var object = JSONObject()
        object.add("state", "offline")
        object.add("reason", "lost")
        object.add("detail", "the gateway's connection ended without goodbye")
        return Self.publication(gatewayTopic, object.bytes)
    }

    private static func payload(_ status: DeviceStatus, since: Timestamp) -> [UInt8] {
        var object = JSONObject()
        switch status {
        case .online:
            object.add("state", "online")
            object.add("since", since.milliseconds)
        case .offline(let reason, let detail):
            object.add("state", "offline")
            object.add("since", since.milliseconds)
            object.add("reason", reason.rawValue)
            object.add("detail", detail)
        }
        return object.bytes
    }

    private static func publication(_ topic: [UInt8], _ payload: [UInt8]) -> Publication {
        Publication(topic: topic, payload: payload, qos: .atLeastOnce, retain: true)
    }
}
