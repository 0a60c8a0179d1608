package import MQTTCodec

extension ClientState {
    /// Asks for filters, now and after every connection that begins without a session; `subscribed` follows.
    package mutating func subscribe(_ requests: [Subscribe.Request]) -> RequestHandle {
        let handle = newHandle()
        subscriptions.add(requests, handle)
        if phase == .open { sendSubscribe(requests, handle) }
        return handle
    }

    /// Ends subscriptions; `unsubscribed` follows.
    package mutating func unsubscribe(_ filters: [[UInt8]]) -> RequestHandle {
        let handle = newHandle()
        subscriptions.remove(filters, handle)
        if phase == .open { sendUnsubscribe(filters, handle) }
        return handle
    }

    /// After CONNACK: what the server can't know.
    mutating func sendSubscriptions(sessionPresent: Bool) {
        if !sessionPresent { subscriptions.sessionLost() }
        for removal in subscriptions.removals { sendUnsubscribe(removal.filters, removal.handle) }
        for wish in subscriptions.wishes where !wish.isGranted && !wish.requests.isEmpty {
            sendSubscribe(wish.requests, wish.handle)
        }
    }

    private mutating func sendSubscribe(_ requests: [Subscribe.Request], _ handle: RequestHandle) {
        let codes = requests.map { limits.refusal(of: $0.filter) }
        let allowed = zip(requests, codes).filter { $0.1 == nil }.map(\.0)
        guard !allowed.isEmpty, let packetID = newPacketID() else {
            subscriptions.settle(handle)
            events.append(.subscribed(handle, codes.map { $0 ?? .quotaExceeded }))
            return
        }
        subscriptions.sent(packetID, Subscriptions.Open(handle: handle, ownCodes: codes))
        Subscribe(packetID: packetID, requests: allowed).encode(into: &output, version: settings.version)
    }

    private mutating func sendUnsubscribe(_ filters: [[UInt8]], _ handle: RequestHandle) {
        guard !filters.isEmpty, let packetID = newPacketID() else {
            subscriptions.settle(handle)
            events.append(.unsubscribed(handle, []))
            return
        }
        let open = Subscriptions.Open(handle: handle, ownCodes: filters.map { _ in nil })
        subscriptions.sent(packetID, open)
        Unsubscribe(packetID: packetID, filters: filters).encode(into: &output, version: settings.version)
    }

    mutating func subackReceived(_ packet: Suback) {
        guard let request = subscriptions.answered(packet.packetID) else { return }
        events.append(.subscribed(request.handle, request.codes(packet.reasonCodes)))
    }

    mutating func unsubackReceived(_ packet: Suback) {
        guard let request = subscriptions.answered(packet.packetID) else { return }
        events.append(.unsubscribed(request.handle, request.codes(packet.reasonCodes)))
    }
}
