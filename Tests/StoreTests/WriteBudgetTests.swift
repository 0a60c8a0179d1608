import Readings
import Testing

@testable import Store

@Suite struct WriteBudgetTests {
    private static let day: Int64 = 86_400_000

    private func at(day: Int64, _ milliseconds: Int64 = 0) -> Timestamp {
        Timestamp(milliseconds: day * Self.day + milliseconds)
    }

    @Test func `it warns once a day, and again the next`() {
        var budget = WriteBudget(bytesPerDay: 1_000_000)
        #expect(budget.wrote(600_000, at: at(day: 20_000)) == nil)
        #expect(budget.wrote(400_000, at: at(day: 20_000, 1)) == nil)
        let excess = budget.wrote(1, at: at(day: 20_000, 2))
        #expect(excess == WriteBudget.Excess(written: 1_000_001, budget: 1_000_000))
        #expect(excess?.description.contains("1 MB were written today") == true)
        #expect(budget.wrote(9_000_000, at: at(day: 20_000, 3)) == nil)
        #expect(budget.wrote(1_000, at: at(day: 20_001)) == nil)
        #expect(budget.bytesToday == 1_000)
        #expect(budget.wrote(1_000_000, at: at(day: 20_001, 5)) != nil)
    }

    @Test func `without a budget it only counts`() {
        var budget = WriteBudget(bytesPerDay: nil)
        #expect(budget.wrote(.max / 2, at: at(day: 1)) == nil)
        #expect(budget.bytesToday == .max / 2)
    }

    @Test func `a clock that is set back begins a day of its own`() {
        var budget = WriteBudget(bytesPerDay: 10)
        #expect(budget.wrote(11, at: at(day: 5)) != nil)
        #expect(budget.wrote(9, at: at(day: -5)) == nil)
        #expect(budget.wrote(2, at: at(day: -5)) != nil)
    }
}
