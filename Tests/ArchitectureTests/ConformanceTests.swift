import Foundation
import Testing

/// `docs/conformance.md` says which statement of the standards is obeyed where, and which test shows it; here its
/// claims are compared with the sources.
@Suite struct ConformanceTests {
    private struct Row {
        var number: String
        var place: String
        var tests: String
    }

    private static let document =
        (try? String(contentsOf: SourceTree.root.appending(path: "docs/conformance.md"), encoding: .utf8)) ?? ""

    private static let statements311 = rows(of: "MQTT 3.1.1")
    private static let statements5 = rows(of: "MQTT 5.0")
    private static let traps = rows(of: "Traps")

    /// The rows of the table under a heading; the head of the table and its line are left out.
    private static func rows(of heading: String) -> [Row] {
        guard let start = document.range(of: "\n## \(heading)\n") else { return [] }
        let section = document[start.upperBound...]
        let end = section.range(of: "\n## ")?.lowerBound ?? section.endIndex
        return section[..<end].split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 3, !cells[0].hasPrefix("--") else { return nil }
            return Row(number: cells[0], place: cells.count > 3 ? cells[2] : "", tests: cells[cells.count - 1])
        }
    }

    /// Whether a test stands behind a claim: its whole name in backticks, or "trap 12" for all that begin so.
    private static func missing(in claim: String) -> [String] {
        let names = claim.matches(of: /`([^`]+)`/).map { String($0.1) }
        let numbers = claim.matches(of: /trap (\d+)/).map { String($0.1) }
        return names.filter { !testNames.contains($0) }
            + numbers.filter { !trapNumbers.contains($0) }.map { "trap \($0)" }
    }

    private static let testNames = Set(
        SourceTree.tests.flatMap { $0.text.matches(of: /func `([^`]+)`/).map { String($0.1) } })

    private static let trapNumbers = Set(
        testNames.compactMap { $0.firstMatch(of: /^trap (\d+)\b/).map { String($0.1) } })

    @Test func `the tables were found`() {
        #expect(Self.statements311.count > 100)
        #expect(Self.statements5.count > 200)
        #expect(Self.traps.count == 78)
    }

    @Test func `each statement stands once in its table`() {
        for rows in [Self.statements311, Self.statements5, Self.traps] {
            let numbers = rows.map(\.number)
            #expect(numbers.count == Set(numbers).count)
        }
    }

    @Test func `each statement is obeyed in a file that exists, or it is said why not`() {
        let files = Set(SourceTree.sources.map(\.name))
        for row in Self.statements311 + Self.statements5 where !row.place.hasPrefix("not applicable:") {
            let claim = row.place.split(separator: "differs:").first.map(String.init) ?? ""
            for file in claim.split(separator: ", ") {
                #expect(files.contains(file.trimmingCharacters(in: .whitespaces)), "\(row.number)")
            }
        }
    }

    @Test func `each statement is shown by a test that exists`() {
        for row in Self.statements311 + Self.statements5 + Self.traps {
            let isException = row.place.hasPrefix("not applicable:") || row.tests.hasPrefix("none yet:")
            #expect(isException || row.tests.contains(/`|trap/), "\(row.number) names no test")
            let missing = Self.missing(in: row.tests)
            #expect(missing.isEmpty, "\(row.number) names \(missing)")
        }
    }

    @Test func `each trap is known by its number`() {
        #expect(Self.traps.map(\.number) == (1...78).map(String.init))
    }

    @Test func `each clause cited in the sources stands in a table`() {
        let known = Set((Self.statements311 + Self.statements5).map(\.number))
            .union(Self.clientOnly)
        for file in SourceTree.sources {
            for match in file.text.matches(of: /\[MQTT-(\d+\.[\d.]+-\d+)\]/) {
                #expect(known.contains(String(match.1)), "\(file.testDescription): \(match.1)")
            }
        }
    }

    /// Statements that bind clients, which the document only lists.
    private static var clientOnly: Set<String> {
        let lines = document.split(separator: "\n").filter { $0.hasPrefix("Only clients:") }
        return Set(lines.flatMap { $0.matches(of: /\d+\.[\d.]+-\d+/).map { String($0.0) } })
    }
}
