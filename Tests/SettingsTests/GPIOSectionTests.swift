import Control
import Decoders
import Documents
import Mapping
import Testing

@testable import Settings

@Suite struct GPIOSectionTests {
    private func read(_ gpio: String) throws -> (settings: GatewaySettings?, problems: [String]) {
        let text = "version: 1\ngateway: { id: shed }\ngpio:\n" + gpio
        let read = Configuration.read(text, file: "shed.yaml", profiles: [:])
        return (read.settings, read.problems.map(\.message))
    }

    @Test func `a contact is a point with two words, told at once`() throws {
        let read = try read(
            "  door: { line: GPIO17, input: { bias: pull-up, active: low, debounce: 30ms }, as: contact, class: door }")
        let device = try #require(read.settings?.gpio.first)
        #expect(device.lines.first?.address == .named("GPIO17"))
        #expect(device.lines.first?.isActiveLow == true && device.lines.first?.bias == .pullUp)
        let contact = LineFunction.level(point: "contact", active: "closed", inactive: "open")
        #expect(device.use == .input(contact, debounce: .milliseconds(30), keeps: nil, start: 0))
        let point = try #require(read.settings?.mapping.devices.first?.points.first)
        #expect(point.name == "contact" && point.class == "door" && point.publish.report.minInterval == .zero)
    }

    @Test func `a button's press is an event that nobody gets later`() throws {
        let read = try read("  bell: { line: GPIO5, as: button }")
        let publish = try #require(read.settings?.mapping.devices.first?.points.first?.publish)
        #expect(publish.retain == false && publish.report.when == .always)
    }

    @Test func `a counter's start is kept in pulses, and its rate in the unit that was asked for`() throws {
        let read = try read(
            "  pv: { line: A, as: counter, counter: { per_unit: 1000, unit: kWh, start: 12.5, rate: { unit: W } } }")
        guard case .input(.counter(let settings), _, let keeps, let start) = read.settings?.gpio.first?.use else {
            Issue.record("no counter")
            return
        }
        #expect(start == 12_500 && keeps == .seconds(60) && settings.rateFactor == 3_600_000)
        #expect(read.settings?.gpio.first?.points.map(\.unit) == ["kWh", "W"])
    }

    @Test func `an output rests at OFF unless somebody says otherwise`() throws {
        let read = try read("  pump: { line: A, output: {}, as: switch }")
        let safety = try #require(read.settings?.gpio.first?.points.first?.actuator?.safety)
        #expect(safety.safe == "OFF" && safety.initial == "OFF")
        #expect(read.settings?.mapping.devices.first?.points.first?.isWritable == true)
    }

    @Test func `outputs on lines are interlocked in both directions`() throws {
        let read = try read(
            "  up: { line: A, output: {}, as: switch, command: { interlock: [down] } }\n"
                + "  down: { line: B, output: {}, as: switch }")
        let partners = read.settings?.gpio.compactMap { $0.points.first?.actuator?.safety.interlock.first?.device }
        #expect(partners == ["down", "up"])
    }

    @Test func `a cover has two relays and what contacts there are`() throws {
        let read = try read(
            "  gate: { as: cover, lines: { open: A, close: B, closed: C }, output: { active: low }, "
                + "input: { debounce: 20ms }, cover: { open_time: 18s, close_time: 17s }, command: { rate_limit: 6/min } }"
        )
        let device = try #require(read.settings?.gpio.first)
        #expect(device.lines.map(\.address) == [.named("A"), .named("B"), .named("C")])
        #expect(device.lines.map(\.isActiveLow) == [true, true, false])
        guard case .cover(let cover, _, let debounce) = device.use else {
            Issue.record("no cover")
            return
        }
        #expect(cover.openTime == .seconds(18) && cover.closeTime == .seconds(17) && debounce == .milliseconds(20))
        #expect(cover.hasClosedContact && !cover.hasOpenedContact)
        #expect(device.points.map(\.actuator?.rateLimit?.count) == [6, 6])
        #expect(read.settings?.mapping.devices.first?.points.map(\.isWritable) == [true, true])
    }

