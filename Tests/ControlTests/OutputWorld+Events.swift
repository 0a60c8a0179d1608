import Control
import Readings

extension OutputWorld {
    /// Something happens, by chance.
    mutating func happen() throws(Broken) {
        let index = Int(random.next(below: UInt64(relays.count)))
        switch random.next(below: 24) {
        case 0..<9: try command(index)
        case 9..<11: try statusChanged(index, isOnline: true)
        case 11: try statusChanged(index, isOnline: false)
        case 12..<17: try read(index)
        case 17:
            note("control heard")
            lastSign = now
            actuators.controlHeard(at: now)
        case 18:
            isLinkUp.toggle()
            let isUp = isLinkUp
            note("link \(isUp)")
            lastSign = now
            try carryOut(actuators.linkChanged(isUp: isUp, at: now))
        case 19:
            note("reload rejected")
            try carryOut(actuators.reloadRejected(at: now))
        case 20: try reload()
        case 21: try powerCut(index)
        case 22 where chance(3): try kill()
        default: switchByHand(index)
        }
        try check()
        let longest: UInt64 = [100, 2_000, 20_000][Int(random.next(below: 3))]
        try pass(.milliseconds(Int64(random.next(below: longest))))
    }

    /// Devices that are there from the beginning.
    mutating func begin() throws(Broken) {
        for index in [0, 2] where !chance(3) { try statusChanged(index, isOnline: true) }
    }

    /// Somebody stands before a device that can't tell what is done to it, and has looked at the others.
    private mutating func switchByHand(_ index: Int) {
        let others = partners(index)
        guard online[relays[index].name.device] == false, relays[index].flight == nil, relays[index].isConfigured,
            others.allSatisfy({ !relays[$0].isOn && relays[$0].flight == nil })
        else { return }
        note("\(index) is switched by hand")
        relays[index].wasOn = relays[index].isOn
        relays[index].isOn.toggle()
        relays[index].changedAt = now
    }

    /// The stop of the gateway, to its end.
    mutating func stop() throws(Broken) {
        note("stop")
        isStopping = true
        told = []
        try carryOut(actuators.stop(at: now))
        for _ in 0..<100 {
            guard let next = relays.compactMap(\.flight?.endsAt).min() else { break }
            now = max(now, next)
            if let index = relays.firstIndex(where: { $0.flight?.endsAt == next }) { try land(index) }
            try check()
        }
        try checkEnd()
    }

    private mutating func command(_ index: Int) throws(Broken) {
        let wallClock = wallClock
        let word = ["ON", "ON", "ON", "OFF", "OFF", "TOGGLE", "?"][Int(random.next(below: 7))]
        let isRetained = chance(8)
        let age = chance(6) ? Int64(random.next(below: 20_000)) : nil
        let payload = age.map { #"{"value":"\#(word)","t":\#(wallClock.milliseconds - $0)}"# } ?? word
        let isFresh = !isRetained && age.map { .milliseconds($0) <= Self.maxAge } ?? true
        let name = relays[index].name
        note("\(name.point)/set \(payload)\(isRetained ? " retained" : "")")
        if isFresh, relays[index].isConfigured {
            if word != "?" { relays[index].commandedAt = now }
            if word == "ON" || word == "TOGGLE" { relays[index].wantedAt = now }
        }
        commands += 1
        let incoming = IncomingCommand(payload: Array(payload.utf8), isRetained: isRetained)
        let actions = actuators.received(incoming, for: name, at: now, time: wallClock)
        let moves = actions.contains { if case .answer = $0 { false } else { true } }
        if moves, !isFresh { throw broken("\(name.point) moves by a retained or stale command") }
        try carryOut(actions.map { (name, $0) })
    }

    private mutating func statusChanged(_ index: Int, isOnline: Bool) throws(Broken) {
        let device = relays[index].name.device
        note("\(device) online \(isOnline)")
        if isOnline, online[device] != true { onlineSince[device] = now }
        online[device] = isOnline
        let reasons = [OfflineReason.timeout, .portMissing, .starting]
        let reason = reasons[Int(random.next(below: 3))]
        try carryOut(
            actuators.statusChanged(of: device, isOnline ? .online : .offline(reason, detail: ""), at: now))
    }

    /// A poll that is answered, sometimes a little late.
    private mutating func read(_ index: Int) throws(Broken) {
        let relay = relays[index]
        guard online[relay.name.device] != false, relay.isConfigured else { return }
        let earlier = max(now - .milliseconds(500), onlineSince[relay.name.device] ?? processStart)
        let readAt = chance(3) ? earlier : now
        let isOn = readAt >= relay.changedAt ? relay.isOn : relay.wasOn
        let isLate = readAt != now
        note("\(relay.name.point) reads \(isOn)\(isLate ? ", measured before" : "")")
        try carryOut(actuators.observed(.text(isOn ? "ON" : "OFF"), of: relay.name, at: readAt, now: now))
    }

    /// The device restarts with all relays off.
    private mutating func powerCut(_ index: Int) throws(Broken) {
        let device = relays[index].name.device
        for index in relays.indices where relays[index].name.device == device {
            try turn(index, false)
            // What was not carried out before is not carried out any more.
            relays[index].flight?.isApplied = false
            relays[index].flight?.outcome = .failed(Refusal(.timeout, "the power is gone"))
        }
        try statusChanged(index, isOnline: false)
    }

    /// Other settings: `c` may be on for longer or shorter, and `d` is there or not.
    private mutating func reload() throws(Broken) {
        note("reload")
        var wanted = settings
        if chance(2) {
            wanted[relays[2].name]?.safety.maxOn = chance(2) ? .seconds(30) : .seconds(45)
        } else if let known = wanted.removeValue(forKey: relays[3].name) {
            try carryOut(actuators.release(keeping: Set(wanted.keys), at: now))
            while let flight = relays[3].flight {
                try pass(max(.zero, flight.endsAt - now))
            }
            relays[3].isConfigured = false
            kept = known
        } else {
            wanted[relays[3].name] = kept
            relays[3].isConfigured = true
            relays[3].commandedAt = now
        }
        settings = wanted
        try carryOut(actuators.apply(wanted, at: now))
    }

    /// `kill -9` and a new start: all that was known is forgotten, the relays stay as they are.
    private mutating func kill() throws(Broken) {
        note("kill -9")
        for index in relays.indices {
            if let flight = relays[index].flight, flight.isApplied, chance(2) { try turn(index, flight.isOn) }
            relays[index].flight = nil
            relays[index].failedAt = nil
            relays[index].wantedAt = nil
            relays[index].commandedAt = now
        }
        (online, onlineSince) = ([:], [:])
        isLinkUp = false
        (lastSign, processStart) = (now, now)
        (commands, answers) = (0, 0)
        actuators = Actuators(settings, at: now)
    }
}
