import Profiles
import Serial
import Testing

@testable import martlet

@Suite struct ConfigurationInsertTests {
    private let entry: ConfigurationEntry = {
        var entry = ConfigurationEntry([], place: ("device", "/dev/ttyS0"), hasLine: false)
        entry.portKey = "bus"
        entry.devices = [.init(key: "meter", profile: "eastron-sdm630", unit: 1, note: "40 of 40 values fit")]
        return entry
    }()

    private func added(to text: String, withPort: Bool = true) throws -> String {
        var insert = ConfigurationInsert(text)
        return try insert.adding(entry, withPort: withPort)
    }

    @Test func `sections that are not there are put at the end`() throws {
        #expect(
            try added(to: "version: 1\n") == """
                version: 1

                ports:
                  bus:
                    device: /dev/ttyS0

                devices:
                  meter:  # 40 of 40 values fit
                    profile: eastron-sdm630
                    port: bus
                    unit: 1

                """)
    }

    @Test func `entries go behind the last of their section, indented as that one`() throws {
        let text =
            "ports:\n    one: { tcp: \"a:1\" }\n# of both\n\ndevices: # these\n    x: { port: one }\n\n# end\nbroker: {}\n"
        #expect(
            try added(to: text) == """
                ports:
                    one: { tcp: "a:1" }
                    bus:
                      device: /dev/ttyS0
                # of both

                devices: # these
                    x: { port: one }
                    meter:  # 40 of 40 values fit
                      profile: eastron-sdm630
                      port: bus
                      unit: 1

                # end
                broker: {}

                """)
    }

    @Test func `a port that is there already is not put in again`() throws {
        let text = try added(to: "ports:\n  bus: { device: /dev/ttyS0 }\n", withPort: false)
        #expect(text.hasPrefix("ports:\n  bus: { device: /dev/ttyS0 }\n\ndevices:\n  meter:"))
    }

    @Test func `a section in braces is left to the person`() {
        for text in ["ports: { a: { tcp: \"b:1\" } }\n", "devices: {}\n"] {
            #expect(throws: CommandFailure.self) { try added(to: text) }
        }
    }

    @Test func `what else a device could be stands in its comment`() throws {
        var profile = try #require(ProfileLibrary(folders: ["devices"]).sorted.first)
        profile.name = "a"
        var other = profile
        other.name = "b"
        let found = FoundDevice(
            line: LineSettings(baud: 19_200), unit: 7,
            candidates: [.init(profile: profile, fitting: 9, read: 9), .init(profile: other, fitting: 3, read: 4)])
        let entry = ConfigurationEntry([found], place: ("device", "/dev/ttyS0"), hasLine: true)
        #expect(
            entry.text == """
                ports:
                  bus:
                    device: /dev/ttyS0
                    baudrate: 19200
                    format: 8N1
                devices:
                  a-7:  # 9 of 9 values fit; or is it b (3 of 4 values fit)?
                    profile: a
                    port: bus
                    unit: 7

                """)
    }
}
