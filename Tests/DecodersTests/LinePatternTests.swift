import Decoders
import Testing

@Suite struct LinePatternTests {
    private func match(_ pattern: String, _ line: String) throws -> [String: String]? {
        let bytes = Array(line.utf8)
        return try LinePattern(pattern).fields(in: bytes[...]).map { fields in
            Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.text) })
        }
    }

    @Test(arguments: [
        (#"T=(?<t>-?\d+\.\d+)"#, "xx T=-3.25;", "-3.25"), (#"^(?<t>a|ab)c$"#, "abc", "ab"),
        (#"(?<t>a*?)b"#, "aaab", "aaa"), (#"(?<t>[^,]*),"#, "x y,z", "x y"), (#"(?<t>\w{2,3})"#, "abcd", "abc"),
        (#"(?<t>\w{2,3}?)"#, "abcd", "ab"), (#"(?:x|(?<t>y))+"#, "xyx", "y"), (#"(?<t>\x41\.\[\])"#, "A.[]", "A.[]"),
        ("(?<t>[0-9]+) ?°C", "21 °C", "21"), (#"(?P<t>[a-c\d-]+)"#, "xa1-", "a1-"), (#"(?<t>(a+)+)b"#, "aab", "aa"),
        (#"(?<t>a{0})b"#, "b", ""), ("(?<t>[]x]+)", "a]x", "]x"),
    ])
    func `patterns match as people expect`(pattern: String, line: String, expected: String) throws {
        let found = try match(pattern, line)
        #expect(found?["t"] == expected)
    }

    @Test(arguments: [(#"^(?<t>b)"#, "ab"), (#"(?<t>a)$"#, "ab"), (#"(?<t>\d)"#, "x"), (#"(?<t>a{3})"#, "aa")])
    func `and do not match what is not there`(pattern: String, line: String) throws {
        let found = try match(pattern, line)
        #expect(found == nil)
    }

    @Test(arguments: [
        ("(?<a>x", "no ')'"), ("x)", "no '('"), ("[a", "no ']'"), ("*a", "nothing to repeat"),
        ("(?<a>x)**", "repetition"),
        ("(?=x)", "looking ahead"), ("(?<a>x)(?<a>y)", "two groups"), ("x", "no named group"),
        (#"(?<a>\b)"#, "not available"),
        (#"(?<a>x)\1"#, "not available"), ("(?<a>x{2,1})", "less than"), ("(?<a>(.{99}){99})", "too long"),
        ("(?<a>[z-a])", "range"),
        ("(?<é>x)", "letters"), (#"(?<a>x)\"#, "ends after"), ("(?i)(?<a>x)", "begins"),
    ])
    func `what can't be read is told`(pattern: String, message: String) throws {
        do throws(LinePattern.Problem) {
            _ = try LinePattern(pattern)
            Issue.record("accepted")
        } catch {
            #expect(error.text.contains(message), "\(error.text)")
        }
    }

    // Going back and trying again takes 2^200 steps here.
    @Test(arguments: ["^(?<a>(a+)+)$", "^(?<a>(a|a)*)$", "^(?<a>(a*)*)b", "(?<a>(x+x+)+)y"])
    func `no pattern takes longer than the line is long`(pattern: String) throws {
        let line = String(repeating: pattern.contains("x") ? "x" : "a", count: 200) + "!"
        let clock = ContinuousClock.now
        let found = try match(pattern, line)
        #expect(found == nil)
        #expect(ContinuousClock.now - clock < .seconds(10))
    }

    // The standard library's matcher is slower and can be made to hang, but it knows what a pattern means.
    @Test func `random patterns match what the standard library matches`() throws {
        var random = Xorshift(seed: 11)
        var matched = 0
        for _ in 0..<1_500 {
            let text = "(?<g>" + Self.pattern(3, &random) + ")" + Self.pattern(1, &random)
            let line = String(
                (0..<Int.random(in: 0...7, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
            let expected = try Regex(text).firstMatch(in: line)?.output["g"]?.substring.map(String.init)
            let found = try match(text, line)?["g"]
            if found != nil { matched += 1 }
            #expect(found == expected, "\(text) on \(line)")
        }
        #expect(matched > 300)
    }

    private static func pattern(_ depth: Int, _ random: inout Xorshift) -> String {
        (0...Int.random(in: 0...2, using: &random)).map { _ in
            // A repeated group that may be empty means something else to each matcher there is.
            guard depth > 0, Bool.random(using: &random) else {
                let atom = ["a", "b", "c", ".", "[ab]", "[^a]"].randomElement(using: &random) ?? "a"
                return atom + (["", "", "*", "+", "?", "*?", "+?", "{2}", "{1,2}"].randomElement(using: &random) ?? "")
            }
            let inner = Self.pattern(depth - 1, &random)
            let group = Bool.random(using: &random) ? inner : "\(inner)|\(Self.pattern(depth - 1, &random))"
            return "(?:\(group))" + (["", "?"].randomElement(using: &random) ?? "")
        }.joined()
    }
}
