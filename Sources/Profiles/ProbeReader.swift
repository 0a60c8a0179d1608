import Documents

/// Reads `probe`: the one value that tells whether a unit is such a device.
struct ProbeReader {
    var problems: ProblemList
    /// The names that the profile's points have, also those with problems.
    var points: [String]

    func read(_ section: Section) -> ProfileProbe? {
        defer { section.finish() }
        guard let point = section.text("point") else {
            if !section.has("point") { section.missing("point", hint: "it says which value to read: point: voltage") }
            return nil
        }
        if !points.contains(point.value) {
            let nearest = NearestWord.of(point.value, among: points).map { "did you mean '\($0)'?" }
            problems.error("there is no point '\(point.value)'", at: point.mark, hint: nearest)
        }
        let expected = section.section("expect").map(ranges) ?? []
        return ProfileProbe(point: point.value, expected: expected)
    }

    /// One range, or `any_of` several.
    private func ranges(_ section: Section) -> [ClosedRange<Double>] {
        defer { section.finish() }
        guard let several = section.list("any_of") else {
            return section.has("any_of") ? [] : [RangeReader.range(section)].compactMap(\.self)
        }
        return several.compactMap { node in
            guard let section = Section(node, path: "probe.expect.any_of", problems) else { return nil }
            defer { section.finish() }
            return RangeReader.range(section)
        }
    }
}
