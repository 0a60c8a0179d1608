/// Makes damage from a seed, so that a failure can be had again.
package struct Mutator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// SplitMix64: neighbouring seeds give unlike numbers.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(next() % UInt64(limit)) : 0 }

    /// Bytes that often mean something: borders of numbers, lengths, wildcards, flags.
    private static let telling: [UInt8] = [
        0x00, 0x01, 0x02, 0x7F, 0x80, 0x81, 0xFE, 0xFF, 0x23, 0x2B, 0x2F, 0x24, 0x10, 0x30, 0x82, 0xC0, 0xE0, 0xF0,
    ]

    /// The bytes with a few changes: bits, bytes, parts taken out, put in, doubled, or cut off.
    package mutating func mutate(_ bytes: inout [UInt8], times: Int) {
        for _ in 0..<times {
            guard !bytes.isEmpty else { return }
            let place = below(bytes.count)
            switch below(8) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 1: bytes[place] ^= 1 << UInt8(below(8))
            case 2, 3: bytes[place] = Self.telling[below(Self.telling.count)]
            case 4: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
            case 5: bytes.remove(at: place)
            case 6: bytes.insert(contentsOf: Array(bytes[place...].prefix(1 + below(40))), at: below(bytes.count))
            default: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(20)))
            }
        }
    }
}
