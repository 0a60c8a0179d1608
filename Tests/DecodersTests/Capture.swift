import Decoders
import Foundation
import Testing

/// The captured telegrams, and ways to feed them.
enum Capture: String, CaseIterable, CustomTestStringConvertible {
    case v2 = "v2_2"
    case v4 = "v4_2"
    case v5
    case twoSubMeters = "v5_two_mbus"
    case fluvius = "fluvius_v171"
    case sagemcom = "sagemcom_t210_d_r"

    static let withChecksum = allCases.filter { $0 != .v2 }

    var bytes: [UInt8] {
        let url = Bundle.module.resourceURL?.appending(path: "Telegrams/\(rawValue).telegram")
        return url.flatMap { try? Data(contentsOf: $0) }.map { [UInt8]($0) } ?? []
    }

    var testDescription: String { rawValue }
}

/// Feeds bytes in portions, one every 10 ms.
func decode(_ bytes: [UInt8], portion: Int = 64, with kind: StreamDecoderKind = .dsmrP1) -> [StreamEvent] {
    var decoder = StreamDecoder(kind)
    return decode(bytes, portion: portion, with: &decoder, from: .now)
}

func decode(
    _ bytes: [UInt8], portion: Int = 64, with decoder: inout StreamDecoder, from start: ContinuousClock.Instant
) -> [StreamEvent] {
    var events: [StreamEvent] = []
    for (turn, begin) in stride(from: 0, to: bytes.count, by: portion).enumerated() {
        let part = Array(bytes[begin..<min(begin + portion, bytes.count)])
        events += decoder.received(part.span, at: start + .milliseconds(10 * turn))
    }
    return events
}

extension [StreamEvent] {
    var telegrams: [Telegram] {
        compactMap { if case .telegram(let telegram) = $0 { telegram } else { nil } }
    }

    var skipped: [SkippedBytes] {
        compactMap { if case .skipped(let skipped) = $0 { skipped } else { nil } }
    }
}

/// A small generator, so that a failure can be repeated from its seed.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
