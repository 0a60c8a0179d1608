import Access
import Bytes
import MQTTCodec

extension BrokerState {
    /// Client ids that begin so are the gateway's own.
    static let internalPrefix = Array("$martlet/".utf8)

    mutating func connectReceived(
        _ index: Int, _ packet: Span<UInt8>, _ header: FixedHeader
    ) throws(DecodeError) {
        var connect: Connect
        do {
            connect = try Connect(packet, header)
        } catch {
            guard error.reason == .unsupportedProtocolLevel else { throw error }
            // [MQTT-3.1.2-2]; written in 3.1.1's form, which every client reads.
            return refuse(index, Connack(reasonCode: .unsupportedProtocolVersion), why: "unknown protocol level")
        }
        connections[index].version = connect.version
        if let (code, why) = objection(to: connect, on: index) {
            return refuse(index, Connack(reasonCode: code), why: why)
        }
        authenticate(index, connect)
    }

    /// Makes a client of the connection: whoever it is, it is proven now.
    ///
    /// `proof` is what an enhanced authentication says at its end.
    mutating func accept(_ index: Int, _ connect: Connect, as user: ProvenUser?, proof: [UInt8]? = nil) {
        var connect = connect
        let isAssigned = connect.clientID.isEmpty
        if isAssigned { connect.clientID = assignedClientID() }
        let standing = standing(of: user, connect.clientID, on: index)
        if let will = connect.will, let rules = standing?.rules, !rules.mayWrite(will.topic.span) {
            return refuse(
                index, Connack(reasonCode: .notAuthorized), why: "a will on a topic that the client may not publish to")
        }
        // [MQTT-3.1.4-4] (3.1.1: -3)
        let (session, isPresent) = openSession(connect, user, on: index)
        set(standing, of: session)
        // [MQTT-3.1.4-5] (3.1.1: -4) [MQTT-3.2.2-2] [MQTT-3.2.2-3]
        var connack = Connack(sessionPresent: isPresent, reasonCode: .success)
        adopt(connect, index, session, &connack)
        if isAssigned, connect.version == .v5 {
            connack.properties[bytes: .assignedClientIdentifier] = connect.clientID  // [MQTT-3.2.2-16]
        }
        if let proof {
            connack.properties[bytes: .authenticationMethod] = connect.properties[bytes: .authenticationMethod]
            connack.properties[bytes: .authenticationData] = proof
        }
        // [MQTT-3.2.0-1]: nothing goes before the CONNACK.
        withOutput(index) { connack.encode(into: &$0, version: connect.version) }
        noteConnected(index, connect, isPresent)
        resume(session)
    }

    /// Answers with a code and no session, then closes. [MQTT-3.1.4-2] [MQTT-3.2.2-6] [MQTT-3.2.2-7] (3.1.1: -4, -5)
    mutating func refuse(_ index: Int, _ connack: Connack, why: String) {
        let version = connections[index].version
        withOutput(index) { connack.encode(into: &$0, version: version) }
        refuse(index, why: why)
    }

    /// Why a well-formed CONNECT is turned away all the same.
    private func objection(to connect: Connect, on index: Int) -> (ReasonCode, String)? {
        if connect.version != .v5, connect.clientID.isEmpty, !connect.cleanStart || connect.version == .v31 {
            // [MQTT-3.1.3-8]; 3.1 knows no empty ids at all.
            return (.clientIdentifierNotValid, "an empty client id needs a clean session, and MQTT 3.1.1 or newer")
        }
        if connect.properties[bytes: .authenticationData] != nil,
            connect.properties[bytes: .authenticationMethod] == nil
        {
            return (.protocolError, "authentication data without a method")
        }
        guard !connections[index].isInternal else { return nil }
        if connect.clientID.starts(with: Self.internalPrefix) {
            return (.clientIdentifierNotValid, "client ids beginning with $martlet/ are the gateway's own")
        }
        if let will = connect.will, will.qos > limits.maximumQoS {
            return (.qosNotSupported, "a will above QoS \(limits.maximumQoS.rawValue)")  // [MQTT-3.2.2-12]
        }
        if let will = connect.will, will.retain, !limits.retainAvailable {
            return (.retainNotSupported, "a will to be retained")  // [MQTT-3.2.2-13]
        }
        if let will = connect.will, isBeyondLimits(will.topic.span) {
            return (.topicNameInvalid, "a will on a topic with too many bytes or levels")
        }
        if pressure == .refusesClients {
            return (.quotaExceeded, "memory is nearly used up (broker.limits.memory)")
        }
        if let will = connect.will, will.topic.first == UInt8(ascii: "$") {
            return (.notAuthorized, "a will on a topic beginning with $")
        }
        return nil
    }

