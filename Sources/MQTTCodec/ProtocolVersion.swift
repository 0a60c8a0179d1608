/// The version of the MQTT standard that a connection speaks; the raw value is the protocol level in CONNECT.
package enum ProtocolVersion: UInt8, CaseIterable, Sendable {
    case v311 = 4
    case v5 = 5
}

/// How often a message may arrive. [MQTT 5, section 4.3]
package enum QoS: UInt8, CaseIterable, Comparable, Sendable {
    case atMostOnce = 0
    case atLeastOnce = 1
    case exactlyOnce = 2

    package static func < (left: QoS, right: QoS) -> Bool {
        left.rawValue < right.rawValue
    }
}
