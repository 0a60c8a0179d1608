import Testing

@testable import Documents
@testable import Settings

/// Asks every section for its keys, by putting a wrong one in, and compares with what `config/martlet.yaml` tells.
@Suite struct ReferenceKeysTests {
    private static let wrong = "zzz"

    @Test func `the reference tells every key`() throws {
        let text = try Reference.uncommented()
        let problems = ProblemList(file: "martlet.yaml", text: text)
        let root = try #require(Document.parse(text, problems).first)
        var documented: [String: Set<String>] = [:]
        Self.collect(root, "", into: &documented)

        let section = try #require(Section(Self.spoiled(root), path: "", problems))
        let secrets = SecretSource { _ in "sesame" }
        _ = ConfigurationReader(profiles: try Repository.profiles(), secrets: secrets, problems: problems)
            .settings(section)
        let told = problems.problems.filter { $0.message.hasPrefix("unknown key '\(Self.wrong)'") }
        #expect(told.count > 30)
        for problem in told {
            let path = Self.general(problem.message.split(separator: "'").count > 3 ? Self.path(problem.message) : "")
            let allowed = try #require(problem.hint?.split(separator: "allowed here: ").last)
            for key in allowed.split(separator: ", ").map(String.init) where path != "log.per" {
                #expect(documented[path]?.contains(key) == true, "'\(key)' of '\(path)' is not in config/martlet.yaml")
            }
        }
    }

    private static func path(_ message: String) -> String {
        message.split(separator: "'").dropFirst(3).first.map(String.init) ?? ""
    }

    /// With `*` for the names that people choose, and for places in lists.
    private static func general(_ path: String) -> String {
        var parts = path.split(separator: ".").map(String.init)
        for index in parts.indices.dropFirst() {
            let isChosen = ["ports", "devices", "gpio", "sysfs", "upstream"].contains(parts[0]) && index == 1
            let isPoint = index == 3 && ["devices", "sysfs"].contains(parts[0]) && parts[2] == "points"
            if isChosen || isPoint || Int(parts[index]) != nil { parts[index] = "*" }
        }
        // A listener's rules are written like everybody's, and told once; so are the lines of a bridge.
        return parts.joined(separator: ".").replacing("broker.listen.*.acl", with: "broker.acl")
            .replacing("upstream.*.in.", with: "upstream.*.out.").replacing("upstream.*.both.", with: "upstream.*.out.")
    }

    private static func collect(_ node: Node, _ path: String, into keys: inout [String: Set<String>]) {
        switch node.content {
        case .scalar: break
        case .sequence(let items):
            for (index, item) in items.enumerated() { collect(item, "\(path).\(index + 1)", into: &keys) }
        case .mapping(let entries):
            keys[general(path), default: []].formUnion(entries.map(\.key))
            for entry in entries {
                collect(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)", into: &keys)
            }
        }
    }

    /// With a wrong key in every group.
    private static func spoiled(_ node: Node) -> Node {
        var node = node
        switch node.content {
        case .scalar: break
        case .sequence(let items): node.content = .sequence(items.map(spoiled))
        case .mapping(let entries):
            let kept = entries.map { Node.Entry(key: $0.key, keyMark: $0.keyMark, value: spoiled($0.value)) }
            // Problems at the same place with the same words count once: each wrong key gets a place of its own.
            let mark = Mark(line: node.mark.line, column: node.mark.column)
            let value = Node(.scalar("1", isPlain: true), at: mark)
            node.content = .mapping(kept + [Node.Entry(key: wrong, keyMark: mark, value: value)])
        }
        return node
    }
}