    /// The session that the client gets, and whether it is one from before.
    ///
    /// The client id names it. [MQTT-3.1.3-2]
    private mutating func openSession(
        _ connect: Connect, _ user: ProvenUser?, on index: Int
    ) -> (SessionIndex, Bool) {
        guard let existing = sessionsByClientID[connect.clientID] else {
            return (addSession(connect.clientID), false)
        }
        if sessions[Int(existing)].connection >= 0 { takeOver(existing, connect, by: index) }
        // The old session may have ended with its connection, or gone to a clean start. [MQTT-3.1.2-4]
        guard let kept = sessionsByClientID[connect.clientID] else { return (addSession(connect.clientID), false) }
        // What one user has waiting is none of another's, who only gave the same client id.
        guard !connect.cleanStart, sessions[Int(kept)].standing?.user?.name == user?.name else {
            endSession(kept)  // [MQTT-3.1.2-4] (3.1.1: -6)
            return (addSession(connect.clientID), false)
        }
        return (kept, true)  // [MQTT-3.1.2-5]
    }

    /// [MQTT-3.1.4-3]: the old connection goes, and is told so, before the new one is answered.
    private mutating func takeOver(_ session: SessionIndex, _ connect: Connect, by index: Int) {
        let old = Int(sessions[Int(session)].connection)
        counters.takeOvers += 1
        noteTakeOver(connect.clientID, by: index, from: old)
        disconnect(old, .sessionTakenOver, why: "the same client id connected from \(connections[index].peer)")
    }

    /// Sets the connection and its session to what the client asked for, as far as the limits allow; what differs
    /// goes into the CONNACK.
    private mutating func adopt(_ connect: Connect, _ index: Int, _ session: SessionIndex, _ connack: inout Connack) {
        let place = Int(session)
        sessions[place].connection = Int32(clamping: index)
        sessions[place].will = connect.will
        sessions[place].willDueAt = nil  // [MQTT-3.1.3-9]: resumed in time, so it is not sent
        sessions[place].expiresAt = nil
        connections[index].state = .open
        connections[index].session = session
        connections[index].isBridge = connect.isBridge
        let wanted = Int(connect.properties[number: .receiveMaximum] ?? UInt32(UInt16.max))
        // The gateway's own clients are not held back: what the broker has acknowledged, the bridge's queue must get.
        connections[index].window = connections[index].isInternal ? wanted : min(limits.inFlight, wanted)
        connections[index].maximumPacketSize =
            connect.properties[number: .maximumPacketSize].map(Int.init) ?? Int.max
        sessions[place].expiry = grantedExpiry(connect, index, &connack)
        decideKeeping(place, on: index)
        startKeepAlive(connect, index, &connack)
        guard connect.version == .v5 else { return }
        offerAliases(connect, index, &connack)
        announceLimits(&connack)
        // The gateway's own readings must not wait for one another's commit.
        connections[index].receiveMaximum = connections[index].isInternal ? .max : limits.receiveMaximum
        connack.properties[number: .receiveMaximum] = UInt32(connections[index].receiveMaximum)
        connack.properties[number: .maximumPacketSize] = UInt32(clamping: limits.maximumPacketSize)
    }

