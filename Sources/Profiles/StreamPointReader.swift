import Decoders
import Documents

/// Reads where a point's value is in a frame or a line.
struct StreamPointReader {
    private let problems: ProblemList

    init(_ problems: ProblemList) {
        self.problems = problems
    }

    func frame(_ section: Section, _ formats: [FrameFormat]) -> FrameSource? {
        let frame = section.text("frame")
        if let frame, !formats.contains(where: { $0.name == frame.value }) {
            problems.error(
                "there is no frame '\(frame.value)'", at: frame.mark,
                hint: "there are: \(formats.map(\.name).joined(separator: ", "))")
        } else if frame == nil, formats.count > 1, !section.has("frame") {
            problems.error(
                "which frame is this point in?", at: section.mark, hint: "write frame: \(formats.first?.name ?? "")")
        }
        let scale = PointReader.scale(section) ?? .one
        let offset = section.number("offset") ?? 0
        let notAvailable = (section.list("not_available") ?? []).compactMap { $0.text.flatMap(Scalar.integer) }
        let bit = section.integer("bit", 0...63)
        let mask = section.value("mask", wanted: "a number, like 0x0F", Scalar.integer)?.value
        guard var field = FrameFieldReader(problems).field(section) else { return nil }
        field.mask = bit.map { UInt64(1) << UInt64($0) } ?? mask.flatMap { UInt64(exactly: $0) }
        return FrameSource(
            frame: frame?.value, field: field, scale: scale, offset: offset, notAvailable: notAvailable.map(Int64.init))
    }

    func field(_ section: Section, _ format: TextLineFormat?) -> FieldSource? {
        let scale = PointReader.scale(section)
        let offset = section.number("offset") ?? 0
        let words = texts(section.section("map"))
        let only = texts(section.section("only"))
        let isNumber = section.has("unit") || scale != nil || section.has("offset")
        guard let from = section.text("from") else {
            if !section.has("from") {
                problems.error(
                    "this point has no 'from', its field in the line", at: section.mark,
                    hint: "the name of a group, a key, a column's number or a JSON path")
            }
            return nil
        }
        if case .patterns(let patterns) = format?.layout, !patterns.contains(where: { $0.names.contains(from.value) }) {
            let names = patterns.flatMap(\.names)
            problems.error(
                "no pattern has a group '\(from.value)'", at: from.mark,
                hint: "there are: \(names.joined(separator: ", "))")
        }
        return FieldSource(
            name: from.value, scale: scale ?? .one, offset: offset, isNumber: isNumber, words: words, only: only)
    }

    private func texts(_ section: Section?) -> [String: String] {
        guard let section else { return [:] }
        var texts: [String: String] = [:]
        for (name, _, node) in section.names { texts[name] = node.text }
        return texts
    }
}

/// Reads `at` and `type` of a value in a frame.
struct FrameFieldReader {
    private let problems: ProblemList

    init(_ problems: ProblemList) {
        self.problems = problems
    }

    func field(_ section: Section) -> FrameField? {
        let at = section.integer("at", -4_096...4_096)
        if at == nil, !section.has("at") {
            problems.error("'at' is missing: which byte it begins at, from 0", at: section.mark)
        }
        guard let type = section.text("type") else {
            if !section.has("type") { problems.error("'type' is missing", at: section.mark, hint: "like u16le or u8") }
            return nil
        }
        guard let at else { return nil }
        guard let field = FrameField(at: at, type: type.value) else {
            problems.error(
                "'\(type.value)' is not a type", at: type.mark,
                hint:
                    "u8 to u64, s8 to s64, float32, float64, bcd1 to bcd8, hex1, text8, …; with le behind for low byte "
                    + "first")
            return nil
        }
        return field
    }
}
