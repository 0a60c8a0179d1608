import Testing

@testable import Control

@Suite struct StepperMotionTests {
    private func stepper(_ position: Int64? = nil, isAtHome: Bool = false) -> StepperMotion {
        StepperMotion(range: 0...100, position: position, isAtHome: isAtHome)
    }

    /// Makes all steps that are wanted, with a contact at `contact` of the real way; returns where it really is.
    @discardableResult
    private func run(_ stepper: inout StepperMotion, from start: Int64, contact: Int64 = 0) -> Int64 {
        var place = start
        while let next = stepper.next {
            place += next == .forth ? 1 : -1
            stepper.stepped(next)
            stepper.home(place <= contact)
        }
        return place
    }

    @Test func `nobody knows where it is before the contact was found`() {
        var stepper = stepper()
        #expect(stepper.received(.move(50))?.word == .stateUnknown && stepper.next == nil)
        #expect(stepper.received(.home) == nil && stepper.state == .homing)
        #expect(run(&stepper, from: 30) == 0 && stepper.position == 0 && stepper.state == .resting)
        #expect(stepper.received(.move(50)) == nil)
        #expect(run(&stepper, from: 0) == 50 && stepper.position == 50)
    }

    @Test func `no step goes beyond the ends`() {
        var stepper = stepper(50)
        #expect(stepper.received(.move(101))?.word == .notAllowedValue)
        #expect(stepper.received(.move(-1))?.word == .notAllowedValue && stepper.next == nil)
    }

    @Test func `a contact that does not come ends the search and is told`() {
        var stepper = stepper(50)
        _ = stepper.received(.home)
        #expect(run(&stepper, from: 500) == 500 - 120)
        #expect(stepper.takeMissed() && !stepper.takeMissed() && stepper.position == nil)
    }

    @Test func `steps that slipped are noticed at the contact`() {
        var stepper = stepper(50)
        _ = stepper.received(.move(10))
        // It is really nearer than the count says.
        #expect(run(&stepper, from: 20) == 0)
        #expect(stepper.position == 0 && stepper.state == .resting)
    }

    @Test func `a stop leaves it where it is, and that is known`() {
        var stepper = stepper(0, isAtHome: true)
        _ = stepper.received(.move(80))
        for _ in 0..<30 { stepper.stepped(.forth) }
        _ = stepper.received(.stop)
        #expect(stepper.next == nil && stepper.position == 30)
    }

    @Test func `where it is is not known when its lines were lost on the way`() {
        var stepper = stepper(50)
        stepper.lose()
        #expect(stepper.position == 50)
        _ = stepper.received(.move(60))
        stepper.lose()
        #expect(stepper.next == nil && stepper.position == nil)
    }

    @Test func `whatever is commanded it stays within its way`() {
        for seed in 0..<50 {
            var chance = Chance(seed: UInt64(seed))
            var place = Int64.random(in: 0...100, using: &chance)
            var stepper = stepper(seed % 2 == 0 ? place : nil, isAtHome: place == 0)
            for _ in 0..<2_000 {
                switch Int.random(in: 0..<60, using: &chance) {
                case 0: _ = stepper.received(.home)
                case 1: _ = stepper.received(.stop)
                case 2: _ = stepper.received(.move(Int64.random(in: -20...120, using: &chance)))
                default:
                    guard let next = stepper.next else { continue }
                    place += next == .forth ? 1 : -1
                    stepper.stepped(next)
                    stepper.home(place <= 0)
                    #expect((0...100).contains(place), "seed \(seed)")
                    if let position = stepper.position { #expect(position == place, "seed \(seed)") }
                }
            }
        }
    }
}
