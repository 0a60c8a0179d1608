import Bytes
import Decoders
import Documents

/// Reads how a serial device's bytes are to be read: `decoder`, `lines` or `frames`.
struct StreamFormatReader {
    private let problems: ProblemList

    init(_ problems: ProblemList) {
        self.problems = problems
    }

    func format(_ profile: Section, _ bus: Section) -> StreamFormat? {
        let given = ["lines", "frames"].filter(profile.has) + (bus.has("decoder") ? ["decoder"] : [])
        let kinds = StreamDecoderKind.allCases.map(\.rawValue).joined(separator: ", ")
        guard given.count == 1 else {
            problems.error(
                given.isEmpty
                    ? "a serial bus needs a 'decoder', or the profile 'lines' or 'frames'"
                    : "\(given.joined(separator: " and ")) exclude each other",
                at: bus.mark, hint: "decoders: \(kinds)")
            return nil
        }
        if let kind = bus.word("decoder", StreamDecoderKind.self) { return .known(kind) }
        if let section = profile.section("lines") { return lines(section).map { .lines($0) } }
        guard let section = profile.section("frames") else { return nil }
        let frames = section.sections.compactMap { frame($0.name, $0.section) }
        if frames.isEmpty, section.names.isEmpty { problems.error("'frames' is empty", at: section.mark) }
        return frames.isEmpty ? nil : .frames(frames)
    }

    // MARK: lines

    private func lines(_ section: Section) -> TextLineFormat? {
        defer { section.finish() }
        let start = bytes(section, "start")
        let end = bytes(section, "end")
        let maximum = section.integer("max", 1...4_096)
        let checksum = section.word("checksum", TextLineFormat.Checksum.self)
        let comment = bytes(section, "comment")
        let comma = section.bool("decimal_comma")
        guard var format = layout(section).map({ TextLineFormat($0) }) else { return nil }
        format.start = start ?? []
        if let end { format.end = end }
        if let maximum { format.maximum = maximum }
        format.checksum = checksum
        format.comment = comment ?? []
        format.hasDecimalComma = comma ?? false
        return format
    }

    private func layout(_ section: Section) -> TextLineFormat.Layout? {
        let patterns = patterns(section.node("match"))
        let names = section.list("columns")?.map { $0.isNull ? "" : $0.text ?? "" }
        let separator = bytes(section, "separator")
        let pairs = section.section("pairs")
        let isJSON = section.bool("json") ?? false
        let given = ["match", "separator", "pairs", "json"].filter(section.has)
        guard given.count == 1 else {
            problems.error(
                "'lines' needs one of 'match', 'separator', 'pairs' and 'json'", at: section.mark,
                hint: "match: 'T=(?<temperature>\\d+)' or separator: \";\"")
            return nil
        }
        if let separator { return .columns(separator: separator, names: names ?? []) }
        if let pairs {
            defer { pairs.finish() }
            return .pairs(between: bytes(pairs, "between") ?? [0x20], equals: bytes(pairs, "equals") ?? [0x3D])
        }
        if isJSON { return .json }
        return patterns.isEmpty ? nil : .patterns(patterns)
    }

    private func patterns(_ node: Node?) -> [LinePattern] {
        guard let node else { return [] }
        return (node.items ?? [node]).compactMap { item in
            do throws(LinePattern.Problem) {
                return try LinePattern(item.text ?? "")
            } catch {
                problems.error("this pattern can't be used: \(error.text)", at: item.mark)
                return nil
            }
        }
    }

    private func bytes(_ section: Section, _ key: String) -> [UInt8]? {
        section.value(key, wanted: "one character or a few, in double quotes: \"\\n\"") { text in
            text.isEmpty || text.utf8.count > 8 ? nil : Array(text.utf8)
        }?.value
    }

    // MARK: frames

    private func frame(_ name: String, _ section: Section) -> FrameFormat? {
        defer { section.finish() }
        let start = hex(section, "start")
        let end = hex(section, "end") ?? []
        let maximum = section.integer("max", 1...4_096)
        let checksum = section.section("checksum").flatMap { self.checksum($0) }
        guard let length = length(section, hasEnd: !end.isEmpty), let start else {
            if start == nil, !section.has("start") {
                problems.error("a frame needs 'start', its first bytes", at: section.mark, hint: "start: AA C0")
            }
            return nil
        }
        var format = FrameFormat(name: name, start: start, length: length)
        format.end = end
        format.checksums = [checksum].compactMap(\.self)
        if let maximum { format.maximum = maximum }
        return format
    }

