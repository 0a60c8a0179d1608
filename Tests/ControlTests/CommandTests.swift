import Control
import Readings
import Testing

@Suite struct CommandTests {
    private func read(_ text: String) throws(Refusal) -> Command {
        try Command(payload: Array(text.utf8))
    }

    @Test(arguments: ["ON", " ON\n", "ON\r\n"])
    func `a plain payload is the value`(text: String) throws {
        #expect(try read(text) == Command(value: "ON"))
    }

    @Test func `an object says more`() throws {
        #expect(
            try read(#"{"value":"ON","id":"c1","t":1780000000123,"by":"anna"}"#)
                == Command(value: "ON", id: "c1", givenAt: Timestamp(milliseconds: 1_780_000_000_123), by: "anna"))
    }

    @Test(arguments: [
        (#"{"value":21.50}"#, "21.50"), (#"{"value":true}"#, "true"), (#"{"value":"a b"}"#, "a b"),
        (#"{"value":"x","id":null,"t":null,"by":null}"#, "x"),
    ])
    func `whatever kind the value has, it is text`(text: String, expected: String) throws {
        #expect(try read(text).value == expected)
    }

    @Test func `an id may be a number`() throws {
        #expect(try read(#"{"value":"ON","id":17}"#).id == "17")
    }

    @Test(arguments: [
        "", " \n", "{}", #"{"value":null}"#, #"{"id":"c1"}"#, #"{"value":"ON","t":"now"}"#, #"{"value":"ON","t":1.5}"#,
        #"{"value":"ON","id":true}"#, #"{"value":"ON""#, #"{"value":["ON"]}"#,
    ])
    func `what can't be understood is malformed`(text: String) {
        #expect(throws: Refusal.self) { try read(text) }
    }

    @Test func `a member that is not known may change the meaning, so it is refused`() {
        #expect(throws: Refusal(.malformed, "'for' is not known; known are value, id, t and by")) {
            try read(#"{"value":"ON","for":"5m"}"#)
        }
    }

    @Test func `broken JSON is told with its place`() {
        #expect(throws: Refusal(.malformed, "not JSON at byte 10: a value is missing here; text needs quotation marks"))
        {
            try read(#"{"value":ON}"#)
        }
    }

    @Test func `too long and not text are refused`() {
        #expect(throws: Refusal(.malformed, "1025 bytes are too long for a command (limit 1024)")) {
            try Command(payload: Array(repeating: 65, count: 1025))
        }
        #expect(throws: Refusal.self) { try Command(payload: [0xFF, 0xFE]) }
    }
}
