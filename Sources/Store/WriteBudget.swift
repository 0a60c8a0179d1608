package import Readings

/// Counts what is written in a day, and says once a day when it is more than a card should take.
package struct WriteBudget: Equatable, Sendable {
    /// More was written today than is meant to be; both in bytes.
    package struct Excess: Equatable, Sendable {
        package var written: Int
        package var budget: Int
    }

    private static let day: Int64 = 86_400_000

    private let budget: Int?
    private var today = Int64.min
    /// Whether more was written today than is meant to be.
    package private(set) var isExceeded = false
    /// Since midnight UTC, or since the start.
    package private(set) var bytesToday = 0

    /// Nil has no limit.
    package init(bytesPerDay budget: Int?) {
        self.budget = budget
    }

    /// Counts bytes that were written now.
    package mutating func wrote(_ bytes: Int, at now: Timestamp) -> Excess? {
        let day = now.milliseconds / Self.day
        if day != today { (today, bytesToday, isExceeded) = (day, 0, false) }
        bytesToday += bytes
        guard let budget, bytesToday > budget, !isExceeded else { return nil }
        isExceeded = true
        return Excess(written: bytesToday, budget: budget)
    }
}

extension WriteBudget.Excess: CustomStringConvertible {
    package var description: String {
        """
        \(written / 1_000_000) MB were written today, more than the \(budget / 1_000_000) MB of 'store.daily_budget': \
        an SD card wears; a longer 'store.sync' joins more into one write
        """
    }
}