    @Test func `a stepper has a way in units and a contact where it begins`() throws {
        let read = try read(
            "  valve: { as: stepper, lines: { step: A, direction: B, home: C }, input: { active: low }, "
                + "stepper: { maximum: 100, steps_per_unit: 20, unit: \"%\" } }")
        let device = try #require(read.settings?.gpio.first)
        guard case .stepper(let stepper, _) = device.use else {
            Issue.record("no stepper")
            return
        }
        #expect(stepper.steps == 0...2_000 && stepper.speed == 200 && !stepper.hasEnable)
        #expect(device.lines.map(\.isActiveLow) == [false, false, true])
        #expect(device.points.map(\.unit) == [nil, "%"])
    }

    @Test func `a channel of a PWM chip takes a level and is off at 0`() throws {
        let read = try read(
            "  dimmer: { as: pwm, pwm: { chip: /sys/x/pwmchip*, channel: 1, frequency: 25000 }, command: { max_on: 2h } }"
        )
        let device = try #require(read.settings?.gpio.first)
        guard case .pwm(let pwm) = device.use else {
            Issue.record("no PWM")
            return
        }
        #expect(pwm.chip == "/sys/x/pwmchip*" && pwm.channel == 1 && pwm.frequency == 25_000 && device.lines.isEmpty)
        let safety = try #require(device.points.first?.actuator?.safety)
        #expect(safety.off == "0" && safety.safe == "0" && safety.initial == "0" && safety.maxOn == .seconds(7_200))
    }

    @Test func `a watchdog has no point, and goes on and off every second`() throws {
        let device = try #require(try read("  dog: { line: A, output: {}, as: watchdog }").settings?.gpio.first)
        #expect(device.use == .watchdog(period: .seconds(1), .pushPull) && device.points.isEmpty)
    }

    @Test(arguments: [
        ("  a: { line: gpiochip0, as: contact }", "'gpiochip0' is not a line's name"),
        ("  a: { line: { chip: gpiochip0, offset: 3 }, as: contact }", "a chip is not found by its number"),
        ("  a: { line: A, as: switch }", "a switch can be one that somebody presses, or one that is switched"),
        ("  a: { line: A, output: {}, as: counter }", "a counter is no output"),
        ("  a: { line: A, as: contact }\n  b: { line: A, as: contact }", "'b' and 'a' have the same line"),
        (
            "  a: { line: A, output: {}, as: switch, command: { initial: keep } }",
            "a GPIO line can't be taken without a level"
        ),
        ("  a: { as: contact }", "'line' is missing in 'gpio.a'"),
        ("  a: { as: cover, lines: { open: A, close: B } }", "'cover' is missing in 'gpio.a'"),
        ("  a: { as: cover, lines: { open: A }, cover: { open_time: 9s, close_time: 9s } }", "'close' is missing"),
        (
            "  a: { as: cover, lines: { open: A, close: A }, cover: { open_time: 9s, close_time: 9s } }",
            "have the same line"
        ),
        (
            "  a: { as: cover, lines: { open: A, close: B }, cover: { open_time: 9s, close_time: 9s }, "
                + "command: { max_on: 1s } }", "unknown key 'max_on'"
        ),
        ("  a: { as: stepper, lines: { step: A, direction: B }, stepper: { maximum: 1 } }", "'home' is missing"),
        (
            "  a: { as: stepper, lines: { step: A, direction: B, home: C }, stepper: { maximum: 0 } }",
            "is none that a stepper can go"
        ),
        ("  a: { as: pwm }", "'pwm' is missing in 'gpio.a'"),
        ("  a: { as: pwm, pwm: { chip: pwmchip0 } }", "'pwmchip0' is no folder of a chip"),
        ("  a: { as: pwm, pwm: { chip: /sys/a }, command: { safe: 101 } }", "'101' is not"),
        ("  a: { line: A, as: watchdog }", "a watchdog is an output"),
    ])
    func `what can't be is told`(gpio: String, message: String) throws {
        let told = try read(gpio).problems
        #expect(told.contains { $0.contains(message) }, "\(told)")
    }
}
