import Testing

@testable import Mapping

@Suite struct CommandMapTests {
    private func settings(_ rules: [TopicRule] = []) -> MappingSettings {
        var relay = MappedPoint(name: "relay_1", class: "switch")
        relay.isWritable = true
        return MappingSettings(
            gateway: "pi", rules: rules,
            devices: [
                MappedDevice(key: "board", points: [relay]),
                MappedDevice(key: "meter", points: [MappedPoint(name: "power")]),
            ])
    }

    private func filters(_ map: CommandMap) -> [String] {
        map.filters.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a command topic leads to its point and its result topic`() {
        let map = CommandMap(settings())
        #expect(filters(map) == ["pi/+/+/set"])
        #expect(
            map.target(of: Array("pi/board/relay_1/set".utf8))
                == CommandTarget(
                    device: "board", point: "relay_1", isWritable: true,
                    resultTopic: Array("pi/board/relay_1/result".utf8)))
        #expect(map.target(of: Array("pi/board/relay_9/set".utf8)) == nil)
    }

    @Test func `a point that takes no commands is known, so that it can be answered`() {
        #expect(CommandMap(settings()).target(of: Array("pi/meter/power/set".utf8))?.isWritable == false)
    }

    @Test func `a rule's command topics are subscribed to as well`() throws {
        var rule = TopicRule(select: PointSelector(class: Glob("switch")))
        rule.command = try TopicTemplate(parsing: "switches/sw-{device}[/{phase}]/{point}/do")
        rule.result = try TopicTemplate(parsing: "switches/{point}/done")
        let map = CommandMap(settings([rule]))
        #expect(filters(map) == ["pi/+/+/set", "switches/+/+/do", "switches/+/+/+/do"])
        let target = map.target(of: Array("switches/sw-board/relay_1/do".utf8))
        #expect(target?.resultTopic == Array("switches/relay_1/done".utf8))
        #expect(map.target(of: Array("pi/board/relay_1/set".utf8)) == nil)
    }
}
