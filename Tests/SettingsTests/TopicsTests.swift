import Documents
import Mapping
import Settings
import Testing

@Suite struct TopicsTests {
    private static let meter = """
        ports: { bus: { simulate: eastron-sdm120 } }
        devices: { meter: { profile: eastron-sdm120, port: bus } }

        """

    @Test func `templates and rules are taken over`() throws {
        let read = try settings(
            Self.meter + """
                topics:
                  state: "sites/{gateway}/{device}/{point}"
                  rules:
                    - { select: { device: "meter", point: "vol*" }, payload: value, state: "v" }
                    - { select: { class: energy }, command: "{point}/do", result: "{point}/done" }
                """
        ).mapping
        #expect(read.gateway == "site")
        #expect(read.topics.state == "sites/{gateway}/{device}/{point}")
        #expect(read.topics.command == TopicTemplates().command)
        var first = TopicRule(select: PointSelector(device: Glob("meter"), point: Glob("vol*")))
        first.payload = .value
        first.state = "v"
        var second = TopicRule(select: PointSelector(class: Glob("energy")))
        second.command = "{point}/do"
        second.result = "{point}/done"
        #expect(read.rules == [first, second])
    }

    @Test func `one bad template is told once, with how often it bites`() throws {
        let told = try problems(Self.meter + "topics:\n  state: \"{gateway}/all\"\n")
        #expect(told.count == 1)
        #expect(
            told.first?.hasPrefix("martlet.yaml:6:10: error: meter/voltage and meter/current would both be") == true)
        #expect(told.first?.contains("(and 8 more like this)") == true)
    }

    @Test func `a rule that does not fit some points falls back with a warning`() throws {
        let rule = "topics:\n  rules:\n    - { select: { class: power }, state: \"{phase}/{quantity}\" }\n"
        let told = try problems(Self.meter + rule)
        #expect(told.count == 1)
        #expect(
            told.first?.hasPrefix("martlet.yaml:7:7: warning: '{phase}/{quantity}' can't be the topic of meter/power")
                == true)
    }

    @Test func `a common template that asks too much is an error`() throws {
        let told = try problems(Self.meter + "topics: { state: \"{gateway}/{device}/{phase}\" }\n")
        #expect(told.count == 1)
        #expect(told.first?.contains("error: '{gateway}/{device}/{phase}' can't be the topic of meter/voltage") == true)
    }
}
