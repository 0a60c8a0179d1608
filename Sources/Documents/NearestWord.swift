/// Finds what a person probably meant.
package enum NearestWord {
    /// The closest of `words` to `word`, if it is close: a transposed, missing, extra or wrong letter or two, or the
    /// same letters with other case, `_` or `-`; else one that contains it, or is part of it.
    package static func of(_ word: String, among words: [String]) -> String? {
        let plain = stripped(word)
        if let same = words.first(where: { stripped($0) == plain }) { return same }
        let limit = max(1, min(3, word.count / 3))
        var best: (word: String, distance: Int)?
        for candidate in words {
            let distance = distance(Array(plain), Array(stripped(candidate)))
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        if let best { return best.word }
        return words.first {
            $0.count >= 4 && plain.count >= 4 && (stripped($0).contains(plain) || plain.contains(stripped($0)))
        }
    }

    private static func stripped(_ word: String) -> String {
        word.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    }

    /// Insertions, deletions, replacements and swaps of neighbours.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard left.count < 64, right.count < 64 else { return .max }
        var rows = [Array(0...right.count)]
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(rows[row][column + 1] + 1, current[column] + 1)
                cost = min(cost, rows[row][column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                    cost = min(cost, rows[row - 1][column - 1] + 1)
                }
                current.append(cost)
            }
            rows.append(current)
        }
        return rows[left.count][right.count]
    }
}
