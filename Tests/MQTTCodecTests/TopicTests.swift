import Testing

@testable import MQTTCodec

@Suite struct TopicTests {
    @Test(arguments: ["a", "/", "a/b", "a//b", " ", "$SYS/broker", "temp/°C", "a b"])
    func `a name may be any text without wildcards`(name: String) {
        let bytes = Array(name.utf8)
        #expect(Topic.isName(bytes))
        #expect(Topic.isFilter(bytes))
    }

    @Test(arguments: ["", "a/+", "#", "a+b", "a/b#", "a\0b"])
    func `a name is neither empty nor has a wildcard or NUL in it`(name: String) {
        let bytes = Array(name.utf8)
        #expect(!Topic.isName(bytes))
    }

    @Test(arguments: ["#", "+", "a/#", "+/b/+", "/+", "/#", "+/#"])
    func `a wildcard stands alone in its level, and # at the end`(filter: String) {
        let bytes = Array(filter.utf8)
        #expect(Topic.isFilter(bytes))
    }

    @Test(arguments: ["", "a#", "a/#/b", "#/", "a+", "+a/b", "a/+b", "a/b+", "##", "++"])
    func `a wildcard beside something else is no filter`(filter: String) {
        let bytes = Array(filter.utf8)
        #expect(!Topic.isFilter(bytes))
    }

    @Test(arguments: [
        ("a/b", "a/b", true), ("a/b", "a/c", false), ("a/b", "a/B", false), ("a", "a/b", false), ("a/b", "a", false),
        ("a/+/c", "a/b/c", true), ("a/+/c", "a//c", true), ("a/+", "a/b/c", false), ("+", "a", true),
        ("+", "/a", false),
        ("+/+", "/a", true), ("a/#", "a", true), ("a/#", "a/b/c", true), ("a/#", "ab", false), ("#", "a/b", true),
        ("a/+/#", "a", false), ("a/+/#", "a/b", true), ("/", "/", true), ("#", "$SYS/a", false),
        ("+/a", "$SYS/a", false),
        ("$SYS/#", "$SYS/a", true), ("$SYS/+", "$SYS/a", true), ("a/#", "a/$x", true),
    ])
    func `filters match as the standard's examples do`(filter: String, name: String, matches: Bool) {
        #expect(Topic.matches(filter: Array(filter.utf8), name: Array(name.utf8)) == matches)
    }

    @Test func `a part of the bytes is judged by itself`() {
        let bytes = Array("a+/b".utf8)
        #expect(Topic.isFilter(bytes, 1..<4))
        #expect(Topic.isName(bytes, 2..<4))
        #expect(!Topic.isName(bytes, 2..<2))
    }
}
