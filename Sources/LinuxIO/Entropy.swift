import CLinux

/// Randomness from the kernel.
package enum Entropy {
    /// Random bytes that nobody can guess; nil where the kernel gives none.
    package static func bytes(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var value: UInt64 = 0
            guard clinux_random(&value) == 0 else { return nil }
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        return Array(bytes.prefix(count))
    }

    /// Eight random bytes as a number, for seeding what must not be guessed.
    package static func seed() -> UInt64 {
        var value: UInt64 = 0
        return clinux_random(&value) == 0 ? value : UInt64.random(in: .min ... .max)
    }
}
