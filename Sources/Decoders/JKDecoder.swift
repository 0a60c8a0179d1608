/// Reads JK's battery management systems on their UART or RS-485 port, the protocol that begins with `4E 57`.
///
/// The answer to "read all" is a row of codes, each with as many bytes as its code has. Which of them come differs
/// with the firmware, so each is found by its code and not by its place; at a code that we don't know the reading ends.
package struct JKDecoder: Sendable {
    private var frames: FrameDecoder

    package init(longestPause: Duration) {
        var format = FrameFormat(
            name: "answer", start: [0x4E, 0x57], length: .field(FrameField(at: 2, .unsigned, byteCount: 2), add: 2))
        format.checksums = [FrameChecksum(.sum32be, from: 0, through: -5, at: -4)]
        frames = FrameDecoder([format], longestPause: longestPause)
    }

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ new: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        frames.received(new, at: now).compactMap(Self.record)
    }

    /// Gives up the answer that was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        frames.fellSilent().compactMap(Self.record)
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? { frames.takeSkipped() }

    private static func record(_ event: StreamEvent) -> StreamEvent? {
        guard case .frame(let frame) = event else { return event }
        let bytes = frame.bytes
        // Transport type 0 is a request: our own, on a line that echoes, or another master's.
        guard bytes.count > headerLength + tailLength, bytes[bytes.count - 5] == 0x68 else {
            return .skipped(SkippedBytes(count: bytes.count, reason: .malformed))
        }
        guard bytes[10] != 0 else { return nil }
        let fields = fields(in: bytes[headerLength..<(bytes.count - tailLength)])
        guard !fields.isEmpty else { return .skipped(SkippedBytes(count: bytes.count, reason: .malformed)) }
        return .record(FieldRecord(fields: fields, startedAt: frame.startedAt))
    }

    /// Start, length, terminal, command, source, type.
    private static let headerLength = 11
    /// Record number, end, sum.
    private static let tailLength = 9

    /// How many bytes stand behind a code; 0x79, the cells, says it itself.
    private static func length(of code: UInt8) -> Int? {
        switch code {
        case 0x80...0x84, 0x87, 0x8A...0x9C, 0x9E...0xA8, 0xAD, 0xB0: 2
        case 0x85, 0x86, 0x9D, 0xA9, 0xAB, 0xAC, 0xAE, 0xAF, 0xB1, 0xB3, 0xB8, 0xC0: 1
        case 0x89, 0xAA, 0xB5, 0xB6, 0xB9: 4
        case 0xB2: 10
        case 0xB4: 8
        case 0xB7: 15
        case 0xBA: 24
        default: nil
        }
    }

    private static func fields(in data: ArraySlice<UInt8>) -> [FieldRecord.Field] {
        var values: [UInt8: Int] = [:]
        var fields: [FieldRecord.Field] = []
        var rest = data
        while let code = rest.popFirst() {
            let isCells = code == 0x79
            guard let length = isCells ? rest.popFirst().map(Int.init) : length(of: code), rest.count >= length else {
                break
            }
            let content = rest.prefix(length)
            rest = rest.dropFirst(length)
            if isCells {
                fields += cells(content)
            } else if length <= 4 {
                values[code] = content.reduce(0) { $0 << 8 | Int($1) }
            } else if code == 0xB7 {
                let text = content.prefix { (0x21...0x7E).contains($0) }
                fields.append(.init("software", String(decoding: text, as: UTF8.self)))
            }
        }
        return fields + named(values)
    }

    /// Three bytes each: which, and its voltage.
    private static func cells(_ content: ArraySlice<UInt8>) -> [FieldRecord.Field] {
        guard content.count % 3 == 0 else { return [] }
        var voltages: [Int] = []
        var fields: [FieldRecord.Field] = []
        for start in stride(from: content.startIndex, to: content.endIndex, by: 3) {
            let voltage = Int(content[start + 1]) << 8 | Int(content[start + 2])
            voltages.append(voltage)
            fields.append(.init("cell_\(content[start])", "\(voltage)"))
        }
        if let lowest = voltages.min(), let highest = voltages.max() {
            fields += [.init("lowest_cell", "\(lowest)"), .init("highest_cell", "\(highest)")]
        }
        return fields
    }

    private static let names: [(code: UInt8, name: String)] = [
        (0x83, "voltage"), (0x85, "charge"), (0x87, "cycles"), (0x89, "cycle_capacity"), (0x8A, "strings"),
        (0x8B, "alarms"), (0x8C, "status"), (0xAA, "capacity"), (0xAB, "charging_switch"),
        (0xAC, "discharging_switch"), (0xB6, "working_minutes"),
    ]

    private static func named(_ values: [UInt8: Int]) -> [FieldRecord.Field] {
        var fields: [FieldRecord.Field] = []
        for (code, name) in names {
            if let value = values[code] { fields.append(.init(name, "\(value)")) }
        }
        for (code, name) in [(0x80 as UInt8, "mos_temperature"), (0x81, "box_temperature"), (0x82, "temperature")] {
            if let degrees = values[code].flatMap(temperature) { fields.append(.init(name, "\(degrees)")) }
        }
        if let current = values[0x84].flatMap({ current($0, version: values[0xC0]) }) {
            fields.append(.init("current", "\(current)"))
        }
        return fields
    }

    /// Beyond 100 it is below zero: 110 is -10, and 140, the coldest that it can say, is -40.
    private static func temperature(_ raw: Int) -> Int? {
        switch raw {
        case 0...100: raw
        case 101...140: 100 - raw
        default: nil
        }
    }

    /// In 10 mA, charging positive, with a bit that says so; versions before 1 count in another way.
    private static func current(_ raw: Int, version: Int?) -> Int? {
        guard version == 1 else { return nil }
        return raw & 0x8000 != 0 ? raw & 0x7FFF : -raw
    }
}
