import Bytes
import Decoders
import Readings
import Testing

@Suite struct LineDecoderTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    private func decoder(
        _ function: LineFunction, levels: [Bool] = [false], kept: Int64 = 0, debounce: Duration = .zero
    ) -> LineDecoder {
        LineDecoder(function, levels: levels, kept: kept, debounce: debounce, at: time(0))
    }

    private func edge(_ isActive: Bool, _ milliseconds: Int64, line: Int = 0) -> LineEdge {
        LineEdge(line: line, isActive: isActive, time: time(milliseconds))
    }

    private let contact = LineFunction.level(point: "contact", active: "closed", inactive: "open")

    private func counter(_ change: (inout PulseCounter.Settings) -> Void = { _ in }) -> LineFunction {
        var settings = PulseCounter.Settings()
        change(&settings)
        return .counter(settings)
    }

    @Test func `a contact is told with the time of its edge`() {
        var decoder = decoder(contact)
        #expect(decoder.current(at: time(1)) == [LineReading("contact", .text("open"), at: time(1))])
        #expect(decoder.received(edge(true, 5)) == [LineReading("contact", .text("closed"), at: time(5))])
        #expect(decoder.received(edge(true, 6)).isEmpty)
        #expect(decoder.received(edge(false, 9)) == [LineReading("contact", .text("open"), at: time(9))])
    }

    @Test func `a contact that bounces is told once, with the time at which it came to rest`() {
        var decoder = decoder(contact, debounce: .milliseconds(20))
        for (at, level) in [(100, true), (102, false), (103, true), (107, false), (109, true)] as [(Int64, Bool)] {
            #expect(decoder.received(edge(level, at)).isEmpty)
        }
        #expect(decoder.wakeAt(time(110)) == time(129))
        #expect(decoder.tick(at: time(128)).isEmpty)
        #expect(decoder.tick(at: time(129)) == [LineReading("contact", .text("closed"), at: time(109))])
        // A spike of 5 ms changes nothing.
        #expect(decoder.received(edge(false, 200)).isEmpty)
        #expect(decoder.received(edge(true, 205)).isEmpty)
        #expect(decoder.tick(at: time(400)).isEmpty)
    }

    @Test func `lost edges of a contact leave the level that it has now`() {
        var decoder = decoder(contact)
        #expect(decoder.resync(levels: [true], at: time(7)) == [LineReading("contact", .text("closed"), at: time(7))])
        #expect(decoder.resync(levels: [true], at: time(8)).isEmpty)
    }

    @Test func `presses are a click, a double click, or a long press`() {
        var decoder = decoder(.button(ButtonDecoder.Settings()))
        func told(_ readings: [LineReading]) -> [String] { readings.map { "\($0.value)" } }
        #expect(decoder.received(edge(true, 0)).isEmpty)
        #expect(decoder.received(edge(false, 100)).isEmpty)
        #expect(told(decoder.tick(at: time(500))) == ["click"])
        #expect(decoder.received(edge(true, 1_000)).isEmpty)
        #expect(decoder.received(edge(false, 1_100)).isEmpty)
        #expect(decoder.received(edge(true, 1_200)).isEmpty)
        #expect(told(decoder.received(edge(false, 1_300))) == ["double"])
        #expect(decoder.received(edge(true, 2_000)).isEmpty)
        #expect(told(decoder.tick(at: time(2_800))) == ["long"])
        #expect(decoder.received(edge(false, 3_000)).isEmpty)
        #expect(decoder.wakeAt(time(3_000)) == nil)
    }

    @Test func `a button that is held while the gateway starts has not been pressed`() {
        var decoder = decoder(.button(ButtonDecoder.Settings()), levels: [true])
        #expect(decoder.wakeAt(time(0)) == nil)
        #expect(decoder.received(edge(false, 50)).isEmpty && decoder.tick(at: time(2_000)).isEmpty)
    }

    @Test func `pulses that are long enough count, disturbances do not, at any pace`() {
        var decoder = decoder(
            counter {
                $0.perUnit = 1_000
                $0.minimumPulse = .milliseconds(25)
            }, kept: 12_345_678)
        var now: Int64 = 0
        for number in 0..<1_000 {
            _ = decoder.received(edge(true, now))
            _ = decoder.received(edge(false, now + 30))
            // Right after the pulse: a dead time would lose the next one.
            if number % 3 == 0 {
                _ = decoder.received(edge(true, now + 31))
                _ = decoder.received(edge(false, now + 33))
            }
            now += 62
        }
        #expect(decoder.kept == 12_346_678)
        #expect(decoder.current(at: time(now)).first?.value == .number(12_346.678))
    }

    @Test func `the rate comes from the time between pulses, and falls when the next is late`() {
        var decoder = decoder(
            counter {
                $0.perUnit = 1_000
                $0.rateFactor = 3_600_000
                $0.rateTimeout = .seconds(60)
            })
        func rate(_ at: Int64) -> Value? { decoder.current(at: time(at)).first { $0.point == "rate" }?.value }
        _ = decoder.received(edge(true, 0))
        #expect(rate(1) == nil)
        // One Wh in 3.6 s is 1,000 W.
        _ = decoder.received(edge(true, 3_600))
        #expect(rate(3_600) == .number(1_000))
        #expect(rate(7_200) == .number(1_000))
        #expect(rate(14_400 - 3_600) == .number(500))
        #expect(rate(63_600) == .number(0))
        _ = decoder.tick(at: time(4_000))
        #expect(decoder.wakeAt(time(4_000)) == time(9_000))
    }

    @Test func `a fast counter is told ten times a second, and every pulse is in it`() {
        var decoder = decoder(counter())
        var told: [Value] = []
        for pulse in 0..<10_000 {
            _ = decoder.received(edge(true, Int64(pulse)))
            told += decoder.tick(at: time(Int64(pulse))).filter { $0.point == "total" }.map(\.value)
        }
        told += decoder.tick(at: time(11_000)).filter { $0.point == "total" }.map(\.value)
        #expect(told.last == .number(10_000) && (99...102).contains(told.count))
    }

    @Test func `a frequency is measured over whole periods`() {
        var decoder = decoder(.frequency(FrequencyMeter.Settings(), scale: 0.5))
        for pulse in 0..<13 { _ = decoder.received(edge(true, Int64(pulse) * 80)) }
        #expect(decoder.tick(at: time(1_000)).map(\.value) == [.number(6.25)])
        // Slower, and then still.
        #expect(decoder.tick(at: time(2_000)).map(\.value) == [.number(0.4808)])
        #expect(decoder.tick(at: time(6_000)).map(\.value) == [.number(0)])
    }

    @Test func `a knob is followed in both directions, and stops at its ends`() {
        var settings = RotaryEncoder.Settings()
        settings.maximum = 3
        settings.minimum = 0
        var decoder = decoder(.encoder(settings), levels: [false, false], kept: 2)
        var now: Int64 = 0
        func turn(_ lines: [(Int, Bool)]) {
            for (line, level) in lines {
                now += 1
                _ = decoder.received(edge(level, now, line: line))
            }
        }
        let right = [(0, true), (1, true), (0, false), (1, false)]
        let left = [(1, true), (0, true), (1, false), (0, false)]
        turn(right + right + right)
        #expect(decoder.kept == 3)
        turn(left + left)
        #expect(decoder.kept == 1)
        #expect(decoder.tick(at: time(now + 200)).map(\.value) == [.integer(1)])
    }

    @Test func `no order of edges counts more pulses than there were, or makes a decoder wait for the past`() {
        var random = Xorshift(seed: 7)
        for _ in 0..<200 {
            var decoder = decoder(counter { $0.minimumPulse = .milliseconds(5) }, debounce: .milliseconds(2))
            var (now, level, rises) = (Int64(0), false, 0)
            for _ in 0..<100 {
                now += Int64.random(in: 0...12, using: &random)
                if Int.random(in: 0..<8, using: &random) == 0 {
                    _ = decoder.resync(levels: [level], at: time(now))
                } else {
                    level = Bool.random(using: &random)
                    rises += level ? 1 : 0
                    _ = decoder.received(edge(level, now))
                }
                _ = decoder.tick(at: time(now))
                if let wakeAt = decoder.wakeAt(time(now)) { #expect(wakeAt > time(now)) }
            }
            #expect((decoder.kept ?? 0) <= Int64(rises))
        }
    }
}
