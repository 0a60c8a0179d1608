/// Sees to it that sequence numbers go on after a restart: with a gap after a crash, but never again from a number that
/// was given.
///
/// A bound is kept far ahead of the numbers in use, so that one write does for thousands of readings.
struct SequenceNumbers {
    static let name = "sequence"
    private static let block: UInt64 = 10_000
    private static let margin: UInt64 = 2_000

    /// The first number of this process.
    let first: UInt64
    /// No number from here on has been given.
    private var bound: UInt64 = 0
    private let keep: @Sendable ([UInt8]) -> Void

    /// `kept` is what was kept last; `keep` keeps it over restarts.
    init(_ kept: [UInt8]?, keep: @escaping @Sendable ([UInt8]) -> Void) {
        first = max(1, UInt64(String(decoding: kept ?? [], as: UTF8.self)) ?? 1)
        self.keep = keep
        reached(first)
    }

    /// The number that is next.
    mutating func reached(_ next: UInt64) {
        guard next + Self.margin > bound else { return }
        bound = next + Self.block
        keep(Array("\(bound)".utf8))
    }

    /// No more will be given.
    func ended(at next: UInt64) {
        keep(Array("\(next)".utf8))
    }
}
