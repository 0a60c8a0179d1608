import Documents
import Settings
import Testing

@Suite struct ConfigurationTests {
    private struct Random {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
    }

    @Test func `a version and an id are enough`() throws {
        let (settings, problems) = try configuration("version: 1\ngateway: { id: pi-garage, name: Garage }\n")
        #expect(problems.isEmpty)
        #expect(settings?.id == "pi-garage")
        #expect(settings?.name == "Garage")
    }

    @Test(arguments: [
        ("", "the file says nothing"), ("# nothing\n", "the file says nothing"),
        ("- a\n", "the file must be a group of keys, not a list"),
        ("version: 1\ngateway: { id: a }\n---\nversion: 1\n", "a second document begins here"),
        ("gateway: { id: a }\n", "'version' is missing"), ("version: 1\n", "'gateway' is missing"),
        ("version: 1\ngateway: {}\n", "'id' is missing in 'gateway'"),
        ("version: 1\ngateway: { id: }\n", "'id' is empty in 'gateway'"),
        ("version:\ngateway: { id: a }\n", "'version' is empty"),
        ("version: 1.0\ngateway: { id: a }\n", "version '1.0' is not known"),
        ("version: 1\ngateway: { id: a/b }\n", "'a/b' is not allowed for 'id'"),
        ("version: 1\ngateway: { id: a }\nlog: { per: { bridg: info } }\n", "unknown key 'bridg' in 'log.per'"),
    ])
    func `a file that is none is told so`(text: String, message: String) throws {
        let (settings, problems) = try configuration(text)
        #expect(settings == nil)
        #expect(problems.map(\.message) == [message])
    }

    @Test func `a group whose keys are not indented is told so where it stands`() throws {
        let told = try configuration("version: 1\ngateway:\nid: a\n").problems.map(\.description)
        let expected = """
            martlet.yaml:2:1: error: 'gateway' is empty
                gateway:
                ^
              what belongs to it goes behind the colon, or below it with two spaces more before it; write \
            'gateway: { id: my-gateway }'; the id is the first part of every topic
            """
        #expect(told.first == expected)
        #expect(told.count == 2)
    }

    @Test func `warnings leave the settings`() throws {
        let (settings, problems) = try configuration(
            "version: 1\ngateway: { id: a }\nports: { p: { device: /dev/x } }\n")
        #expect(settings != nil)
        #expect(problems.map(\.severity) == [.warning])
    }

    @Test func `problems are in the order of the file`() throws {
        let text =
            "zzz: 1\nversion: 9\ngateway: { id: A }\nlog: { level: x }\nbroker: { sys_interval: 1 }\nupstream: 1\n"
        #expect(try configuration(text).problems.map(\.mark.line) == [1, 2, 3, 4, 5, 6])
    }

    @Test func `log levels by subsystem`() throws {
        let log = try settings("log: { level: warning, per: { devices: debug } }").log
        #expect(log.level == .warning)
        #expect(log.per == ["devices": .debug])
    }

    @Test(arguments: 1...150)
    func `a mutated configuration never crashes`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var lines = try Reference.uncommented().split(separator: "\n").map(Array.init)
        for _ in 0...random.next(below: 8) {
            let line = random.next(below: lines.count)
            switch random.next(below: 4) {
            case 0: lines.remove(at: line)
            case 1: lines.swapAt(line, random.next(below: lines.count))
            case 2: lines[line] = Array(lines[line].prefix(random.next(below: 40)))
            default:
                let words = ["~", "-1", "9999999999999999999", "[]", "{}", "é", "", "!secret y", "1e400", "\"\""]
                let key = lines[line].prefix { $0 != ":" }
                lines[line] = key + Array(": " + words[random.next(below: words.count)])
            }
        }
        let (settings, problems) = try configuration(lines.map { String($0) }.joined(separator: "\n"))
        #expect((settings == nil) == problems.contains { $0.severity == .error })
    }
}
