import Documents
import Testing

@Suite struct SectionTests {
    private enum Colour: String, CaseIterable { case red, green }

    /// Reads the text's keys with `read`; what is complained of.
    private func complaints(_ text: String, _ read: (Section) -> Void) throws -> [String] {
        let problems = ProblemList(file: "test.yaml", text: text)
        read(try #require(Section(Document.parse(text, problems).first, path: "", problems)))
        return problems.sorted.map { "\($0.mark.line):\($0.mark.column) \($0.message) | \($0.hint ?? "")" }
    }

    @Test func `keys that nobody asked for are complained of, all at once`() throws {
        let told = try complaints("nme: a\nname: b\ncolor: red\ngpio: {}\n") { section in
            _ = section.text("name")
            _ = section.word("colour", Colour.self)
            section.spelled(["color": "colour"])
            section.finish(later: ["gpio"])
        }
        let expected = [
            "1:1 unknown key 'nme' | did you mean 'name'? allowed here: colour, name",
            "3:1 unknown key 'color' | did you mean 'colour'? allowed here: colour, name",
            "4:1 'gpio' is not available in this version yet | take it out for now",
        ]
        #expect(told == expected)
    }

    @Test func `a value of the wrong type says what is right`() throws {
        let told = try complaints("a: 5\nb: gren\nc: [1]\nd: 7x\ne: { f: 1 }\ng: {topic}\nh: !secret x\n") { section in
            _ = section.duration("a")
            _ = section.word("b", Colour.self)
            _ = section.text("c")
            _ = section.integer("d", 1...9)
            _ = section.list("e")
            _ = section.text("g")
            _ = section.text("h")
        }
        let expected = [
            "1:4 '5' has no unit | write a time with its unit: 300ms, 20s, 5m, 1h or 14d; 5s perhaps?",
            "2:4 'gren' is not allowed for 'b' | did you mean 'green'? allowed: red, green",
            "3:4 'c' must be a single value, not a list | ",
            "4:4 '7x' is not allowed for 'd' | write a whole number from 1 to 9",
            "5:4 'e' must be a list, not a group of keys | begin each entry with '- ', or write e: [a, b]",
            "6:4 'g' must be a single value, not a group of keys | a text that begins with '{' needs quotes: \"{…}\"",
            "7:4 '!secret' has no meaning here | write the value of 'h' itself",
        ]
        #expect(told == expected)
    }

    @Test func `an empty value counts as absent`() throws {
        let told = try complaints("a:\nb: ~\n") { section in
            #expect(section.text("a") == nil)
            #expect(section.section("b") == nil)
            #expect(section.has("a"))
            section.finish()
        }
        #expect(told.isEmpty)
    }

    @Test func `a group that is none is told so`() throws {
        let told = try complaints("a: 1\nb: id:pi\n") { section in
            #expect(section.section("a") == nil)
            #expect(section.section("b") == nil)
        }
        let expected = [
            "1:4 'a' must be a group of keys, not a single value | write 'key: value' lines, indented below it",
            "2:4 there is no space after 'id:' | write 'id: value' with a space after the colon",
        ]
        #expect(told == expected)
    }

    @Test func `a list where names are wanted says how to name`() throws {
        let told = try complaints("a: [ { id: 1 } ]\n") { section in #expect(section.section("a") == nil) }
        let hint = "write a name of your choice instead of each '-': 'name: { key: value }'"
        #expect(told == ["1:4 'a' must be a group of keys, not a list | \(hint)"])
    }

    // hardwario/mqtt2influxdb#20: a password that begins with '!' is a tag for YAML, and its value is empty.
    @Test(arguments: ["!sesame", "!", "!se same"])
    func `a value that begins with an exclamation mark is neither lost nor shown`(value: String) throws {
        let told = try complaints("a: \(value)\n") { section in #expect(section.text("a") == nil) }
        #expect(told == ["1:4 the value of 'a' begins with '!', which has a meaning in YAML | put the value in quotes"])
    }

    @Test func `a time or a word for none`() throws {
        let told = try complaints("a: never\nb: 5m\nc: 12\n") { section in
            #expect(section.duration("a", or: "never") == .some(nil))
            #expect(section.duration("b", or: "never") == .some(.seconds(300)))
            #expect(section.duration("c", or: "never") == .none)
            #expect(section.duration("d", or: "never") == .none)
        }
        #expect(told.count == 1)
    }
}
