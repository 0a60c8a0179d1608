import Bridge
import Client
import MQTTCodec
import NIOCore

/// Other settings, and other addresses, for a link that runs.
extension UpstreamCore {
    /// Goes on with other settings, on the same connection where only the lines differ.
    func apply(_ new: UpstreamLink.Settings) {
        guard stopped == nil, new != settings else { return }
        let (old, oldLocal, oldUpstream) = (settings, bridge.localSubscriptions, bridge.upstreamSubscriptions)
        settings = new
        bridge.apply(new.bridge)
        subscribeLocally(insteadOf: oldLocal)
        if old.statusName != new.statusName {
            for message in status.farewell() { local?.publish(message) }
            status = UpstreamStatus(new.statusName)
        }
        var sameLink = old
        sameLink.bridge = new.bridge
        sameLink.statusName = new.statusName
        if sameLink == new, old.bridge.clientID == new.bridge.clientID {
            subscribeUpstream(insteadOf: oldUpstream)
        } else {
            places = UpstreamAddresses(new)
            connectAnew("the settings changed")
        }
        settle()
    }

    /// What was retained before comes only for filters that are new.
    private func subscribeLocally(insteadOf old: [Subscribe.Request]) {
        var wanted = bridge.localSubscriptions
        local?.unsubscribe(old.map(\.filter).filter { filter in !wanted.contains { $0.filter == filter } })
        for index in wanted.indices { wanted[index].retainHandling = .sendIfNew }
        local?.subscribe(wanted)
    }

    private func subscribeUpstream(insteadOf old: [Subscribe.Request]) {
        var wanted = bridge.upstreamSubscriptions
        guard wanted != old else { return }
        let gone = old.map(\.filter).filter { filter in !wanted.contains { $0.filter == filter } }
        if !gone.isEmpty { _ = client.unsubscribe(gone) }
        for index in wanted.indices { wanted[index].retainHandling = .sendIfNew }
        if !wanted.isEmpty { _ = client.subscribe(wanted) }
    }

    /// Leaves the server and comes again as what the settings say now; nothing waits for that.
    private func connectAnew(_ why: String) {
        let wasConnected = channel != nil
        client.disconnect()
        write()
        finishAtMostOnce()
        attempt += 1
        // Those of the old client mean nothing to the new one.
        localTokens = [:]
        speak(UpstreamDialect(settings))
        unanswered = 0
        if wasConnected, bridge.isUp { down(why) }
        connectedAt = nil
        backOff = BackOff(settings, seed: backOffSeed)
        connect()
    }

    /// While another address serves, looks now and then whether somebody answers at the first.
    func watchForFirst() {
        guard places.hasBetter, stopped == nil else { return }
        let number = attempt
        loop.assumeIsolated().scheduleTask(in: TimeAmount(settings.returnInterval)) {
            guard number == self.attempt, self.stopped == nil else { return }
            let probe = UpstreamChannel.probe(self.settings.at(0), on: self.loop)
            probe.assumeIsolated().whenComplete { result in
                guard number == self.attempt, self.stopped == nil else { return }
                guard case .success = result else { return self.watchForFirst() }
                self.places.returnToFirst()
                self.connectAnew("the first address answers again; going back to it")
                self.settle()
            }
        }
    }
}
