/// Counts bytes that gave nothing, and tells of them in portions.
struct SkipCount: Sendable {
    /// A line with a wrong rate gives nothing else; so much is told at once.
    private static let portion = 4_096

    private var count = 0
    private var reason = SkippedBytes.Reason.noise

    /// A reason other than noise stays until it was told.
    mutating func skip(_ bytes: Int, _ reason: SkippedBytes.Reason, into events: inout [StreamEvent]) {
        if self.reason == .noise { self.reason = reason }
        var rest = bytes
        while count + rest >= Self.portion {
            rest -= Self.portion - count
            count = Self.portion
            if let told = take() { events.append(.skipped(told)) }
        }
        count += rest
    }

    /// What was not told yet.
    mutating func take() -> SkippedBytes? {
        guard count > 0 else { return nil }
        defer { (count, reason) = (0, .noise) }
        return SkippedBytes(count: count, reason: reason)
    }
}
