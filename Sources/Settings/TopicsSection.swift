import Documents
import Mapping

/// `topics:` where readings go and commands come from.
enum TopicsSection {
    static func read(_ root: Section, into mapping: inout MappingSettings, devices: [String: Mark]) {
        var checks = TopicChecks(problems: root.problems, devices: devices)
        if let section = root.section("topics") {
            mapping.topics = templates(section, &checks)
            mapping.rules = rules(section, &checks)
            section.spelled([
                "online": "availability", "set": "command", "prefix": "state",
            ])
            section.finish()
        }
        checks.run(mapping)
    }

    private static func templates(_ section: Section, _ checks: inout TopicChecks) -> TopicTemplates {
        var topics = TopicTemplates()
        for (key, path) in [
            ("state", \TopicTemplates.state), ("command", \.command), ("result", \.result),
            ("availability", \.availability), ("gateway", \.gateway),
        ] {
            guard let template = template(key, section) else { continue }
            topics[keyPath: path] = template.value
            checks.common[key] = template.mark
        }
        return topics
    }

    private static func rules(_ section: Section, _ checks: inout TopicChecks) -> [TopicRule] {
        var rules: [TopicRule] = []
        for (index, node) in (section.list("rules") ?? []).enumerated() {
            guard let rule = Section(node, path: "topics.rules.\(index + 1)", section.problems) else { continue }
            rules.append(read(rule))
            checks.rules.append(rule.mark)
        }
        return rules
    }

    private static func read(_ section: Section) -> TopicRule {
        var rule = TopicRule(select: PointSelector())
        if let select = section.section("select") {
            rule.select = PointSelector(
                device: select.text("device").map { Glob($0.value) },
                point: select.text("point").map { Glob($0.value) },
                class: select.text("class").map { Glob($0.value) })
            select.finish()
        } else if section.node("select") == nil {
            section.missing("select", hint: "it says which points the rule is for: select: { device: main-meter }")
        }
        rule.state = template("state", section)?.value
        rule.command = template("command", section)?.value
        rule.result = template("result", section)?.value
        rule.payload = section.word("payload", PayloadFormat.self)
        section.finish(later: ["availability", "qos", "retain"])
        return rule
    }

    /// A template, or nil with the place of its mistake told.
    private static func template(_ key: String, _ section: Section) -> Located<TopicTemplate>? {
        guard let text = section.text(key) else { return nil }
        do throws(TemplateProblem) {
            return Located(try TopicTemplate(parsing: text.value), at: text.mark)
        } catch {
            section.problems.error("\(error)", at: place(error, text, section.node(key)), hint: hint(error))
            return nil
        }
    }

    /// The character that is wrong, where the template stands in one line.
    private static func place(_ problem: TemplateProblem, _ text: Located<String>, _ node: Node?) -> Mark {
        guard case .scalar(_, let isPlain) = node?.content, !text.value.contains(where: \.isNewline) else {
            return text.mark
        }
        return Mark(line: text.mark.line, column: text.mark.column + (isPlain ? 0 : 1) + problem.offset)
    }

    private static func hint(_ problem: TemplateProblem) -> String? {
        guard case .unknownPlaceholder(let name) = problem.reason else { return nil }
        let names = TopicTemplate.Placeholder.allCases.map(\.rawValue)
        return NearestWord.of(name, among: names).map { "did you mean '{\($0)}'?" }
    }
}

/// Lays out all topics once and tells what does not work where it was written.
struct TopicChecks {
    let problems: ProblemList
    /// Where the devices are written.
    let devices: [String: Mark]
    /// Where the templates for all are written, by key.
    var common: [String: Mark] = [:]
    /// Where the rules are written.
    var rules: [Mark] = []

    init(problems: ProblemList, devices: [String: Mark]) {
        self.problems = problems
        self.devices = devices
    }

    func run(_ mapping: MappingSettings) {
        var told: [(mark: Mark, problem: MappingProblem, more: Int)] = []
        for problem in TopicPlan(mapping).problems {
            let mark = place(of: problem, mapping)
            // One bad template concerns many points: the first is enough.
            if let index = told.firstIndex(where: { $0.mark == mark && $0.problem.kind == problem.kind }) {
                told[index].more += 1
            } else {
                told.append((mark, problem, 0))
            }
        }
        for (mark, problem, more) in told { tell(problem, more, at: mark, mapping) }
    }

    private func tell(_ problem: MappingProblem, _ more: Int, at mark: Mark, _ mapping: MappingSettings) {
        let message = "\(problem)" + (more > 0 ? " (and \(more) more like this)" : "")
        switch problem {
        case .missingValue(_, let template, _) where rule(writing: template, mapping) != nil:
            // The template for all is used instead.
            problems.warning(message, at: mark)
        case .missingValue:
            problems.error(message, at: mark)
        case .sameTopic:
            problems.error(message, at: mark, hint: "let the template contain what tells them apart: {device}, {point}")
        }
    }

    private func place(of problem: MappingProblem, _ mapping: MappingSettings) -> Mark {
        switch problem {
        case .missingValue(_, let template, _):
            if let rule = rule(writing: template, mapping) { return rules[rule] }
            return common[key(writing: template, mapping)] ?? Mark(line: 1, column: 1)
        case .sameTopic(_, _, let second):
            return place(ofPoint: second, mapping)
        }
    }

    private func place(ofPoint name: String, _ mapping: MappingSettings) -> Mark {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let device = mapping.devices.first { $0.key == parts.first }
        if parts.count == 2, let point = device?.points.first(where: { $0.name == parts[1] }),
            let rule = mapping.rules.firstIndex(where: { $0.select.matches(device: parts[0], point) }),
            mapping.rules[rule].state != nil || mapping.rules[rule].command != nil
        {
            return rules[rule]
        }
        let key = parts.count == 2 ? "state" : "availability"
        return common[key] ?? common.values.min { $0.line < $1.line }
            ?? parts.first.flatMap { devices[$0] } ?? Mark(line: 1, column: 1)
    }

    private func rule(writing template: String, _ mapping: MappingSettings) -> Int? {
        mapping.rules.firstIndex { rule in
            [rule.state, rule.command, rule.result].contains { $0?.source == template }
        }
    }

    private func key(writing template: String, _ mapping: MappingSettings) -> String {
        let topics = mapping.topics
        let keys = [
            ("state", topics.state), ("command", topics.command), ("result", topics.result),
            ("availability", topics.availability), ("gateway", topics.gateway),
        ]
        return keys.first { $0.1.source == template }?.0 ?? ""
    }
}

extension MappingProblem {
    /// Equal for problems that have one cause.
    fileprivate var kind: String {
        switch self {
        case .missingValue(_, let template, let placeholder): "\(placeholder.rawValue) \(template)"
        case .sameTopic: "same topic"
        }
    }
}
