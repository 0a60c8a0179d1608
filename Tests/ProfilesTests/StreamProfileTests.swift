import Decoders
import Documents
import Readings
import Testing

@testable import Profiles

/// Devices that a user describes without a line of Swift.
@Suite struct StreamProfileTests {
    private let greenhouse = """
        profile: greenhouse
        bus: { kind: serial, baudrate: 115200, every: 2s }
        lines: { max: 120, match: 'T=(?<temp>-?\\d+\\.\\d+);H=(?<hum>\\d+);PUMP=(?<pump>[01])' }
        points:
          temperature: { from: temp, unit: °C, offset: -0.4 }
          humidity: { from: hum, unit: "%" }
          pump: { from: pump, map: { "0": idle, "1": running } }
        tests:
          - recv: "54 3D 32 31 2E 35 3B 48 3D 34 30 3B 50 55 4D 50 3D 31 0A"
            gives: { temperature: 21.1, humidity: 40, pump: running }
        """

    private let frames = """
        profile: toy
        bus: { kind: serial, every: 1s, echo: drop, idle_reset: 200ms }
        requests:
          read: { send: 05, every: 5s, wait: 300ms }
          wake: { text: "W", every: once }
        frames:
          a: { start: AA, length: { at: 1, type: u8, add: 3 }, checksum: { sum8: [0, -2], at: -1 } }
          b: { start: BB, end: 0D, max: 20 }
        points:
          x: { frame: a, at: 2, type: u16le, scale: 0.1, unit: V, not_available: [ 0xFFFF ] }
          y: { frame: b, at: 1, type: u8, mask: 0xF0, map: { 4: four } }
          z: { frame: b, at: -2, type: u8, bit: 0 }
        tests:
          - { send: "05", recv: "AA 02 E8 03 97 BB 41 42 0D", gives: { x: 100, y: four, z: 0 } }
        """

    private func read(_ text: String) -> (Profile?, [String]) {
        let (profiles, problems) = Profile.read(text, file: "toy.yaml")
        return (profiles.first, problems.map(\.description))
    }

    @Test func `lines and frames are described in YAML, and prove themselves`() throws {
        for text in [greenhouse, frames] {
            let (profile, problems) = read(text)
            #expect(problems.isEmpty, "\(problems)")
            #expect(ProfileTestRun.failures(of: try #require(profile), at: .now) == [])
        }
    }

    @Test func `requests have their pace and their wait`() throws {
        guard case .serial(let bus) = try #require(read(frames).0).bus else { return #expect(Bool(false)) }
        #expect(bus.echoes)
        #expect(bus.longestPause == .milliseconds(200))
        #expect(
            bus.requests == [
                StreamRequest(name: "read", bytes: [5], every: .seconds(5), wait: .milliseconds(300)),
                StreamRequest(name: "wake", bytes: [0x57], every: nil, wait: .seconds(1)),
            ])
    }

    @Test func `a raw value that means nothing gives nothing`() throws {
        let wrong = frames.replacing("E8 03 97", with: "FF FF AA").replacing("x: 100,", with: "x: 6553.5,")
        let failures = ProfileTestRun.failures(of: try #require(read(wrong).0), at: .now)
        #expect(failures.first?.contains("x: not in the message") == true)
    }

    @Test(arguments: [
        ("length: { at: 1, type: u8, add: 3 }", "size: 3", "a frame needs 'length' or 'end'"),
        ("sum8: [0, -2]", "crc9: [0, -2]", "which checksum is it?"), ("sum8: [0, -2]", "sum8: 7", "must be a list"),
        ("type: u16le", "type: u17", "'u17' is not a type"),
        ("frame: b, at: 1", "at: 1", "which frame is this point in?"),
        ("frame: b, at: 1", "frame: c, at: 1", "there is no frame 'c'"),
        ("send: 05", "sent: 05", "one of 'send' and 'text'"),
        ("every: 5s", "every: 1ms", "too often"), ("start: AA", "start: AX", "not allowed for 'start'"),
        ("echo: drop", "decoder: dsmr-p1", "exclude each other"), ("\"05\", recv", "\"06\", recv", ""),
    ])
    func `what can't be a frame is told`(old: String, new: String, message: String) {
        let (profile, problems) = read(frames.replacing(old, with: new))
        if message.isEmpty {
            #expect(
                profile.map { ProfileTestRun.failures(of: $0, at: .now) }?.first?.contains("no request sends 06")
                    == true)
        } else {
            #expect(problems.contains { $0.contains(message) }, "\(problems)")
        }
    }

    @Test(arguments: [
        ("(?<hum>\\d+)", "(?<hum>\\d+", "this pattern can't be used"),
        ("from: hum", "from: humm", "no pattern has a group"),
        ("max: 120, match:", "max: 120, macht:", "needs one of 'match'"),
        ("from: pump, ", "", "this point has no 'from'"),
        ("max: 120", "end: \"\"", "not allowed for 'end'"),
    ])
    func `what can't be a line is told`(old: String, new: String, message: String) {
        let (_, problems) = read(greenhouse.replacing(old, with: new))
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test func `without a format there is no device`() {
        let (_, problems) = read("profile: x\nbus: { kind: serial }\npoints: { a: { at: 1 } }\ntests: []")
        #expect(problems.first?.contains("a serial bus needs a 'decoder', or the profile 'lines' or 'frames'") == true)
    }
}
