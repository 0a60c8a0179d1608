/// The fourteen control packets of 3.1.1 and AUTH of 5; the raw value is the high half of the first byte.
package enum PacketType: UInt8, CaseIterable, Sendable {
    case connect = 1
    case connack = 2
    case publish = 3
    case puback = 4
    case pubrec = 5
    case pubrel = 6
    case pubcomp = 7
    case subscribe = 8
    case suback = 9
    case unsubscribe = 10
    case unsuback = 11
    case pingreq = 12
    case pingresp = 13
    case disconnect = 14
    case auth = 15

    /// The low half of the first byte, which is fixed for all packets but PUBLISH. [MQTT-2.1.3-1] (3.1.1: [MQTT-2.2.2-1])
    ///
    /// [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]
    package var requiredFlags: UInt8? {
        switch self {
        case .publish: nil
        case .pubrel, .subscribe, .unsubscribe: 2
        default: 0
        }
    }

    /// The first byte of a packet of this type, for the types whose flags are fixed.
    package var firstByte: UInt8 { rawValue << 4 | (requiredFlags ?? 0) }
}
