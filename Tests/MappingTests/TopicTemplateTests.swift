import Testing

@testable import Mapping

@Suite struct TopicTemplateTests {
    private func topic(_ source: String, _ change: (inout MappedPoint) -> Void = { _ in }) throws -> String {
        var point = MappedPoint(name: "voltage_l1", class: "voltage", quantity: "voltage", unit: "V")
        change(&point)
        let topic = try TopicTemplate(parsing: source).topic(TopicValues(gateway: "pi", device: "main-meter", point))
        return String(decoding: topic, as: UTF8.self)
    }

    @Test func `placeholders are filled in`() throws {
        #expect(try topic("{gateway}/{device}/{point}") == "pi/main-meter/voltage_l1")
        #expect(try topic("x/{class}-{unit}/{quantity}") == "x/voltage-V/voltage")
    }

    @Test func `a part in brackets vanishes with its value`() throws {
        #expect(try topic("energy[/{phase}]/{quantity}") == "energy/voltage")
        #expect(try topic("energy[/{phase}]/{quantity}") { $0.phase = "l1" } == "energy/l1/voltage")
        #expect(try topic("energy[/{phase}]/{quantity}") { $0.phase = "" } == "energy/voltage")
    }

    @Test func `a value that is missing outside brackets is an error`() throws {
        #expect(throws: MissingValue(name: .phase)) { try topic("energy/{phase}") }
    }

    @Test func `a value can't change levels or bring wildcards`() throws {
        #expect(try topic("{gateway}/{unit}") { $0.unit = "µg/m³" } == "pi/µg_m³")
        #expect(try topic("{gateway}/{unit}") { $0.unit = "+#\0" } == "pi/___")
    }

    @Test(arguments: [
        ("", TemplateProblem.Reason.empty, 0), (String(repeating: "a", count: 1025), .tooLong, 1024),
        ("a/{device", .braceNotClosed, 2), ("a[/{phase}", .bracketNotClosed, 1),
        ("a}", .closesNothing, 1), ("a]", .closesNothing, 1), ("a[/{phase}[x]]", .nestedBrackets, 10),
        ("a[/b]", .nothingOptional, 1), ("[{phase}]", .allOptional, 0),
        ("a/{devise}/b", .unknownPlaceholder("devise"), 2),
        ("a/+/b", .notAllowedInTopics("+"), 2), ("é/#", .notAllowedInTopics("#"), 2),
    ])
    func `a mistake is reported with its place`(source: String, reason: TemplateProblem.Reason, offset: Int) {
        #expect(throws: TemplateProblem(reason: reason, offset: offset)) { try TopicTemplate(parsing: source) }
    }

    @Test func `an unknown placeholder's message lists the known ones`() throws {
        let problem = TemplateProblem(reason: .unknownPlaceholder("devise"), offset: 0)
        #expect(
            problem.description
                == "{devise} is not known here; use one of {gateway} {device} {point} {class} {phase} {quantity} {unit}"
        )
    }
}