    /// Aliases in both directions, each side's up to the other's maximum. [MQTT-3.1.2-26] [MQTT-3.2.2-17]
    private mutating func offerAliases(_ connect: Connect, _ index: Int, _ connack: inout Connack) {
        let ours = Int(limits.topicAliasMaximum)
        let theirs = Int(connect.properties[number: .topicAliasMaximum] ?? 0)
        guard ours > 0 else { return }
        connack.properties[number: .topicAliasMaximum] = UInt32(limits.topicAliasMaximum)
        connections[index].aliases = TopicAliases(incomingMaximum: ours, outgoingMaximum: min(ours, theirs))
        connections[index].usesAliases = theirs > 0
    }

    /// Says what is not offered; what is goes without saying. [MQTT-3.2.2-9]
    private func announceLimits(_ connack: inout Connack) {
        if limits.maximumQoS < .exactlyOnce {
            connack.properties[number: .maximumQoS] = UInt32(limits.maximumQoS.rawValue)
        }
        if !limits.retainAvailable { connack.properties[number: .retainAvailable] = 0 }
    }

    private func grantedExpiry(_ connect: Connect, _ index: Int, _ connack: inout Connack) -> UInt32 {
        guard connect.version == .v5 else { return connect.cleanStart ? 0 : limits.sessionExpiryV3 }
        let wanted = connect.properties[number: .sessionExpiryInterval] ?? 0
        guard wanted > limits.sessionExpiry, !connections[index].isInternal else { return wanted }
        connack.properties[number: .sessionExpiryInterval] = limits.sessionExpiry
        return limits.sessionExpiry
    }

    private mutating func startKeepAlive(_ connect: Connect, _ index: Int, _ connack: inout Connack) {
        var keepAlive = connect.keepAlive
        let isLimited = limits.maximumKeepAlive < UInt16.max && !connections[index].isInternal
        if isLimited, keepAlive == 0 || keepAlive > limits.maximumKeepAlive {
            // [MQTT-3.2.2-21]; 3.1.1 has no way to be told, so its own wish stands.
            guard connect.version == .v5 else { return startKeepAlive(keepAlive, index) }
            keepAlive = limits.maximumKeepAlive
            connack.properties[number: .serverKeepAlive] = UInt32(keepAlive)
        }
        startKeepAlive(keepAlive, index)
    }

    private mutating func startKeepAlive(_ keepAlive: UInt16, _ index: Int) {
        guard keepAlive > 0 else { return }
        let limit = Duration.milliseconds(Int(keepAlive) * 1_500)
        connections[index].silenceLimit = limit
        deadlines.add(
            Deadlines.Entry(
                at: now + limit, kind: .keepAlive, index: Int32(clamping: index),
                generation: connections[index].generation))
    }

    private mutating func noteConnected(_ index: Int, _ connect: Connect, _ isPresent: Bool) {
        guard !connections[index].isInternal else {
            counters.insideClients += 1
            return
        }
        counters.clients += 1
        counters.maximumClients = max(counters.maximumClients, counters.clients)
        connections[index].userName =
            sessions[Int(connections[index].session)].standing?.user?.name ?? connect.userName
        tellConnected(index, connect)
        events.append(
            .connected(
                client: String(decoding: connect.clientID, as: UTF8.self), peer: connections[index].peer,
                version: connect.version, sessionPresent: isPresent))
    }

    /// An id that no session has. [MQTT-3.1.3-6]
    private mutating func assignedClientID() -> [UInt8] {
        while true {
            randomState = randomState &+ 0x9E37_79B9_7F4A_7C15
            var mixed = randomState
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            let id = Array("auto-\(String(mixed ^ (mixed >> 31), radix: 16))".utf8)
            if sessionsByClientID[id] == nil { return id }
        }
    }
}
