import Bytes
import MQTTCodec

extension BrokerState {
    mutating func subscribeReceived(_ index: Int, _ packet: Subscribe) {
        let session = connections[index].session
        let identifier = packet.properties.subscriptionIdentifiers.first ?? 0
        guard packet.properties.subscriptionIdentifiers.count <= 1 else {
            return disconnect(index, .protocolError, why: "two subscription identifiers in one SUBSCRIBE")
        }
        if packet.requests.contains(where: { $0.noLocal && SubscriptionKind($0.filter.span) != .plain }) {
            // [MQTT-3.8.3-4]
            return disconnect(index, .protocolError, why: "No Local on a shared subscription")
        }
        var codes: [ReasonCode] = []
        var wantsRetained: [Subscribe.Request] = []
        for request in packet.requests {
            let recipient = Recipient(
                session: session, qos: request.qos, noLocal: request.noLocal || connections[index].isBridge,
                retainAsPublished: request.retainAsPublished || connections[index].isBridge, identifier: identifier)
            if let refusal = refusal(of: request, recipient, index) {
                counters.subscriptionsRefused.add(refusal)
                codes.append(refusal)
                continue
            }
            let isNew = subscriptions.subscribe(recipient, to: request.filter.span)
            if !hasAll(session) { noteSubscribed(session, request.filter.span, recipient) }
            codes.append(ReasonCode(rawValue: request.qos.rawValue))  // also above the maximum QoS: [MQTT-3.2.2-10]
            tellSubscribed(index, request)
            // Section 4.8.2: no retained messages to a shared subscription.
            if SubscriptionKind(request.filter.span) != .plain { continue }
            // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]
            switch request.retainHandling {
            case .send: wantsRetained.append(request)
            case .sendIfNew: if isNew { wantsRetained.append(request) }
            case .never: break
            }
        }
        let suback = Suback(packetID: packet.packetID, reasonCodes: codes)
        let version = connections[index].version
        // [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1]
        if codes.allSatisfy(\.isError) {
            withOutput(index) { suback.encode(.suback, into: &$0, version: version) }
        } else {
            answer(index, session) { suback.encode(.suback, into: &$0, version: version) }
        }
        for request in wantsRetained { sendRetained(request, identifier, session) }
    }

    private mutating func refusal(of request: Subscribe.Request, _ recipient: Recipient, _ index: Int) -> ReasonCode? {
        let session = recipient.session
        guard request.isValid, SubscriptionKind(request.filter.span) != .invalid else { return .topicFilterInvalid }
        guard !connections[index].isInternal else { return nil }
        if mayHearAnswers(index, request.filter.span) { return nil }
        guard maySubscribe(to: request.filter.span, session) else { return .notAuthorized }
        if request.filter.count > limits.topicLength { return .topicFilterInvalid }
        if TopicLevels.count(request.filter.span) > limits.topicLevels { return .topicFilterInvalid }
        if !mayChange(recipient, request.filter) { return .quotaExceeded }
        guard subscriptions.count(of: session) >= limits.subscriptions else { return nil }
        // The same filter again takes no place. [MQTT-3.8.4-3]
        return subscriptions.contains(session, request.filter.span) ? nil : .quotaExceeded
    }

    /// Whether the disk takes a subscription that it would have to keep, or has this very one already.
    private mutating func mayChange(_ recipient: Recipient, _ filter: [UInt8]) -> Bool {
        let session = recipient.session
        guard journal.failure != nil, makesWait(Int(session)) else { return true }
        guard hasAll(session), subscriptions.contains(session, filter.span) else { return false }
        return subscriptions.all(of: session).contains { known in
            var known = known
            known.recipient.share = 0
            return known.filter == filter && known.recipient == recipient
        }
    }

    /// Whether the disk takes nothing just now, but has all that the session subscribed to.
    private mutating func hasAll(_ session: SessionIndex) -> Bool {
        journal.failure != nil && makesWait(Int(session)) && !journal.writesSubscriptions(of: session)
    }

    /// The rules look at the filter within a shared subscription.
    private mutating func maySubscribe(to filter: Span<UInt8>, _ session: SessionIndex) -> Bool {
        guard hasRules, case .shared(_, let inner) = SubscriptionKind(filter) else {
            return maySubscribe(session, filter)
        }
        return maySubscribe(session, filter.extracting(inner))
    }

    /// Sends the retained messages that match a new subscription, marked as retained. [MQTT-3.3.1-8]
    private mutating func sendRetained(_ request: Subscribe.Request, _ identifier: UInt32, _ session: SessionIndex) {
        for message in retained.messages(matching: request.filter.span) {
            let record = messages[message]
            if let expiresAt = record.expiresAt, expiresAt <= now { continue }
            guard mayReceive(session, message) else { continue }
            // Through the queue, so that they keep their place and the window; not counted against its limit,
            // since they are held anyway.
            messages.retain(message)
            var delivery = Delivery(
                message: message, qos: min(record.qos, request.qos), retain: true, subscriptionIdentifier: identifier)
            number(&delivery, Int(session))
            noteTaken(delivery, Int(session))
            sessions[Int(session)].queue.append(delivery)
            sessions[Int(session)].queuedBytes += record.length + Session.overheadPerQueued
        }
        pump(session)
    }

    /// One answer, whatever there was. [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2]
    mutating func unsubscribeReceived(_ index: Int, _ packet: Unsubscribe) {
        let session = connections[index].session
        let codes = unsubscribe(session, packet.filters)
        for (filter, code) in zip(packet.filters, codes) where code == .success { tellUnsubscribed(index, filter) }
        let version = connections[index].version
        answer(index, session) {
            Suback(packetID: packet.packetID, reasonCodes: codes).encode(.unsuback, into: &$0, version: version)
        }
    }

    /// What it says must outlive the process, where the session does.
    private mutating func answer(_ index: Int, _ session: SessionIndex, _ encode: (inout [UInt8]) -> Void) {
        if makesWait(Int(session)), !hasAll(session) { delay(index, encode) } else { withOutput(index, encode) }
    }

    private mutating func unsubscribe(_ session: SessionIndex, _ filters: [[UInt8]]) -> [ReasonCode] {
        var codes: [ReasonCode] = []
        for filter in filters {
            let existed = subscriptions.unsubscribe(session, from: filter.span)
            if existed { noteUnsubscribed(session, filter) }
            codes.append(existed ? .success : .noSubscriptionExisted)
        }
        return codes
    }
}
