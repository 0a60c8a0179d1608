package import MQTTCodec

/// Why somebody did not get a message.
package enum DropReason: Int, CaseIterable, Sendable {
    /// The session's queue, or a connection's output, was full.
    case queueFull
    /// It waited longer than its Message Expiry Interval. [MQTT-3.3.2-5]
    case expired
    /// The client takes no packet of its size. [MQTT-3.1.2-25]
    case tooLarge
    /// The client may not read the topic.
    case notAllowed
    /// QoS 0, and the client is not connected.
    case offlineQoS0
    /// The broker as a whole holds too much.
    case memory

    /// As topics name it.
    package var name: String {
        switch self {
        case .queueFull: "queue_full"
        case .expired: "expired"
        case .tooLarge: "too_large"
        case .notAllowed: "not_allowed"
        case .offlineQoS0: "offline_qos0"
        case .memory: "memory"
        }
    }
}

extension BrokerState {
    /// What the broker has done since its start; an integer addition each, so that the hot path can afford them.
    ///
    /// The gateway's own clients (devices, bridge) count in packets, messages and bytes; where clients and sockets
    /// are counted they don't.
    package struct Counters: Equatable, Sendable {
        package var bytesReceived = 0
        package var bytesSent = 0
        package var packetsReceived = PacketCounts()
        /// Packets put into outputs; PUBLISH is counted in `messagesSent`.
        package var packetsSent = PacketCounts()
        /// Acknowledgements of packet identifiers that nobody waited for.
        package var packetsMissed = PacketCounts()

        package var messagesReceived = MessageCounts()
        /// Messages put into outputs, one for each recipient.
        package var messagesSent = MessageCounts()
        package var messagesWithoutSubscriber = 0
        /// Deliveries that somebody did not get.
        package var dropped = DropCounts()
        /// PUBLISH packets and subscriptions that were answered with an error.
        package var publishesRefused = RefusalCounts()
        package var subscriptionsRefused = RefusalCounts()
        package var malformedPackets = 0
        /// Clients turned away for a wrong user name or password.
        package var loginsFailed = 0
        /// Those of them whose password was not looked at, because their address had guessed too often.
        package var loginsBraked = 0

        /// Open transports of external clients, and how many were opened.
        package var sockets = 0
        package var socketsOpened = 0
        /// External clients connected now.
        package var clients = 0
        package var maximumClients = 0
        /// The gateway's own clients.
        package var insideClients = 0
        package var sessionsExpired = 0
        package var takeOvers = 0

        package var allPacketsSent: Int { packetsSent.total + messagesSent.total }

        /// Deliveries lost although somebody was there to take them, or had a session that waits for them.
        package var messagesDropped: Int { dropped.total - dropped[.offlineQoS0] - dropped[.notAllowed] }
    }
}

/// A count for each type of control packet.
package struct PacketCounts: Equatable, Sendable {
    private var counts = InlineArray<16, Int>(repeating: 0)

    package init() {}

    package subscript(type: PacketType) -> Int { counts[Int(type.rawValue)] }

    package var total: Int { counts.indices.reduce(0) { $0 + counts[$1] } }

    mutating func add(_ type: PacketType) {
        counts[Int(type.rawValue)] += 1
    }

    /// Counts a packet by the first byte that it has on the wire: cheaper than by a type of another module.
    mutating func add(firstByte: UInt8) {
        counts[Int(firstByte >> 4)] += 1
    }

    package static func == (left: PacketCounts, right: PacketCounts) -> Bool {
        left.counts.indices.allSatisfy { left.counts[$0] == right.counts[$0] }
    }
}

/// Messages by quality of service, and the bytes of their payloads.
package struct MessageCounts: Equatable, Sendable {
    private var atMostOnce = 0
    private var atLeastOnce = 0
    private var exactlyOnce = 0
    package private(set) var payloadBytes = 0

    package init() {}

    package subscript(qos: QoS) -> Int {
        switch qos {
        case .atMostOnce: atMostOnce
        case .atLeastOnce: atLeastOnce
        case .exactlyOnce: exactlyOnce
        }
    }

    package var total: Int { atMostOnce + atLeastOnce + exactlyOnce }

    mutating func add(_ qos: QoS, payload: Int) {
        payloadBytes += payload
        switch qos {
        case .atMostOnce: atMostOnce += 1
        case .atLeastOnce: atLeastOnce += 1
        case .exactlyOnce: exactlyOnce += 1
        }
    }
}

/// What was refused: by the rules who may do what, or for another reason.
package struct RefusalCounts: Equatable, Sendable {
    package private(set) var notAuthorized = 0
    package private(set) var other = 0

    package init() {}

    package var total: Int { notAuthorized + other }

    mutating func add(_ code: ReasonCode) {
        if code == .notAuthorized { notAuthorized += 1 } else { other += 1 }
    }
}

/// Deliveries that did not happen, by reason.
package struct DropCounts: Equatable, Sendable {
    private var counts = InlineArray<6, Int>(repeating: 0)

    package init() {}

    package subscript(reason: DropReason) -> Int { counts[reason.rawValue] }

    package var total: Int { DropReason.allCases.reduce(0) { $0 + self[$1] } }

    mutating func add(_ reason: DropReason) {
        counts[reason.rawValue] += 1
    }

    package static func == (left: DropCounts, right: DropCounts) -> Bool {
        DropReason.allCases.allSatisfy { left[$0] == right[$0] }
    }
}
