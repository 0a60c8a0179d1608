import Bytes
import Testing

@Suite struct JSONObjectTests {
    @Test func `members are written in order`() {
        var object = JSONObject()
        object.add("v", literal: "1234.5")
        object.add("u", "W")
        object.add("n", UInt64.max)
        #expect(String(decoding: object.bytes, as: UTF8.self) == #"{"v":1234.5,"u":"W","n":18446744073709551615}"#)
    }

    @Test func `no members make an empty object`() {
        #expect(JSONObject().bytes == Array("{}".utf8))
    }

    @Test(arguments: [
        (#"say "hi""#, #"say \"hi\""#), (#"a\b"#, #"a\\b"#),
        ("tab\tline\nend\u{0}\u{1F}", #"tab\u0009line\u000aend\u0000\u001f"#),
        ("°C µg/m³ 😀", "°C µg/m³ 😀"), ("\u{7F}", "\u{7F}"),
    ])
    func `what must be escaped is, and nothing else`(text: String, expected: String) {
        var object = JSONObject()
        object.add("a", text)
        #expect(String(decoding: object.bytes, as: UTF8.self) == "{\"a\":\"\(expected)\"}")
    }
}
