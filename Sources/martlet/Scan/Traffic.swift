import Bytes
import Decoders
import Modbus
import Profiles

/// What bytes that were heard look like, so that the settings at which they make most sense can be chosen.
struct Traffic {
    enum Kind: Comparable {
        case nothing
        /// No pattern that we know: another speed, or a protocol that we don't know.
        case unknown
        case text
        /// Frames or messages whose checksum or form is right.
        case proven
    }

    private(set) var kind: Kind
    /// What share of it is explained, from 0 to 1.
    private(set) var share: Double
    /// For people: "3 Modbus frames", "text".
    private(set) var what: String
    /// Whether seven bits and an even parity are in each byte.
    private(set) var hasEvenParity = false

    /// `messages` are the messages by profile that a listener found in the same bytes.
    init(_ bytes: [UInt8], messages: [String: Int], lineErrors: Int = 0) {
        guard !bytes.isEmpty else {
            (kind, share, what) = (.nothing, 0, "nothing")
            return
        }
        let errors = lineErrors == 0 ? "" : ", \(lineErrors) bytes with line errors"
        let frames = RTUTraffic.frames(in: bytes) + []
        let framed = Double(frames.reduce(0) { $0 + $1.range.count }) / Double(bytes.count)
        let ascii = Self.asciiFrames(bytes)
        if let best = messages.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
            (kind, share) = (.proven, 1)
            let others = messages.keys.filter { $0 != best.key }.sorted().prefix(4)
            let also = others.isEmpty ? "" : ", or \(others.joined(separator: ", "))"
            what = "\(best.value) message\(best.value == 1 ? "" : "s") of \(best.key)\(also)"
        } else if ascii > 0 {
            (kind, share, what) = (.proven, 1, "\(ascii) frame\(ascii == 1 ? "" : "s") of Modbus ASCII")
        } else if frames.count > 1 || framed > 0.5 {
            (kind, share) = (.proven, framed)
            let units = Set(frames.map(\.unit)).sorted().prefix(8).map(String.init).joined(separator: ", ")
            what = "\(frames.count) frame\(frames.count == 1 ? "" : "s") of Modbus RTU, unit \(units)"
        } else {
            let plain = Self.readable(bytes)
            let stripped = Self.readable(bytes.map { $0 & 0x7F })
            let isEven = bytes.allSatisfy { EvenParity.removing(from: $0) != nil }
            if plain > 0.9 {
                (kind, share, what) = (.text, plain, "text")
            } else if stripped > 0.9, isEven, bytes.count >= 16 {
                (kind, share, what) = (.text, stripped, "text with even parity")
                hasEvenParity = true
            } else {
                (kind, share) = (.unknown, max(0, 0.5 - Self.runs(bytes) / 2))
                what = "bytes that say nothing to us"
            }
        }
        what += errors
        if lineErrors > 0 { share *= 1 - min(1, Double(lineErrors) / Double(bytes.count)) }
    }

    /// How much of it people can read.
    private static func readable(_ bytes: [UInt8]) -> Double {
        let readable = bytes.count { (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }
        return Double(readable) / Double(bytes.count)
    }

    /// The share of bytes whose ones or zeros stand together, as 00, F8 and FE: a wrong speed gives mostly such.
    private static func runs(_ bytes: [UInt8]) -> Double {
        let runs = bytes.count { byte in
            ((byte >> 1) ^ byte) & 0x7F == 0 || (((byte >> 1) ^ byte) & 0x7F).nonzeroBitCount == 1
        }
        return Double(runs) / Double(bytes.count)
    }

    /// Frames of Modbus ASCII: `:`, hexadecimal digits, their sum, CR LF. [Modbus over serial line V1.02, section 2.5.2]
    private static func asciiFrames(_ bytes: [UInt8]) -> Int {
        bytes.split(separator: 0x0A).count { line in
            guard line.first == UInt8(ascii: ":"), line.last == 0x0D,
                let content = Hex.bytes(String(decoding: line.dropFirst().dropLast(), as: UTF8.self))
            else { return false }
            return content.count >= 3 && content.reduce(0, &+) == 0
        }
    }
}

extension Traffic: Comparable {
    static func < (one: Self, other: Self) -> Bool { (one.kind, one.share) < (other.kind, other.share) }

    static func == (one: Self, other: Self) -> Bool { (one.kind, one.share) == (other.kind, other.share) }
}
