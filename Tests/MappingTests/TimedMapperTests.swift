import Readings
import Testing

@testable import Mapping

@Suite struct TimedMapperTests {
    /// 2026-06-01, when the gateway of these tests starts.
    private static let truth: Int64 = 1_780_272_000_000
    private static let notBefore = Timestamp(milliseconds: truth - 3_600_000)

    private let start = ContinuousClock.now

    private func mapper(_ change: (inout MappedPoint) -> Void = { _ in }) -> TimedMapper {
        var power = MappedPoint(name: "power", unit: "W")
        power.interval = .seconds(2)
        change(&power)
        var settings = ClockSettings()
        settings.notBefore = Self.notBefore
        return TimedMapper(
            MappingSettings(gateway: "pi", devices: [MappedDevice(key: "meter", points: [power])]), settings,
            startedAt: start)
    }

    /// So many seconds after the start, by a clock that begins in 1970.
    private func unset(_ seconds: Double) -> ClockReading {
        ClockReading(
            instant: start + .seconds(seconds), time: Timestamp(milliseconds: Int64(seconds * 1000)), trust: .none)
    }

    private func set(_ seconds: Double, off: Int64 = 0) -> ClockReading {
        ClockReading(
            instant: start + .seconds(seconds), time: Timestamp(milliseconds: Self.truth + Int64(seconds * 1000) + off),
            trust: .synchronised)
    }

    /// Measured 100 ms before it is told.
    private func power(_ value: Double, _ clock: ClockReading) -> DeviceReport {
        .readings([
            Reading(
                device: "meter", point: "power", value: .number(value), unit: "W",
                measuredAt: .noticed(clock.instant - .milliseconds(100)))
        ])
    }

    /// Topic's last level, value or state, time after the true start, quality or reason, number after the first.
    private func texts(_ publications: [Publication]) -> [String] {
        publications.map { publication in
            let topic = String(decoding: publication.topic, as: UTF8.self).split(separator: "/").dropFirst()
            return topic.joined(separator: "/") + " " + String(decoding: publication.payload, as: UTF8.self)
        }
    }

    private func reading(_ value: Int, at milliseconds: Int64, _ quality: String = "good", n: Int64) -> String {
        #"meter/power {"v":\#(value),"u":"W","t":\#(Self.truth + milliseconds),"q":"\#(quality)","n":\#(n)}"#
    }

    @Test func `with a clock that is set everything passes at once`() {
        var mapper = mapper()
        #expect(mapper.tick(set(0)).count == 2)
        #expect(texts(mapper.received(power(5, set(1)), set(1))) == [reading(5, at: 900, n: Self.truth)])
        #expect(mapper.clock == .set)
    }

    @Test func `what was measured before the clock was set passes then, with its right time and in its order`() {
        var mapper = mapper { $0.publish.report.when = .always }
        #expect(mapper.tick(unset(0)).isEmpty)
        #expect(mapper.received(power(5, unset(2)), unset(2)).isEmpty)
        #expect(mapper.received(.status(device: "meter", .online, since: .noticed(start)), unset(2)).isEmpty)
        #expect(mapper.received(power(6, unset(4)), unset(4)).isEmpty)
        #expect(mapper.clock == .awaited)
        let number = Self.truth + 9000
        let expected = [
            #"$online {"state":"online","since":\#(Self.truth)}"#,
            #"meter/$online {"state":"offline","since":\#(Self.truth),"reason":"starting","#
                + #""detail":"not heard of since the gateway started"}"#,
            reading(5, at: 1900, n: number),
            #"meter/$online {"state":"online","since":\#(Self.truth)}"#,
            reading(6, at: 3900, n: number + 1),
        ]
        #expect(texts(mapper.tick(set(9))) == expected)
    }

    @Test func `while something waits, it looks at the clock every second, and not after the limit`() {
        var mapper = mapper()
        #expect(mapper.wakeAt == start)
        _ = mapper.tick(unset(0))
        #expect(mapper.wakeAt == start + .seconds(1))
        _ = mapper.tick(unset(89.5))
        #expect(mapper.wakeAt == start + .seconds(90))
        _ = mapper.tick(unset(90))
        #expect(mapper.wakeAt == nil)
    }

    @Test func `a clock that is not set in time makes estimates, never earlier than is possible`() {
        var mapper = mapper()
        _ = mapper.received(power(5, unset(89)), unset(89))
        let publications = texts(mapper.tick(unset(90)))
        let least: Int64 = -3_600_000
        #expect(publications.first == #"$online {"state":"online","since":\#(Self.truth + least)}"#)
        let expected = reading(5, at: least + 88_900, "estimated", n: Self.truth + least + 90_000)
        #expect(publications.last == expected)
        #expect(mapper.clock == .estimated)
    }

