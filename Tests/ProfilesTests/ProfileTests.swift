import Bytes
import Documents
import Modbus
import Readings
import Testing

@testable import Profiles

@Suite struct ProfileTests {
    private let head = """
        profile: toy
        bus: { kind: modbus, format: 8E1 }
        defaults: { table: input, type: u16 }

        """
    private let tail = """

        tests:
          - { send: "01 04 00 00 00 01 31 CA", recv: "01 04 02 00 07 F8 F2", gives: { a: 7 } }
        """

    private func read(_ points: String) -> (Profile?, [String]) {
        let (profiles, problems) = Profile.read(head + points + tail, file: "toy.yaml")
        return (profiles.first, problems.map(\.description))
    }

    @Test func `a bare 8E1 is a line format and not a number`() throws {
        let (profile, problems) = read("points: { a: { at: 0 } }")
        #expect(problems.isEmpty)
        #expect(try #require(profile).bus.format.description == "8E1")
    }

    @Test func `scaled whole numbers have as many decimals as their scale`() throws {
        let (profile, _) = read(
            "points: { a: { at: 0 }, b: { at: 1, scale: 0.1 }, c: { at: 2, scale: 0.1, offset: -40 } }")
        let points = try #require(profile).points
        #expect(points[1].value(of: .unsigned(2_257)) == .number(225.7))
        #expect(points[2].value(of: .unsigned(651)) == .number(25.1))
        #expect(points[0].value(of: .integer(-3)) == .integer(-3))
    }

    @Test func `a raw value that means nothing measured gives nothing`() throws {
        let (profile, _) = read("points: { a: { at: 0, type: s16, not_available: [ 0x7FFF, -32768 ] } }")
        let point = try #require(profile?.point("a"))
        #expect(point.value(of: .integer(0x7FFF)) == nil)
        #expect(point.value(of: .integer(-32_768)) == nil)
        #expect(point.value(of: .integer(5)) == .integer(5))
    }

    @Test func `a scaled float has no digits that were not measured`() throws {
        let (profile, _) = read("points: { a: { at: 0, type: float32, scale: 0.001 } }")
        let point = try #require(profile?.point("a"))
        #expect(point.value(of: .number(230.2)) == .number(0.2302))
        #expect(point.value(of: .number(0)) == .number(0))
        #expect(point.value(of: .number(-1e-30))?.asNumber.map { $0 < 0 } == true)
    }

    @Test func `a manual's register number is refused with the address to write`() {
        let (profile, problems) = read("points: { a: { at: 30001 } }")
        #expect(profile == nil)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("30001 looks like a manual's register number") == true)
        #expect(problems.first?.contains("write 'at: 0'") == true)
    }

    @Test func `one-based addressing takes one off`() throws {
        let text =
            head.replacing("format: 8E1", with: "addressing: one-based") + "points: { a: { at: 30011 }, b: { at: 3 } }"
            + tail
        let points = try #require(Profile.read(text, file: "toy.yaml").profiles.first).points
        let addresses = points.map { point -> UInt16? in
            if case .register(let source) = point.source { source.point.address } else { nil }
        }
        #expect(addresses == [10, 2])
    }

    @Test func `who says how registers are counted is believed`() throws {
        let text = head.replacing("format: 8E1", with: "addressing: zero-based") + "points: { a: { at: 30775 } }" + tail
        let point = try #require(Profile.read(text, file: "toy.yaml").profiles.first?.points.first)
        guard case .register(let source) = point.source else { return #expect(Bool(false)) }
        #expect(source.point.address == 30_775)
    }

    @Test func `a value that would lie beyond the last register is refused`() {
        let (profile, problems) = read("points: { a: { at: 65535, type: float32 } }")
        #expect(profile == nil)
        #expect(problems.first?.contains("a float32 takes 2 registers, and 65535 is the last") == true)
    }

    @Test(arguments: [
        ("fc: 5, \"ON\": 1", "fc 5 writes to table 'coil', and this point is in 'holding'"),
        ("fc: 16, \"ON\": 1", "'fc' must be 5 (coil) or 6 (register)"),
        ("\"ON\": 1", "'fc' must be 5 (coil) or 6 (register)"),
        ("fc: 6", "this command takes no word"),
        ("fc: 6, \"ON\": 65536", "the value written for 'ON' must be 0 to 0xFFFF"),
    ])
    func `a command that can't be carried out is refused`(write: String, message: String) {
        let (profile, problems) = read("points: { a: { at: 0, table: holding, command: { write: { \(write) } } } }")
        #expect(profile == nil)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(message) == true)
    }

    @Test func `a probe says what the value of one point must be`() throws {
        let probe = "\nprobe: { point: a, expect: { any_of: [ { min: 99, max: 127 }, { min: 207, max: 253 } ] } }"
        let read = try #require(read("points: { a: { at: 0 } }" + probe).0?.probe)
        #expect(read.point == "a")
        #expect([230, 110].allSatisfy(read.accepts))
        #expect(![0, 150, 300].contains(where: read.accepts))
    }

    @Test(arguments: [
        ("{ point: b }", "there is no point 'b'"), ("{}", "'point' is missing in 'probe'"),
        ("{ point: a, expect: { min: 5 } }", "'max' is missing in 'probe.expect'"),
        ("{ point: a, expect: { min: 5, max: 4 } }", "min is more than max"),
        ("{ point: a, expects: 1 }", "unknown key 'expects'"),
    ])
    func `a probe that can't be made is refused`(probe: String, message: String) {
        let (profile, problems) = read("points: { a: { at: 0 } }\nprobe: \(probe)")
        #expect(profile == nil)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(message) == true)
    }

    @Test func `problems come all at once with their lines`() {
        let (_, problems) = read(
            "points:\n  a: { at: 0, tpye: u16 }\n  b: { at: 99999 }\n  c: { at: 1, table: inputs }")
        #expect(problems.count == 3)
        #expect(problems.first?.hasPrefix("toy.yaml:5:") == true)
        #expect(problems.first?.contains("did you mean 'type'?") == true)
    }

    @Test func `a profile without tests is refused`() {
        let (profiles, problems) = Profile.read(head + "points: { a: { at: 0 } }", file: "toy.yaml")
        #expect(profiles.isEmpty)
        #expect(problems.first?.message == "a profile needs 'tests' with real frames")
    }

    @Test func `a test that does not come true is told with its line`() throws {
        let wrong = tail.replacing("a: 7", with: "a: 8")
        let (profiles, _) = Profile.read(head + "points: { a: { at: 0 } }" + wrong, file: "toy.yaml")
        let failures = ProfileTestRun.failures(of: try #require(profiles.first), at: ContinuousClock.now)
        #expect(failures == ["line 6: a is 7, expected 8"])
    }

    @Test func `a test with a bad checksum is told`() throws {
        let wrong = tail.replacing("F8 F2", with: "F8 F3")
        let (profiles, _) = Profile.read(head + "points: { a: { at: 0 } }" + wrong, file: "toy.yaml")
        let failures = ProfileTestRun.failures(of: try #require(profiles.first), at: ContinuousClock.now)
        #expect(failures.first?.contains("checksum") == true)
    }
}
