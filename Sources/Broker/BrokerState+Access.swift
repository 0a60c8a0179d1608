package import Access
package import Bytes
import MQTTCodec

/// Whose a session is, and what it may do.
final class SessionStanding: Sendable {
    let user: ProvenUser?
    let address: String
    let listener: String
    /// Nil allows everything.
    let rules: ClientRules?

    init(user: ProvenUser?, address: String, listener: String, rules: ClientRules?) {
        self.user = user
        self.address = address
        self.listener = listener
        self.rules = rules
    }
}

/// What a client may do: asked on publish, subscribe and each delivery, and again when the rules change.
extension BrokerState {
    /// Nil where there is neither a user nor a rule: the session then costs no memory for it.
    func standing(of user: ProvenUser?, _ clientID: [UInt8], on index: Int) -> SessionStanding? {
        guard !connections[index].isInternal else { return nil }
        return standing(
            of: user, clientID, connections[index].origin.address, listener: connections[index].origin.listener)
    }

    func standing(
        of user: ProvenUser?, _ clientID: [UInt8], _ address: String, listener: String
    ) -> SessionStanding? {
        let rules = logins.access.policy(of: listener).rules
        guard user != nil || rules != nil else { return nil }
        let identity = ClientIdentity(user: user?.name, clientID: clientID, address: address)
        return SessionStanding(
            user: user, address: address, listener: listener, rules: rules?.compiled(for: identity))
    }

    mutating func set(_ standing: SessionStanding?, of session: SessionIndex) {
        sessions[Int(session)].standing = standing
        if standing?.rules != nil { hasRules = true }
    }

    /// Whether a message may reach a session; held back at delivery because a filter may cover what is denied.
    @inline(__always)
    mutating func mayReceive(_ session: SessionIndex, _ topic: Span<UInt8>) -> Bool {
        !hasRules || sessions[Int(session)].standing?.rules?.mayRead(topic) != false || isAnswer(topic, for: session)
    }

    /// The same for a message that was kept: the rules may have changed since.
    mutating func mayReceive(_ session: SessionIndex, _ message: MessageIndex) -> Bool {
        guard hasRules, let rules = sessions[Int(session)].standing?.rules else { return true }
        var topic: [UInt8] = []
        messages.append(messages[message].topic, of: message, to: &topic)
        return rules.mayRead(topic.span) || isAnswer(topic.span, for: session)
    }

    /// Whether the connection's client may publish to the topic.
    @inline(__always)
    mutating func mayPublish(_ index: Int, _ topic: Span<UInt8>) -> Bool {
        !hasRules || sessions[Int(connections[index].session)].standing?.rules?.mayWrite(topic) != false
    }

    mutating func maySubscribe(_ session: SessionIndex, _ filter: Span<UInt8>) -> Bool {
        !hasRules || sessions[Int(session)].standing?.rules?.maySubscribe(filter) != false
    }

    // MARK: change

    /// Who may connect and who may do what, from now on.
    ///
    /// Clients whose user is gone, or has another password, are disconnected; the others go on under the new rules,
    /// which hold for what waits in their queues too.
    package mutating func apply(_ access: AccessSettings, now: MonotonicTime) {
        self.now = now
        logins.access = access
        hasRules = false
        for place in sessions.indices where sessions[place].isUsed { judgeAnew(SessionIndex(clamping: place)) }
        publishDueWills()
    }

    private mutating func judgeAnew(_ session: SessionIndex) {
        let place = Int(session)
        let connection = Int(sessions[place].connection)
        guard connection < 0 || !connections[connection].isInternal else { return }
        let old = sessions[place].standing
        let listener = old?.listener ?? (connection < 0 ? "" : connections[connection].origin.listener)
        let address = old?.address ?? (connection < 0 ? "" : connections[connection].origin.address)
        let policy = logins.access.policy(of: listener)
        guard stillThere(old?.user, policy) else { return dismiss(session, old, policy) }
        set(standing(of: old?.user, sessions[place].clientID, address, listener: listener), of: session)
        guard let will = sessions[place].will, sessions[place].standing?.rules?.mayWrite(will.topic.span) == false
        else {
            return
        }
        sessions[place].will = nil
        sessions[place].willDueAt = nil
    }

    /// Whether the user has the record that it was proven with.
    private func stillThere(_ user: ProvenUser?, _ policy: AccessSettings.Policy) -> Bool {
        guard let user, let record = user.record else { return true }
        return policy.users?[user.name] == record
    }

    /// The user must prove itself again, if it still is there; until then its session gets nothing.
    private mutating func dismiss(
        _ session: SessionIndex, _ old: SessionStanding?, _ policy: AccessSettings.Policy
    ) {
        let place = Int(session)
        let name = old?.user?.name ?? []
        let generation = sessions[place].generation
        if policy.users?[name] == nil {
            set(
                SessionStanding(
                    user: old?.user, address: old?.address ?? "", listener: old?.listener ?? "", rules: .nothing),
                of: session)
            sessions[place].will = nil
            sessions[place].willDueAt = nil
        } else {
            let standing = standing(
                of: old?.user, sessions[place].clientID, old?.address ?? "", listener: old?.listener ?? "")
            set(standing, of: session)
        }
        let connection = Int(sessions[place].connection)
        guard connection >= 0, sessions[place].generation == generation else { return }
        disconnect(connection, .notAuthorized, why: "its user was removed, or has another password now")
    }
}
