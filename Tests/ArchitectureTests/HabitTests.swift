import Testing

@Suite struct HabitTests {
    private static let longestFile = 400
    private static let longestFunction = 60

    @Test func `the sources were found`() {
        #expect(SourceTree.sources.count > 100)
        #expect(SourceTree.targets.contains("martlet"))
    }

    @Test(arguments: SourceTree.all)
    func `a file can be read in one sitting`(file: SourceFile) {
        #expect(file.lineCount <= Self.longestFile)
    }

    @Test(arguments: SourceTree.all)
    func `a function fits on a screen`(file: SourceFile) {
        for function in FunctionLengths.measure(file) {
            #expect(function.lines <= Self.longestFunction, "line \(function.start)")
        }
    }

    @Test(arguments: SourceTree.all)
    func `a file is named after what is in it`(file: SourceFile) {
        #expect(!file.name.contains(/Utils|Util$|Helpers?$|Common|Manager|Types$|Misc/))
    }

    @Test(arguments: SourceTree.all)
    func `nothing is left to be done`(file: SourceFile) {
        // Split, or this line would find itself.
        #expect(!file.text.contains("TO" + "DO") && !file.text.contains("FIX" + "ME"))
    }

    @Test(arguments: SourceTree.sources)
    func `nothing is public, for the gateway is no library`(file: SourceFile) {
        // Only what is public is inlined in other targets; these few are needed for every message.
        let inlined = [
            "Ring", "MonotonicTime", "SameBytes", "AppendedBytes", "StoredBytes", "ByteHash", "ProtocolVersion",
        ]
        guard !inlined.contains(file.name) else { return }
        #expect(file.lines(matching: /\bpublic\b|\bopen (?:class|func|var)\b/).isEmpty)
    }

    @Test(arguments: SourceTree.sources)
    func `nothing that a device, a client or a file does ends the process`(file: SourceFile) {
        #expect(file.lines(matching: /\bfatalError\(|\btry!|\bas!/).isEmpty)
    }

    @Test(arguments: SourceTree.sources.filter { $0.target != "martlet" })
    func `only the executable writes for people to read`(file: SourceFile) {
        #expect(file.lines(matching: /\bprint\(|\bdebugPrint\(|\bdump\(/).isEmpty)
    }

    @Test(arguments: SourceTree.tests)
    func `a test waits for events, not for time`(file: SourceFile) {
        #expect(file.lines(matching: /\bTask\.sleep\(|\bThread\.sleep\(|\busleep\(/).isEmpty)
    }
}

/// How long the functions of a file are, by counting braces.
enum FunctionLengths {
    struct Function {
        var start: Int
        var lines: Int
    }

    static func measure(_ file: SourceFile) -> [Function] {
        let lines = file.codeLines
        var functions: [Function] = []
        for (index, line) in lines.enumerated() where line.contains(/\bfunc\s|\binit[?<(]|\bdeinit\b/) {
            if let length = length(lines[index...]) { functions.append(Function(start: index + 1, lines: length)) }
        }
        return functions
    }

    /// Lines to the brace that closes the first one; nil where none opens (a requirement, a call of an initialiser).
    private static func length(_ lines: ArraySlice<Substring>) -> Int? {
        var depth = 0
        for (count, line) in lines.enumerated() {
            for character in line {
                if character == "{" { depth += 1 }
                if character == "}" { depth -= 1 }
                if depth < 0 || (depth == 0 && character == "}") { return depth < 0 ? nil : count + 1 }
            }
            if depth == 0, count > 12 { return nil }
        }
        return nil
    }
}
