import Testing

@testable import Bridge

struct TopicRewriteTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let template: String
        let topic: String
        let result: String?
        var testDescription: String { "\(template) of \(topic)" }

        init(_ template: String, _ topic: String, _ result: String?) {
            self.template = template
            self.topic = topic
            self.result = result
        }
    }

    @Test(arguments: [
        Case("{topic}", "a/b", "a/b"),
        Case("sites/17/{topic}", "pi/meter/power", "sites/17/pi/meter/power"),
        Case("{topic:2..}", "sites/17/pi/relay/1/set", "pi/relay/1/set"),
        Case("dt/{topic:1}/t", "factory/7/temp", "dt/7/t"),
        Case("{gateway}/{topic:0}", "x/y", "pi-garage/x"),
        Case("{topic:1}{topic:0}", "a/b", "ba"),
        Case("{topic:1..}", "a//b/", "/b/"),
        Case("fixed", "a", "fixed"),
        Case("{topic:2..}", "a/b", nil),
        Case("{topic:3}", "a/b", nil),
        Case("{topic:1}", "a/", nil),
        Case("über/{topic}", "straße", "über/straße"),
    ])
    func `a template gives a topic, or none`(example: Case) throws {
        let rewrite = try TopicRewrite(example.template, gateway: "pi-garage")
        #expect(rewrite.apply(to: Array(example.topic.utf8)) == example.result.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("", TopicRewriteError.empty), ("a/{topic", .braceNotClosed), ("{tpoic}", .unknownName("tpoic")),
        ("{topic:x}", .levelsNotUnderstood("topic:x")), ("{topic:-1}", .levelsNotUnderstood("topic:-1")),
        ("{topic:1...}", .levelsNotUnderstood("topic:1...")), ("a/#", .notATopic), ("+/{topic}", .notATopic),
    ])
    func `a wrong template is refused with what is wrong`(template: String, error: TopicRewriteError) {
        #expect(throws: error) { try TopicRewrite(template, gateway: "g") }
        #expect(!error.description.isEmpty)
    }

    @Test func `a topic that would be too long is none`() throws {
        let rewrite = try TopicRewrite("{topic}{topic}", gateway: "g")
        #expect(rewrite.apply(to: [UInt8](repeating: 0x61, count: 40_000)) == nil)
    }

    @Test(
        arguments: [
            ("dt/{1}/t", "factory/+/temp", "factory/7/temp", "dt/7/t"),
            ("{2}/{1}", "a/+/+", "a/b/c", "c/b"),
            ("x/{1}", "a/#", "a/b/c", "x/b/c"),
            ("x/{1}", "a/#", "a", "x"),
            ("{1}-{2}", "+/+/#", "a/b", "a-b"),
            ("x/{2}", "+/#", "a/b/c", "x/b/c"),
        ])
    func `what a wildcard stood for`(template: String, filter: String, topic: String, expected: String) throws {
        let rewrite = try TopicRewrite(template, gateway: "g")
        let result = rewrite.apply(to: Array(topic.utf8), matchedBy: Array(filter.utf8))
        #expect(result.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test func `a wildcard that is not there gives no topic`() throws {
        #expect(try TopicRewrite("x/{3}", gateway: "g").wildcardsNeeded == 3)
        #expect(try TopicRewrite("x/{2}", gateway: "g").apply(to: [0x61], matchedBy: [0x2B]) == nil)
    }

    @Test func `a prefix goes and another comes`() {
        let rewrite = TopicRewrite(removing: Array("a/".utf8), adding: Array("b/c/".utf8))
        #expect(rewrite.apply(to: Array("a/x".utf8)) == Array("b/c/x".utf8))
        #expect(rewrite.apply(to: Array("x".utf8)) == nil)
        #expect(TopicRewrite(removing: [], adding: []) == .same)
        #expect(TopicRewrite(removing: Array("a/".utf8), adding: []).apply(to: Array("a/".utf8)) == nil)
    }
}