    private func length(_ section: Section, hasEnd: Bool) -> FrameFormat.Length? {
        guard let node = section.node("length") else {
            if !hasEnd {
                problems.error("a frame needs 'length' or 'end'", at: section.mark, hint: "length: 10")
            }
            return hasEnd ? .untilEnd : nil
        }
        if node.text != nil { return section.integer("length", 1...4_096).map { .fixed($0) } }
        guard let group = section.section("length") else { return nil }
        defer { group.finish() }
        let add = group.integer("add", -4_096...4_096) ?? 0
        guard let field = FrameFieldReader(problems).field(group) else { return nil }
        guard field.at >= 0, field.kind == .unsigned || field.kind == .bcd else {
            problems.error("a length is a number at a place from the start", at: group.mark)
            return nil
        }
        return .field(field, add: add)
    }

    /// `{ sum8: [2, 7], at: 8 }`: which bytes are summed up, both ends included, and where the sum stands.
    private func checksum(_ section: Section) -> FrameChecksum? {
        defer { section.finish() }
        let at = section.integer("at", -4_096...4_096)
        guard let kind = FrameChecksum.Kind.allCases.first(where: { section.has($0.rawValue) }) else {
            let kinds = FrameChecksum.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            problems.error(
                "which checksum is it?", at: section.mark, hint: "{ sum8: [2, 7], at: 8 }; there are: \(kinds)")
            return nil
        }
        let ends = (section.list(kind.rawValue) ?? []).compactMap { $0.text.flatMap(Scalar.integer) }
        guard ends.count == 2, ends.allSatisfy({ abs($0) <= 4_096 }) else {
            problems.error(
                "a checksum is over the bytes from one to another", at: section.mark(of: kind.rawValue),
                hint: "\(kind.rawValue): [2, 7]; -1 is the last byte")
            return nil
        }
        guard at != nil || kind == .zeroSum8 else {
            if !section.has("at") { problems.error("'at' is missing: where the sum stands", at: section.mark) }
            return nil
        }
        return FrameChecksum(kind, from: ends[0], through: ends[1], at: at ?? 0)
    }

    private func hex(_ section: Section, _ key: String) -> [UInt8]? {
        section.value(key, wanted: "bytes in hex: AA C0") { text in
            Hex.bytes(text).flatMap { $0.isEmpty || $0.count > 64 ? nil : $0 }
        }?.value
    }
}

/// Reads `requests`: what is sent so that the device answers.
struct RequestReader {
    private let problems: ProblemList
    private let every: Duration

    init(_ problems: ProblemList, every: Duration) {
        self.problems = problems
        self.every = every
    }

    func requests(_ section: Section?) -> [StreamRequest] {
        section?.sections.compactMap { request($0.name, $0.section) } ?? []
    }

    private func request(_ name: String, _ section: Section) -> StreamRequest? {
        defer { section.finish() }
        let bytes = section.value("send", wanted: "bytes in hex: FF 01 86", Hex.bytes)?.value
        let text = section.text("text").map { Array($0.value.utf8) }
        let every = section.duration("every", or: "once") ?? .some(self.every)
        let wait = section.duration("wait") ?? .seconds(1)
        guard let sent = bytes ?? text, !sent.isEmpty, sent.count <= 256, bytes == nil || text == nil else {
            problems.error(
                "a request needs one of 'send' and 'text'", at: section.mark,
                hint: "send: FF 01 86 00 00 00 00 00 79, or text: \"Q\\r\\n\"")
            return nil
        }
        guard every.map({ $0 >= .milliseconds(20) }) ?? true, wait >= .milliseconds(1) else {
            problems.error("this is too often", at: section.mark(of: "every"), hint: "write 20ms or more")
            return nil
        }
        return StreamRequest(name: name, bytes: sent, every: every, wait: wait)
    }
}
