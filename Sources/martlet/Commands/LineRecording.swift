import Bytes

/// What was heard on a line, with times: a line of text for what came at once, so that a recording can be read, cut and
/// sent in a report.
///
///     # martlet recording 1: /dev/ttyUSB0, 9600 baud 8N1, 2026-03-01T07:30:00.123+01:00
///     0.000 < 01 04 00 00 00 02 71 CB
///     0.031 < 01 04 04 43 66 33 34 1B 38
///
/// The number is in seconds from the beginning; `>` is what came at the second port.
struct LineRecording: Equatable {
    struct Piece: Equatable {
        /// From the beginning.
        var at: Duration
        var isOther = false
        var bytes: [UInt8]
    }

    static let mark = "# martlet recording 1"

    var pieces: [Piece] = []

    /// Nil if it is none.
    init?(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.first?.hasPrefix(Self.mark) == true else { return nil }
        for line in lines where !line.hasPrefix("#") {
            guard let piece = Piece(line) else { return nil }
            pieces.append(piece)
        }
    }

    static func head(_ what: String, _ time: String) -> String { "\(mark): \(what), \(time)\n" }
}

extension LineRecording.Piece {
    /// `0.031 < 01 04`.
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let seconds = Double(words[0]), (0...1e9).contains(seconds),
            words[1] == "<" || words[1] == ">", let bytes = Hex.bytes(String(words[2]))
        else { return nil }
        at = .milliseconds(Int((seconds * 1_000).rounded()))
        isOther = words[1] == ">"
        self.bytes = bytes
    }

    var text: String {
        let milliseconds = at.components.seconds * 1_000 + at.components.attoseconds / 1_000_000_000_000_000
        let fraction = String(milliseconds % 1_000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(milliseconds / 1_000).\(zeros)\(fraction) \(isOther ? ">" : "<") \(Hex.text(bytes))\n"
    }
}
