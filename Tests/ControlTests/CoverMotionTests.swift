import Testing

@testable import Control

@Suite struct CoverMotionTests {
    private let began = ContinuousClock.now

    private func cover(_ position: Double? = nil, contacts: Bool = false, at ends: Set<CoverMotion.End> = [])
        -> CoverMotion
    {
        var settings = CoverMotion.Settings(openTime: .seconds(20), closeTime: .seconds(10))
        (settings.hasOpenedContact, settings.hasClosedContact) = (contacts, contacts)
        return CoverMotion(settings, position: position, contacts: ends, at: began - .seconds(60))
    }

    private func after(_ seconds: Double) -> ContinuousClock.Instant { began + .seconds(seconds) }

    @Test func `it opens for as long as the whole way takes and a little longer`() {
        var cover = cover()
        #expect(cover.received(.open, at: began) == nil && cover.running == .opened && cover.state == .opening)
        #expect(cover.position(at: after(5)) == nil)
        cover.tick(at: after(21))
        #expect(cover.running == .opened)
        cover.tick(at: after(22))
        #expect(cover.running == nil && cover.state == .open && cover.position(at: after(22)) == 1)
    }

    @Test func `it is known how far it is after so much of the way`() {
        var cover = cover(0)
        _ = cover.received(.open, at: began)
        #expect(cover.position(at: after(5)) == 0.25)
        _ = cover.received(.stop, at: after(5))
        #expect(cover.state == .stopped && cover.position(at: after(9)) == 0.25)
    }

    @Test func `it goes to a position and stops there`() {
        var cover = cover(1)
        #expect(cover.received(.position(0.4), at: began) == nil && cover.running == .closed)
        #expect(cover.wakeAt == after(6))
        cover.tick(at: after(6))
        #expect(cover.running == nil && cover.position(at: after(6)) == 0.4)
    }

    @Test func `where nobody knows how far it is no position can be reached`() {
        var cover = cover()
        #expect(cover.received(.position(0.5), at: began)?.word == .stateUnknown && cover.running == nil)
        #expect(cover.received(.position(0), at: began) == nil && cover.running == .closed)
    }

    @Test func `another direction waits until the motor has stopped`() {
        var cover = cover(0.5)
        _ = cover.received(.open, at: began)
        _ = cover.received(.close, at: after(1))
        #expect(cover.running == nil && cover.state == .closing && cover.wakeAt == after(1.5))
        cover.tick(at: after(1.5))
        #expect(cover.running == .closed)
    }

    @Test func `a contact ends its way`() {
        var cover = cover(0, contacts: true, at: [.closed])
        #expect(cover.state == .closed)
        _ = cover.received(.open, at: began)
        cover.contact(.closed, isActive: false, at: after(0.2))
        cover.contact(.opened, isActive: true, at: after(17))
        #expect(cover.running == nil && cover.state == .open)
        #expect(cover.received(.open, at: after(18)) == nil && cover.running == nil)
    }

    @Test func `a contact that does not come is told and the position is not known`() {
        var cover = cover(0, contacts: true, at: [.closed])
        _ = cover.received(.open, at: began)
        cover.contact(.closed, isActive: false, at: after(0.2))
        cover.tick(at: after(24))
        #expect(cover.running == nil && cover.state == .stopped && cover.position(at: after(24)) == nil)
        #expect(cover.takeMissed() == .opened && cover.takeMissed() == nil)
    }

    @Test func `where its contact has not come yet it can't turn round to a position`() {
        var cover = cover(0, contacts: true, at: [.closed])
        _ = cover.received(.open, at: began)
        cover.contact(.closed, isActive: false, at: after(0.2))
        #expect(cover.received(.position(0.5), at: after(21))?.word == .stateUnknown)
        #expect(cover.running == nil && cover.isResting)
    }

    @Test func `who moves it by hand makes its position unknown until a contact tells it`() {
        var cover = cover(nil, contacts: true, at: [.closed])
        cover.contact(.closed, isActive: false, at: began)
        #expect(cover.state == .stopped && cover.position(at: began) == nil)
        cover.contact(.opened, isActive: true, at: after(3))
        #expect(cover.state == .open)
    }

    @Test func `a command that is said again does not make it run for longer`() {
        for position in [nil, 0.9] {
            var cover = cover(position)
            _ = cover.received(.open, at: began)
            let until = cover.wakeAt
            for second in 1...3 { _ = cover.received(.open, at: after(Double(second))) }
            #expect(cover.wakeAt == until)
        }
    }

    @Test func `where it is is not known when its relays were lost on the way`() {
        var cover = cover(0.5)
        cover.lose()
        #expect(cover.position(at: began) == 0.5)
        _ = cover.received(.open, at: began)
        cover.lose()
        #expect(cover.isResting && cover.position(at: after(1)) == nil)
    }

    /// What the relays did so far, and whether a motor would have minded.
    private struct Relays {
        var running: CoverMotion.End?
        var last: CoverMotion.End?
        var since: ContinuousClock.Instant
        var offAt: ContinuousClock.Instant

        /// Nil, or what is wrong.
        mutating func became(_ new: CoverMotion.End?, at now: ContinuousClock.Instant) -> String? {
            defer { running = new }
            if new != running {
                if let running {
                    (offAt, last) = (now, running)
                    if new != nil { return "from one to the other at once" }
                } else if new != last, now - offAt < .milliseconds(500) {
                    return "the other one \(now - offAt) after it was off"
                }
                since = now
            }
            // The ways are fractions, and their sum may be a hair more.
            let longest = Duration.seconds(new == .opened ? 24 : 12) + .milliseconds(1)
            return new == nil || now - since <= longest ? nil : "on for \(now - since)"
        }
    }

    @Test func `whatever happens both relays are never on and none for longer than the way`() {
        for seed in 0..<100 {
            var chance = Chance(seed: UInt64(seed))
            var motion = cover(seed % 3 == 0 ? 0.5 : nil, contacts: seed % 2 == 0)
            var now = began
            var relays = Relays(since: began, offAt: began - .seconds(60))
            for step in 0..<1_000 {
                now += .milliseconds(Int.random(in: 0...4_000, using: &chance))
                // As its driver does, which never sleeps past it.
                if let wakeAt = motion.wakeAt, wakeAt < now { now = wakeAt }
                motion.tick(at: now)
                let afterTick = relays.became(motion.running, at: now)
                switch Int.random(in: 0..<8, using: &chance) {
                case 0: _ = motion.received(.open, at: now)
                case 1: _ = motion.received(.close, at: now)
                case 2: _ = motion.received(.position(Double.random(in: -0.2...1.2, using: &chance)), at: now)
                case 3:
                    _ = motion.received(.stop, at: now)
                    #expect(motion.running == nil && motion.isResting)
                case 4 where seed % 2 == 0:
                    let end: CoverMotion.End = Bool.random(using: &chance) ? .opened : .closed
                    motion.contact(end, isActive: Bool.random(using: &chance), at: now)
                default: break
                }
                let wrong = [afterTick, relays.became(motion.running, at: now)].compactMap(\.self)
                #expect(wrong.isEmpty, "seed \(seed), step \(step)")
                if let position = motion.position(at: now) { #expect((0...1).contains(position)) }
            }
        }
    }
}
