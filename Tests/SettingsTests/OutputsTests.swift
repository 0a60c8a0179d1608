import Control
import Profiles
import Settings
import Testing

@Suite struct OutputsTests {
    private static let start = """
        ports: { bus: { match: { usb: "0403:6001" }, baudrate: 9600 } }
        devices:

        """

    /// The outputs of a configuration that must be without complaint, by `device/point`.
    private func outputs(_ devices: String) throws -> [String: ActuatorSettings] {
        var found: [String: ActuatorSettings] = [:]
        for device in try settings(Self.start + devices).devices {
            for point in device.points { found["\(device.key)/\(point.definition.name)"] = point.actuator }
        }
        return found
    }

    private func board(_ points: String) -> String {
        "  board: { profile: waveshare-modbus-relay-8, port: bus, points: { \(points) } }\n"
    }

    @Test func `an output without words of its own is left alone`() throws {
        let safety = try #require(try outputs(board(""))["board/relay_1"]).safety
        #expect(safety.safe == nil && safety.initial == nil && safety.maxOn == nil && safety.interlock.isEmpty)
        #expect(safety.off == "OFF")
    }

    @Test func `every key is read`() throws {
        let output = try #require(
            try outputs(
                board(
                    """
                    relay_1: { command: { safe: "OFF", initial: keep, safe_after: 60s, max_on: 15m, min_off: 30s, \
                    interlock: [relay_2], max_age: 5s, rate_limit: 6/min, ignore_retained: true } }
                    """))["board/relay_1"])
        #expect(output.safety.safe == "OFF")
        #expect(output.safety.initial == nil)
        #expect(output.safety.safeAfter == .seconds(60))
        #expect(output.safety.maxOn == .seconds(900))
        #expect(output.safety.minOff == .seconds(30))
        #expect(output.safety.interlock == [Actuators.Name(device: "board", point: "relay_2")])
        #expect(output.maxAge == .seconds(5))
        #expect(output.rateLimit == RateLimit(count: 6, period: .seconds(60)))
    }

    @Test func `never and off are no limits`() throws {
        let output = try #require(
            try outputs(
                board("relay_1: { command: { max_on: never, safe_after: never, max_age: never, rate_limit: off } }"))[
                    "board/relay_1"])
        #expect(output.maxAge == nil && output.rateLimit == nil && output.safety.maxOn == nil)
        #expect(output.safety.safe == nil)
    }

    @Test func `an output with a rule begins and rests at off, unless it says otherwise`() throws {
        let outputs = try outputs(
            board(
                """
                relay_1: { command: { max_on: 1m } }, relay_2: { command: { min_off: 1m, safe: keep } }, \
                relay_3: { command: { safe: "ON" } }, relay_4: { command: { safe: "OFF", initial: "ON" } }
                """))
        #expect(outputs["board/relay_1"]?.safety.safe == "OFF")
        #expect(outputs["board/relay_1"]?.safety.initial == "OFF")
        #expect(outputs["board/relay_2"]?.safety.safe == nil)
        #expect(outputs["board/relay_2"]?.safety.initial == nil)
        #expect(outputs["board/relay_3"]?.safety.safe == "ON")
        #expect(outputs["board/relay_3"]?.safety.initial == "ON")
        #expect(outputs["board/relay_4"]?.safety.initial == "ON")
    }

    @Test func `an interlock holds for both, also on another device`() throws {
        let outputs = try outputs(
            """
              one: { profile: waveshare-modbus-relay-8, port: bus, points: { relay_1: { command: { interlock: [two/relay_3] } } } }
              two: { profile: waveshare-modbus-relay-8, port: bus, unit: 2, points: { relay_4: { command: { safe: keep, interlock: [one/relay_1] } } } }

            """)
        let (one, two) = (
            Actuators.Name(device: "one", point: "relay_1"), Actuators.Name(device: "two", point: "relay_3")
        )
        let four = Actuators.Name(device: "two", point: "relay_4")
        #expect(outputs["one/relay_1"]?.safety.interlock == [two, four])
        #expect(outputs["two/relay_3"]?.safety.interlock == [one])
        #expect(outputs["two/relay_3"]?.safety.safe == "OFF")
        #expect(outputs["two/relay_4"]?.safety.safe == nil)
    }

    @Test func `the words of the gateway and of readings are brought together`() throws {
        let output = try #require(
            try outputs(
                "  hvac: { profile: waveshare-modbus-relay-8, port: bus, points: { relay_1: { command: { max_on: 1h } } } }\n"
            )[
                "hvac/relay_1"])
        #expect(output.toggles == ["TOGGLE"])
        #expect(output.wordsRead.isEmpty)
    }

    @Test(arguments: [
        ("relay_1: { command: { safe: open } }", "'open' is not allowed for 'safe'", "one of ON, OFF, or keep"),
        (
            "relay_1: { command: { initial: TOGGLE } }", "'TOGGLE' is not allowed for 'initial'",
            "one of ON, OFF, or keep"
        ),
        ("relay_1: { command: { max_on: 15 } }", "'15' has no unit", "perhaps"),
        ("relay_1: { command: { max_on: 1ms } }", "1ms is not allowed for 'max_on'", "100ms"),
        ("relay_1: { command: { rate_limit: 6 } }", "'6' is not allowed for 'rate_limit'", "6/min"),
        ("relay_1: { command: { interlock: [relay_9] } }", "there is no output 'relay_9'", "did you mean 'relay_"),
        ("relay_1: { command: { interlock: [relay_1] } }", "an output can't be interlocked with itself", ""),
        (
            "relay_1: { command: { interlock: relay_2 } }", "'interlock' must be a list",
            "[relay_2, other-device/relay_1]"
        ),
        ("relay_1: { command: { max_on: 1m, safe: \"ON\" } }", "'safe: ON' does not go with 'max_on'", "rests at OFF"),
        ("relay_1: { command: { max_on: 1m, safe: keep } }", "'max_on' needs a safe state", "would stay on"),
        (
            "relay_1: { command: { interlock: [relay_2] } }, relay_2: { command: { safe: \"ON\" } }",
            "'relay_2' can't be interlocked", "safe"
        ),
        ("relay_1: { command: { ignore_retained: false } }", "a retained command can't be allowed", "every restart"),
        (
            "relay_1: { command: { maxon: 1m } }", "unknown key 'maxon' in 'devices.board.points.relay_1.command'",
            "max_on"
        ),
    ])
    func `what can't be is told, with what can`(points: String, message: String, hint: String) throws {
        let told = try problems(Self.start + board(points))
        #expect(told.count == 1)
        #expect(told.first?.contains(message) == true, "\(told)")
        #expect(hint.isEmpty || told.first?.contains(hint) == true, "\(told)")
        // All begin with file, line and column.
        #expect(told.first?.hasPrefix("martlet.yaml:5:") == true, "\(told)")
    }

    @Test func `a point that can't be written has no rules`() throws {
        let told = try problems(
            Self.start + "  m: { profile: eastron-sdm630, port: bus, points: { power: { command: { max_on: 1m } } } }\n"
        )
        #expect(told.first?.contains("'power' takes no commands") == true)
    }
}
