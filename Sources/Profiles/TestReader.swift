import Bytes
import Documents

/// Reads the section `tests`.
struct TestReader {
    private let problems: ProblemList
    /// The names that the profile's points have, also those with problems.
    private let points: [String]

    init(_ problems: ProblemList, points: [String]) {
        self.problems = problems
        self.points = points
    }

    func tests(_ nodes: [Node]) -> [ProfileTest] {
        nodes.compactMap { node in
            guard let section = Section(node, path: "tests", problems) else { return nil }
            defer { section.finish() }
            return test(section)
        }
    }

    private func test(_ section: Section) -> ProfileTest? {
        var test = ProfileTest(
            send: bytes(section, "send") ?? [], receive: bytes(section, "recv") ?? [], gives: [], mark: section.mark)
        if let telegram = section.text("telegram") {
            // YAML keeps line feeds only; on the wire every line ends with both.
            test.receive = Array(
                telegram.value.split(separator: "\n", omittingEmptySubsequences: false)
                    .joined(separator: "\r\n").utf8)
        }
        test.from = section.text("from")?.value
        test.gives = expected(section.section("gives"))
        test.writes = expected(section.section("writes")).first
        if test.receive.isEmpty {
            problems.error("a test needs 'recv', the bytes that the device sent", at: section.mark)
        }
        if test.gives.isEmpty, test.writes == nil {
            problems.error("a test needs 'gives' or 'writes': what should come of it", at: section.mark)
        }
        return test
    }

    private func bytes(_ section: Section, _ key: String) -> [UInt8]? {
        section.value(key, wanted: "bytes in hex: 01 04 00 00", Hex.bytes)?.value
    }

    private func expected(_ section: Section?) -> [ProfileTest.Expected] {
        guard let section else { return [] }
        return section.names.compactMap { name, mark, node in
            guard points.contains(name) else {
                let nearest = NearestWord.of(name, among: points)
                problems.error(
                    "there is no point '\(name)'", at: mark, hint: nearest.map { "did you mean '\($0)'?" })
                return nil
            }
            return node.text.map { ProfileTest.Expected(point: name, value: $0) }
        }
    }
}
