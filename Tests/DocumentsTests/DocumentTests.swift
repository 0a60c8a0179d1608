import Testing

@testable import Documents

@Suite struct DocumentTests {
    /// The first document, which must be without problems.
    private func parse(_ text: String) throws -> Node {
        let problems = ProblemList(file: "test.yaml", text: text)
        let node = Document.parse(text, problems).first
        try #require(problems.problems.isEmpty, "\(problems.problems)")
        return try #require(node)
    }

    @Test func `every node knows its line and column`() throws {
        let node = try parse("a: 1\nports:\n  - { usb: x }\n")
        let item = try #require(node["ports"]?.items?.first)
        #expect(node["a"]?.mark == Mark(line: 1, column: 4))
        #expect(item.mark == Mark(line: 3, column: 5))
        #expect(item.entries?.first?.keyMark == Mark(line: 3, column: 7))
        #expect(item["usb"]?.mark == Mark(line: 3, column: 12))
    }

    @Test func `columns count characters and not bytes`() throws {
        let node = try parse("{ name: Köln, id: x }")
        #expect(node["id"]?.mark == Mark(line: 1, column: 19))
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `lines end in every usual way`(end: String) throws {
        let text = ["a: 1", "b: 2", "c: 3"].joined(separator: end)
        #expect(try parse(text)["c"]?.mark == Mark(line: 3, column: 4))
        #expect(TextLines.of(text) == ["a: 1", "b: 2", "c: 3"])
    }

    @Test(arguments: ["8E1", "on", "12:30:00", "0x10", "3.10", "0001", "1e3", "~x", "no", "0660"])
    func `a scalar keeps its text`(text: String) throws {
        #expect(try parse("a: \(text)")["a"]?.text == text)
    }

    @Test func `quotes make a text of anything`() throws {
        let node = try parse("a: \"~\"\nb: ~\nc:\nd: ''")
        #expect(node["a"]?.isNull == false)
        #expect(node["b"]?.isNull == true)
        #expect(node["c"]?.isNull == true)
        #expect(node["d"]?.isNull == false)
    }

    @Test func `local tags are kept, standard ones are not`() throws {
        let node = try parse("a: !secret x\nb: !!str 1")
        #expect(node["a"]?.tag == "!secret")
        #expect(node["b"]?.tag == nil)
    }

    @Test func `an alias stands for what its anchor is on`() throws {
        let node = try parse("a: &line { baudrate: 9600 }\nb: *line")
        #expect(node["b"]?["baudrate"]?.text == "9600")
    }

    @Test func `documents are told apart`() {
        let problems = ProblemList(file: "test.yaml", text: "")
        #expect(Document.parse("a: 1\n---\nb: 2\n", problems).count == 2)
        #expect(Document.parse("", problems).isEmpty)
        #expect(problems.problems.isEmpty)
    }
}
