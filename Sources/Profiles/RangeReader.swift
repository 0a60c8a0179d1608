import Documents
import Modbus

/// Reads `{ min: 207, max: 253 }`.
enum RangeReader {
    static func range(_ section: Section) -> ClosedRange<Double>? {
        for key in ["min", "max"] where !section.has(key) {
            section.missing(key, hint: "write { min: 207, max: 253 }")
        }
        guard let lowest = section.number("min"), let highest = section.number("max") else { return nil }
        guard lowest <= highest else {
            section.problems.error("min is more than max", at: section.mark(of: "min"))
            return nil
        }
        return lowest...highest
    }
}

/// Where values can lie, by the class of the point: what lies outside is published as bad.
struct PlausibleRanges {
    private var ranges: [String: ClosedRange<Double>] = [:]

    init(_ section: Section?) {
        guard let section else { return }
        for (name, _, node) in section.names {
            guard let range = Section(node, path: "ranges.\(name)", section.problems) else { continue }
            ranges[name] = RangeReader.range(range)
            range.finish()
        }
    }

    /// The point's own range, else that of its class.
    func range(of point: ProfilePoint, _ section: Section) -> ClosedRange<Double>? {
        guard let own = section.section("range") else { return point.class.flatMap { ranges[$0] } }
        defer { own.finish() }
        return RangeReader.range(own)
    }

    /// Complains of classes that no point has: a misspelled one would be in force nowhere.
    func check(_ section: Section?, against points: [ProfilePoint]) {
        guard let section else { return }
        let classes = points.compactMap(\.class)
        for (name, mark, _) in section.names where !classes.contains(name) {
            section.problems.error(
                "no point has the class '\(name)'", at: mark,
                hint: NearestWord.of(name, among: classes).map { "did you mean '\($0)'?" })
        }
    }
}

/// Reads `bits: 4-7`, the part of a register that counts.
enum BitField {
    static func read(_ section: Section, _ type: RegisterType?, _ problems: ProblemList) -> ClosedRange<Int>? {
        guard
            let bits = section.value("bits", wanted: "the lowest and the highest bit, like 0-3, or one, like 4", parse)
        else { return nil }
        guard let type, type.isWhole, bits.value.upperBound < type.registerCount * 16 else {
            let kind = type.map { "a \($0.rawValue)" } ?? "this value"
            problems.error(
                "\(kind) does not have the bits \(bits.value.lowerBound) to \(bits.value.upperBound)", at: bits.mark,
                hint: "bits are for u16 (0 to 15), u32 and u64, and for s16, s32 and s64 where the highest is a sign")
            return nil
        }
        return bits.value
    }

    private static func parse(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = ends.first, let low = first, let last = ends.last, let high = last, ends.count <= 2,
            low >= 0, low <= high, high < 64
        else { return nil }
        return low...high
    }
}
