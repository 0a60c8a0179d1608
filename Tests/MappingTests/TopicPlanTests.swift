import Testing

@testable import Mapping

@Suite struct TopicPlanTests {
    private func settings(_ rules: [TopicRule]) -> MappingSettings {
        let voltage = MappedPoint(name: "voltage_l1", class: "voltage", phase: "l1", quantity: "voltage", unit: "V")
        let power = MappedPoint(name: "power", class: "power", quantity: "power", unit: "W")
        let door = MappedPoint(name: "contact", class: "door")
        return MappingSettings(
            gateway: "pi", rules: rules,
            devices: [
                MappedDevice(key: "main-meter", points: [voltage, power]), MappedDevice(key: "front", points: [door]),
            ])
    }

    private func states(_ plan: TopicPlan) -> [String] {
        plan.points.map { String(decoding: $0.state, as: UTF8.self) }
    }

    @Test func `without rules every point has its own topic`() {
        let plan = TopicPlan(settings([]))
        #expect(states(plan) == ["pi/main-meter/voltage_l1", "pi/main-meter/power", "pi/front/contact"])
        #expect(plan.problems.isEmpty)
    }

    @Test func `the first rule that selects a point decides`() throws {
        var energy = TopicRule(select: PointSelector(device: Glob("main-*"), point: Glob("voltage_*|current_*")))
        energy.state = try TopicTemplate(parsing: "{gateway}/energy/{phase}/{quantity}")
        var doors = TopicRule(select: PointSelector(class: Glob("door")))
        doors.state = try TopicTemplate(parsing: "building/doors/{device}")
        doors.payload = .value
        var everything = TopicRule(select: PointSelector())
        everything.payload = .value
        let plan = TopicPlan(settings([energy, doors, everything]))
        #expect(states(plan) == ["pi/energy/l1/voltage", "pi/main-meter/power", "building/doors/front"])
        #expect(plan.points.map(\.payload) == [.json, .value, .value])
    }

    @Test func `a rule's template that lacks a value is reported, and the common one used`() throws {
        var rule = TopicRule(select: PointSelector(device: Glob("main-meter")))
        rule.state = try TopicTemplate(parsing: "energy/{phase}/{quantity}")
        let plan = TopicPlan(settings([rule]))
        #expect(states(plan) == ["energy/l1/voltage", "pi/main-meter/power", "pi/front/contact"])
        #expect(
            plan.problems == [
                .missingValue(owner: "main-meter/power", template: "energy/{phase}/{quantity}", placeholder: .phase)
            ])
        #expect(
            plan.problems.first?.description
                == "'energy/{phase}/{quantity}' can't be the topic of main-meter/power, which has no phase; "
                + "put {phase} in square brackets or choose another template")
    }

    @Test func `two points on one topic are reported`() throws {
        var rule = TopicRule(select: PointSelector())
        rule.state = try TopicTemplate(parsing: "{gateway}/{device}")
        let plan = TopicPlan(settings([rule]))
        #expect(
            plan.problems == [
                .sameTopic("pi/main-meter", first: "main-meter/voltage_l1", second: "main-meter/power")
            ])
    }

    @Test func `devices that would share one availability topic are reported`() throws {
        var settings = settings([])
        settings.topics.availability = "{gateway}/status"
        settings.topics.gateway = "{gateway}[/{device}]/status"
        let plan = TopicPlan(settings)
        #expect(
            plan.problems == [
                .sameTopic("pi/status", first: "the gateway", second: "main-meter"),
                .sameTopic("pi/status", first: "the gateway", second: "front"),
            ])
    }

    @Test func `an availability topic that needs a point's value falls back to the built-in one`() throws {
        var settings = settings([])
        settings.topics.availability = "{gateway}/{device}/{phase}"
        let plan = TopicPlan(settings)
        #expect(plan.problems.count == 2)
        #expect(
            plan.devices.map { String(decoding: $0.availability, as: UTF8.self) } == [
                "pi/main-meter/$online", "pi/front/$online",
            ])
    }
}
