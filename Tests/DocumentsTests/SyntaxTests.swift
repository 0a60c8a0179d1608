import Documents
import Testing

/// What a person reads whose file is not YAML.
@Suite struct SyntaxTests {
    private func told(_ text: String) -> String {
        let problems = ProblemList(file: "test.yaml", text: text)
        _ = Document.parse(text, problems)
        return problems.sorted.map(\.description).joined(separator: "\n")
    }

    @Test func `a tab`() {
        let expected = """
            test.yaml:2:1: error: a tab is used for indentation
                 id: pi
                ^
              use spaces; YAML does not allow tabs there
            """
        #expect(told("gateway:\n\tid: pi\n") == expected)
    }

    @Test func `no space after a colon`() {
        let expected = """
            test.yaml:2:3: error: there is no space after 'id:'
                  id:pi
                  ^
              write 'id: value' with a space after the colon
            """
        #expect(told("gateway:\n  id:pi\n  name: x\n") == expected)
    }

    @Test func `a quote that is never closed`() {
        let expected = """
            test.yaml:2:7: error: a quote is opened here and never closed
                  id: "pi
                      ^
              close it with the same quote on the same line
            """
        #expect(told("gateway:\n  id: \"pi\nlog: {}\n") == expected)
    }

    @Test func `a bracket that is never closed`() {
        let expected = """
            test.yaml:1:10: error: a '{' is opened here and not closed, or a ',' is missing after it
                gateway: { id: pi
                         ^
              the reader was lost in line 2: check brackets and commas up to there
            """
        #expect(told("gateway: { id: pi\nlog:\n  level: info\n") == expected)
    }

    @Test func `a key twice`() {
        let expected = """
            test.yaml:3:1: error: 'a' is here twice; the first is in line 1
                a: 3
                ^
              put both together or take one out
            """
        #expect(told("a: 1\nb: 2\na: 3\n") == expected)
    }

    @Test func `a line too far to the right`() {
        let expected = """
            test.yaml:3:4: error: this line is indented further than the one above, which has a value already
                   b: 2
                   ^
              keys of one group begin in the same column
            """
        #expect(told("x:\n  a: 1\n   b: 2\n") == expected)
    }

    @Test func `a line too far to the left`() {
        let expected = """
            test.yaml:3:2: error: this line does not fit the indentation of those above
                 b: 2
                 ^
              keys of one group begin in the same column
            """
        #expect(told("x:\n  a: 1\n b: 2\n") == expected)
    }

    @Test func `a colon inside a value`() {
        let expected = """
            test.yaml:1:13: error: a ':' is not expected here
                name: Garage: left
                            ^
              a value with ': ' in it needs quotes: name: "Garage: left"
            """
        #expect(told("name: Garage: left\n") == expected)
    }

    @Test func `a topic template without quotes`() {
        let expected = """
            test.yaml:1:17: error: there is more text after the closing '}'
                state: {gateway}/{device}
                                ^
              a text that begins with '{' or '[' needs quotes: "{gateway}/power"
            """
        #expect(told("state: {gateway}/{device}\n") == expected)
    }

    @Test func `a backslash in double quotes`() {
        let expected = """
            test.yaml:1:8: error: a '\\' in double quotes begins an escape, and this is none
                path: "\\d+"
                       ^
              use single quotes for text with '\\' in it
            """
        #expect(told("path: \"\\d+\"\n") == expected)
    }

    @Test func `no colon at all`() {
        let expected = """
            test.yaml:3:3: error: there is no ':' after this key
                  name "b"
                  ^
              write 'key: value'
            """
        #expect(told("gateway:\n  id: pi\n  name \"b\"\nlog: {}\n") == expected)
    }

    @Test(arguments: ["*", "@pi", "%x", "&", "`x`"])
    func `characters that need quotes`(value: String) {
        let text = told("a: [ \(value) ]\n")
        #expect(text.contains("a value can't begin with '\(value.prefix(1))'"))
        #expect(text.contains("put the value in quotes"))
    }

    @Test func `an alias without an anchor`() {
        let expected = """
            test.yaml:1:4: error: a value that begins with '*' stands for one marked with '&', and none is marked so before it
                a: *line
                   ^
              put the value in quotes if it is meant as it stands
            """
        #expect(told("a: *line\n") == expected)
    }

    @Test func `aliases that multiply`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<20 {
            let names = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(names)]\n"
        }
        #expect(told(text).contains("this is nested too deeply or repeats itself too often"))
    }

    @Test func `brackets without end`() {
        #expect(told(String(repeating: "[", count: 10_000)).contains("nested too deeply"))
    }

    @Test func `passwords are never shown`() {
        #expect(!told("a: 1\npassword: sesame: x\n").contains("sesame"))
        #expect(!told("url: mqtt://me:sesame@host: x\n").contains("sesame"))
    }

    @Test(arguments: [
        "password: *sesame", "pasword: sesame: x", "pass : *sesame", "{ \"passwd\": *sesame }", "mqtt_pwd: \"sesame",
        "password: #sesame: [", "password:sesame: x", "api_token: sesame: x",
    ])
    func `nor are they under another name`(line: String) {
        let text = told("a: 1\n\(line)\n")
        #expect(!text.contains("sesame"))
    }
}
