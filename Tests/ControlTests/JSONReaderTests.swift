import Testing

@testable import Control

@Suite struct JSONReaderTests {
    private func read(_ text: String) throws(JSONReader.Problem) -> [String: JSONReader.Scalar] {
        let members = try JSONReader.object(Array(text.utf8))
        return Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `every kind of value is read`() throws {
        #expect(
            try read(#" { "a" : "x" , "b":-1.5e+3,"c":true,"d":false ,"e":null } "#) == [
                "a": .text("x"), "b": .number("-1.5e+3"), "c": .boolean(true), "d": .boolean(false), "e": .null,
            ])
        #expect(try read("{}").isEmpty)
    }

    @Test func `escapes are undone`() throws {
        #expect(
            try read(#"{"a":"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00"}"#) == [
                "a": .text("\"\\/\u{8}\u{C}\n\r\té€😀")
            ])
    }

    @Test(arguments: [
        "", "{", "}", "[]", "{}x", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":1 "b":2}"#, #"{a:1}"#,
        #"{'a':1}"#, #"{"a":01}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":0x10}"#,
        #"{"a":nan}"#,
        #"{"a":1e999}"#, #"{"a":-}"#, #"{"a":tru}"#, #"{"a":"x}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u12G4"}"#,
        #"{"a":"\ud83d"}"#, #"{"a":"\ud83dx"}"#, #"{"a":"\ude00"}"#, #"{"a":"\ud83d\u0041"}"#, "{\"a\":\"\n\"}",
        #"{"a":{}}"#, #"{"a":[1]}"#, #"{"a":1,"a":2}"#, #"{"a":"\"#, #"{"a":t"#,
    ])
    func `what is not a flat object is refused`(text: String) {
        #expect(throws: JSONReader.Problem.self) { try read(text) }
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        let bytes = Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        #expect(throws: JSONReader.Problem.self) { try JSONReader.object(bytes) }
    }

    @Test func `a problem says where`() {
        #expect(throws: JSONReader.Problem(text: "'01' is not a number", offset: 5)) { try read(#"{"a":01}"#) }
    }

    @Test func `no mutation stops the reader`() {
        let whole = Array(#"{"value":"ON\u00e9\n","id":"c1","t":1780000000123,"by":null,"x":true}"#.utf8)
        var random: UInt64 = 88_172_645_463_325_252
        func pick(_ below: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(below))
        }
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0...pick(4) where !bytes.isEmpty {
                let position = pick(bytes.count)
                switch pick(3) {
                case 0: bytes[position] = UInt8(pick(256))
                case 1: bytes.insert(UInt8(pick(256)), at: position)
                default:
                    bytes.removeSubrange(position..<min(bytes.count, position + pick(20)))
                }
            }
            _ = try? JSONReader.object(bytes)
            _ = try? Command(payload: bytes)
        }
    }
}
