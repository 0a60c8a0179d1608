package import Bytes

/// Slows down who guesses passwords: each address may fail a few times at once, then now and then.
///
/// A failure costs a token of the address, and tokens come back with time. Tokens are taken before the password is
/// hashed and given back when it was right, so guesses that come at the same moment don't get by.
package struct LoginBrake: Sendable {
    /// Failures that an address has free.
    package static let burst = 10
    /// The time until an address that failed more often may try again once.
    package static let interval: Duration = .seconds(5)
    /// As many addresses as are remembered.
    private static let capacity = 4096

    private struct Entry {
        var tokens: Int
        /// When the tokens were counted.
        var since: MonotonicTime
    }

    private var entries: [[UInt8]: Entry] = [:]

    package init() {}

    /// How many addresses are remembered.
    var remembered: Int { entries.count }

    /// Takes a token; false if the address has none, and must not try now.
    package mutating func begin(_ address: String, now: MonotonicTime) -> Bool {
        let key = Self.key(address)
        var entry = current(key, now)
        guard entry.tokens > 0 else { return false }
        entry.tokens -= 1
        entries[key] = entry
        if entries.count > Self.capacity { forgetOthers(than: key, now) }
        return true
    }

    /// The password was right: gives the token back.
    package mutating func succeeded(_ address: String) {
        let key = Self.key(address)
        guard var entry = entries[key] else { return }
        entry.tokens += 1
        entries[key] = entry.tokens >= Self.burst ? nil : entry
    }

    private func current(_ key: [UInt8], _ now: MonotonicTime) -> Entry {
        guard var entry = entries[key] else { return Entry(tokens: Self.burst, since: now) }
        let regained = Int((now - entry.since) / Self.interval)
        guard regained > 0 else { return entry }
        entry.tokens = min(Self.burst, entry.tokens + regained)
        entry.since = entry.tokens == Self.burst ? now : entry.since + Self.interval * regained
        return entry
    }

    /// Makes room: addresses with all their tokens go first, then the one that was quiet for longest.
    private mutating func forgetOthers(than key: [UInt8], _ now: MonotonicTime) {
        for other in entries.keys where current(other, now).tokens >= Self.burst { entries[other] = nil }
        guard entries.count > Self.capacity else { return }
        let oldest = entries.filter { $0.key != key }.min { $0.value.since < $1.value.since }
        if let oldest { entries[oldest.key] = nil }
    }

    /// One network of IPv6 belongs to one household: its first 64 bits are what counts.
    private static func key(_ address: String) -> [UInt8] {
        guard let bytes = AddressRange.bytes(of: address) else { return Array(address.utf8) }
        let isVersion4 = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF
        return isVersion4 ? bytes : Array(bytes[..<8])
    }
}