    @Test func `of two estimates the later time is the better one`() {
        var mapper = mapper()
        _ = mapper.tick(unset(90))
        let later = ClockReading(
            instant: start + .seconds(100), time: Timestamp(milliseconds: Self.truth), trust: .none)
        let text = texts(mapper.received(power(6, later), later)).first ?? ""
        let expected = #""t":\#(Self.truth - 100),"q":"estimated""#
        #expect(text.contains(expected))
    }

    @Test func `a clock that is set late ends the estimating`() {
        var mapper = mapper()
        _ = mapper.tick(unset(90))
        let text = texts(mapper.received(power(5, set(95)), set(95))).first ?? ""
        let expected = #""t":\#(Self.truth + 94_900),"q":"good""#
        #expect(text.contains(expected))
        #expect(mapper.clock == .set)
    }

    @Test func `a kept time is believed unless it is one from before this version`() {
        var early = mapper()
        let empty = ClockReading(instant: start, time: Timestamp(milliseconds: 1_000), trust: .kept)
        #expect(early.tick(empty).isEmpty)
        var kept = mapper()
        #expect(kept.tick(ClockReading(instant: start, time: Self.notBefore, trust: .kept)).count == 2)
    }

    @Test func `a device's own time stands, and so does its quality`() {
        var mapper = mapper()
        let told = Reading(
            device: "meter", point: "power", value: .number(5), unit: "W", measuredAt: .at(Timestamp(milliseconds: 7)))
        _ = mapper.received(.readings([told]), unset(89))
        #expect(texts(mapper.tick(unset(90))).last?.contains(#""t":7,"q":"good""#) == true)
    }

    // The rule says: changes, at most one a second. The wait must not make one message of ten seconds.
    @Test func `readings that waited make the messages that they would have made, with what is left of their expiry`() {
        var waiting = mapper()
        var live = mapper()
        var expected = texts(live.tick(set(0)))
        for second in 1...10 {
            _ = waiting.received(power(Double(second), unset(Double(second))), unset(Double(second)))
            expected += texts(live.received(power(Double(second), set(Double(second))), set(Double(second))))
        }
        let publications = waiting.tick(set(11))
        let withoutNumbers = { (texts: [String]) -> [Substring] in texts.map { $0.split(separator: #","n":"#)[0] } }
        #expect(withoutNumbers(texts(publications)) == withoutNumbers(expected))
        let left: [UInt32?] = (1...10).map { UInt32(3600 - 11 + $0) }
        #expect(publications.dropFirst(2).map(\.expirySeconds) == left)
    }

    @Test func `a value that went stale while it waited says so, at its time`() {
        var mapper = mapper()
        _ = mapper.received(power(5, unset(1)), unset(1))
        _ = mapper.received(power(5, unset(20)), unset(20))
        let qualities = texts(mapper.tick(set(21))).dropFirst(2).map { $0.contains("stale") }
        #expect(qualities == [false, true, false])
    }

    // The clock is set back by a minute, then forward by an hour: numbers and count stay, only times move.
    @Test func `a step of the clock neither doubles nor reorders`() {
        var mapper = mapper { $0.publish.report.when = .always }
        _ = mapper.tick(set(0))
        var publications: [Publication] = []
        for (second, off) in [(1, 0), (2, -60_000), (3, -60_000), (4, 3_600_000)] as [(Double, Int64)] {
            publications += mapper.received(power(second, set(second, off: off)), set(second, off: off))
            publications += mapper.tick(set(second, off: off))
        }
        let times: [Int64] = [900, -58_100, -57_100, 3_603_900]
        let expected = times.indices.map { reading($0 + 1, at: times[$0], n: Self.truth + Int64($0)) }
        #expect(texts(publications) == expected)
    }

    @Test func `a clock that was set and is not kept right any more is believed on`() {
        var mapper = mapper()
        _ = mapper.tick(set(0))
        var drifting = set(5)
        drifting.trust = .none
        let text = texts(mapper.received(power(5, drifting), drifting)).first ?? ""
        #expect(text.contains(#""q":"good""#))
    }

    @Test func `too many readings wait no longer`() {
        var mapper = mapper { $0.publish.report.when = .always }
        var passed = 0
        for second in 0...5_000 {
            passed += mapper.received(power(1, unset(1)), unset(1 + Double(second) / 1000)).count
        }
        #expect(mapper.clock == .estimated)
        #expect(passed == 5_003)
    }

    @Test func `when the gateway stops, what waits goes out first`() {
        var mapper = mapper()
        _ = mapper.received(power(5, unset(1)), unset(1))
        let last = texts(mapper.stop(unset(2)))
        #expect(last.contains { $0.contains(#""v":5"#) && $0.contains("estimated") })
        #expect(last.last?.contains("stopping") == true)
    }

    @Test func `without patience the clock is believed as it is`() {
        var settings = ClockSettings()
        settings.patience = nil
        var mapper = TimedMapper(MappingSettings(gateway: "pi", devices: []), settings, startedAt: start)
        #expect(texts(mapper.tick(unset(7))) == [#"$online {"state":"online","since":0}"#])
    }
}
