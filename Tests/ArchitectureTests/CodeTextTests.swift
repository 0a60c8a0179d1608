import Testing

@Suite struct CodeTextTests {
    @Test func `comments and strings are blanked, code stays`() {
        let text = "let a = 1 // Clock.now\nlet b = \"TO\\\"DO\" /* x /* y */ z */ + 2"
        let code = CodeText.blanking(text)
        #expect(code.contains("let a = 1"))
        #expect(code.contains("let b ="))
        #expect(code.contains("+ 2"))
        #expect(!code.contains("Clock") && !code.contains("DO") && !code.contains("z"))
        #expect(code.utf8.count == text.utf8.count)
    }

    @Test func `an interpolation goes with its string`() {
        let code = CodeText.blanking("f(\"a \\(g(\"in\", (1))) b\"); h()")
        #expect(code.filter { $0 != " " } == "f();h()")
    }

    @Test func `strings over several lines keep their lines`() {
        let code = CodeText.blanking("let t = \"\"\"\n one\n two\n \"\"\"\nlet u = #\"a\\\"#")
        #expect(code.split(separator: "\n", omittingEmptySubsequences: false).count == 5)
        #expect(code.contains("let u ="))
        #expect(!code.contains("two") && !code.contains("\\"))
    }
}
