import Bytes
import Documents
import Modbus
import Readings
import Testing

@testable import Profiles

/// Ranges, bit fields, addresses for writing, variants.
@Suite struct ProfileLanguageTests {
    private let head = """
        profile: toy
        products: [ { make: Toys, model: One } ]
        bus: { kind: modbus, baudrate: 9600 }
        defaults: { table: holding, type: u16 }

        """
    private let tests = """
        tests:
          - { send: "01 03 00 00 00 01 84 0A", recv: "01 03 02 00 07 F9 86", gives: { a: 7 } }

        """

    private func read(_ text: String) -> (profiles: [Profile], problems: [String]) {
        let (profiles, problems) = Profile.read(head + text + "\n" + tests, file: "toy.yaml")
        return (profiles, problems.map(\.description))
    }

    private func value(_ point: String, _ raw: RegisterValue) throws -> Value? {
        let (profiles, problems) = read("points: { a: { at: 0, \(point) } }")
        #expect(problems.isEmpty)
        return try #require(profiles.first?.point("a")).value(of: raw)
    }

    @Test func `bits take a part of a register`() throws {
        #expect(try value("bits: 4-7", .unsigned(0xABCD)) == .integer(0xC))
        #expect(try value("bits: 15", .unsigned(0x8000)) == .integer(1))
        #expect(try value("bits: 0-15", .unsigned(0xFFFF)) == .integer(0xFFFF))
        #expect(try value("type: u64, bits: 0-63", .unsigned(7)) == .integer(7))
        #expect(try value("bits: 2-3, map: { 0: none, 2: boost }", .unsigned(0b1011)) == .text("boost"))
    }

    @Test func `bits of a signed type have a sign`() throws {
        #expect(try value("type: s16, bits: 0-7", .integer(0x12FE)) == .integer(-2))
        #expect(try value("type: s16, bits: 8-15", .integer(-256)) == .integer(-1))
        #expect(try value("type: s16, bits: 8-15, scale: 0.5", .integer(0x1400)) == .number(10))
    }

    @Test(arguments: ["bits: 16", "type: float32, bits: 0-7", "type: bcd16, bits: 0-3"])
    func `bits that a value does not have are refused`(point: String) {
        let (profiles, problems) = read("points: { a: { at: 0, \(point) } }")
        #expect(profiles.isEmpty)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("does not have the bits") == true)
    }

    @Test(arguments: ["4-3", "x", "-1", "1-2-3", "0-64"])
    func `bits that are no bits are refused`(bits: String) {
        let problems = read("points: { a: { at: 0, bits: \(bits) } }").problems
        #expect(problems.count == 1)
        #expect(problems.first?.contains("write the lowest and the highest bit") == true)
    }

    @Test func `a value outside the range of its class is not plausible`() throws {
        let (profiles, problems) = read(
            """
            ranges: { voltage: { min: 0, max: 300 } }
            points:
              a: { at: 0, class: voltage }
              b: { at: 1, class: voltage, range: { min: 0, max: 1000 } }
              c: { at: 2 }
            """)
        #expect(problems.isEmpty)
        let profile = try #require(profiles.first)
        #expect(profile.point("a")?.isPlausible(.number(230)) == true)
        #expect(profile.point("a")?.isPlausible(.number(300.1)) == false)
        #expect(profile.point("a")?.isPlausible(.text("none")) == true)
        #expect(profile.point("b")?.isPlausible(.integer(400)) == true)
        #expect(profile.point("c")?.isPlausible(.integer(65_535)) == true)
    }

    @Test(arguments: [
        ("ranges: { voltage: { min: 1 } }", "'max' is missing"),
        ("ranges: { voltage: { min: 2, max: 1 } }", "min is more than max"),
        ("ranges: { votlage: { min: 1, max: 2 } }", "no point has the class 'votlage'"),
    ])
    func `a range that can't be meant is refused`(ranges: String, message: String) {
        let (profiles, problems) = read("\(ranges)\npoints: { a: { at: 0, class: voltage } }")
        #expect(profiles.isEmpty)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(message) == true)
    }

    @Test func `a command may be written elsewhere than where the state is read`() throws {
        let command = "command: { write: { fc: 6, at: 0x0101, \"ON\": 1 } }"
        let (profiles, problems) = read("points: { a: { at: 0, \(command) } }")
        #expect(problems.isEmpty)
        let point = try #require(profiles.first?.point("a"))
        #expect(point.request(for: "ON") == .writeSingleRegister(address: 0x0101, value: 1))
    }

    @Test func `a state in an input may be switched by a coil elsewhere`() throws {
        let command = "command: { write: { fc: 5, at: 3, \"ON\": 0xFF00 } }"
        let (profiles, problems) = read("points: { a: { at: 0, table: discrete, \(command) } }")
        #expect(problems.isEmpty)
        let point = try #require(profiles.first?.point("a"))
        #expect(point.request(for: "ON") == .writeSingleCoil(address: 3, value: 0xFF00))
    }

    @Test func `a variant is its profile with other points, another line and tests of its own`() throws {
        let (profiles, problems) = read(
            """
            points: { a: { at: 0 }, b: { at: 1 }, c: { at: 2, scale: 0.1 } }
            probe: { point: a, expect: { min: 0, max: 10 } }
            variants:
              toy-two:
                products: [ { make: Toys, model: Two } ]
                bus: { baudrate: 4800, format: 8E1, unit: 9 }
                points: { b: off, c: { at: 2, scale: 0.01 }, d: { at: 3 } }
                tests:
                  - { send: "01 03 00 03 00 01 74 0A", recv: "01 03 02 00 07 F9 86", gives: { d: 7 } }
            """)
        #expect(problems.isEmpty)
        #expect(profiles.map(\.name) == ["toy", "toy-two"])
        #expect(profiles.flatMap { ProfileTestRun.failures(of: $0, at: ContinuousClock.now) } == [])
        let two = try #require(profiles.last)
        #expect(two.points.map(\.name) == ["a", "c", "d"])
        #expect(two.point("c")?.value(of: .unsigned(5)) == .number(0.05))
        #expect(two.products == [Profile.Product(make: "Toys", model: "Two")])
        #expect(two.bus.baudrate == 4_800)
        #expect(two.bus.format.description == "8E1")
        #expect(two.probe == profiles.first?.probe)
        #expect(profiles.first?.points.map(\.name) == ["a", "b", "c"])
    }

    @Test(arguments: [
        ("b: off", "there is no point 'b'"), ("a: off", "the probe reads 'a', which this variant does not have"),
    ])
    func `a variant that drops what is needed or not there is refused`(points: String, message: String) {
        let (profiles, problems) = read(
            """
            points: { a: { at: 0 }, c: { at: 1 } }
            probe: { point: a }
            variants:
              toy-two:
                products: [ { model: Two } ]
                points: { \(points) }
                tests: [ { send: "01 03 00 01 00 01 D5 CA", recv: "01 03 02 00 07 F9 86", gives: { c: 7 } } ]
            """)
        #expect(profiles.isEmpty)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(message) == true)
    }

    @Test func `a variant without products and tests is refused`() {
        let problems = read("points: { a: { at: 0 } }\nvariants: { toy: {}, toy-two: {} }").problems
        #expect(problems.contains { $0.contains("'toy' can't be the name of a variant") })
        #expect(problems.contains { $0.contains("'products' is missing in 'variants.toy-two'") })
        #expect(problems.contains { $0.contains("a profile needs 'tests'") })
    }
}
