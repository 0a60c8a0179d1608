/// Counts the edges that the kernel had no room for, by the numbers that it gives to each line's edges.
package struct EdgeNumbers: Equatable, Sendable {
    private var last: [UInt32]

    /// Numbers begin with 1 at the request.
    package init(lines: Int) {
        last = [UInt32](repeating: 0, count: lines)
    }

    /// How many edges of the line were lost just before this one.
    ///
    /// The numbers go round; one that came before, which can't be, is no loss.
    package mutating func lost(before number: UInt32, line: Int) -> Int {
        let missing = number &- last[line] &- 1
        last[line] = number
        return missing < UInt32.max / 2 ? Int(missing) : 0
    }
}
