import CLinux

/// Randomness from the kernel.
package enum Entropy {
    /// Eight random bytes as a number, for seeding what must not be guessed.
    package static func seed() -> UInt64 {
        var value: UInt64 = 0
        return clinux_random(&value) == 0 ? value : UInt64.random(in: .min ... .max)
    }
}
