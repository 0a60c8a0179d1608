/// The version of the MQTT standard that a connection speaks; the raw value is the protocol level in CONNECT.
public enum ProtocolVersion: UInt8, CaseIterable, Sendable {
    /// Clients from before the OASIS standard; they are served by the rules of 3.1.1.
    case v31 = 3
    case v311 = 4
    case v5 = 5

    @inlinable public static func == (left: ProtocolVersion, right: ProtocolVersion) -> Bool {
        left.rawValue == right.rawValue
    }
}

/// How often a message may arrive. [MQTT 5, section 4.3]
///
/// Public, as the version is, so that comparisons are inlined in the broker: it makes some for each message.
public enum QoS: UInt8, CaseIterable, Comparable, Sendable {
    case atMostOnce = 0
    case atLeastOnce = 1
    case exactlyOnce = 2

    @inlinable public static func == (left: QoS, right: QoS) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}
