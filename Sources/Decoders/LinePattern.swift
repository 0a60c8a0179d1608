/// A regular expression with named groups that takes time in proportion to the line, whatever is written in it.
///
/// The standard library's `Regex` goes back and tries again: `(a+)+b` on forty letters holds it for hours, and with it
/// the loop that runs all devices. This one follows every way through the pattern at once, one byte after the other.
package struct LinePattern: Equatable, Sendable {
    /// As it was written.
    package let text: String
    /// The names of its groups, in their order.
    package let names: [String]
    let program: [PatternStep]

    /// Why a text is no pattern.
    package struct Problem: Error, Equatable {
        package var text: String
    }

    /// Reads a pattern: literals, `.`, `[…]`, `\d \w \s` and their opposites, `* + ? {n,m}` greedy or lazy, `(?<name>…)`,
    /// `(?:…)`, `|`, `^` and `$`.
    package init(_ text: String) throws(Problem) {
        var compiler = PatternCompiler(text)
        try compiler.compile()
        self.text = text
        names = compiler.names
        program = compiler.program
    }

    /// What the named groups matched, the leftmost match in a line; nil if there is none.
    package func fields(in line: ArraySlice<UInt8>) -> [FieldRecord.Field]? {
        guard let places = PatternRun(program, line, groups: names.count).match() else { return nil }
        return names.enumerated().compactMap { index, name in
            let (start, end) = (places[2 * index], places[2 * index + 1])
            guard start >= 0, end >= start else { return nil }
            return FieldRecord.Field(name, LineCells.trimmed(line[start..<end]))
        }
    }
}

/// One instruction of a compiled pattern.
enum PatternStep: Equatable, Sendable {
    case byte(ByteSet)
    /// Both ways, the first preferred.
    case split(Int, Int)
    case jump(Int)
    case save(Int)
    case lineStart
    case lineEnd
    case match
}

/// Any of the 256 bytes.
struct ByteSet: Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init(_ bytes: some Sequence<UInt8> = []) {
        for byte in bytes { insert(byte) }
    }

    static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }

    mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let bit = UInt64(1) << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }

    mutating func formUnion(_ other: ByteSet) {
        words.0 |= other.words.0
        words.1 |= other.words.1
        words.2 |= other.words.2
        words.3 |= other.words.3
    }

    var inverted: ByteSet {
        var result = self
        result.words = (~words.0, ~words.1, ~words.2, ~words.3)
        return result
    }
}

/// One walk of a line through a pattern.
private struct PatternRun {
    private struct Thread {
        var step: Int
        /// Start and end of each group, -1 where it was not met.
        var places: [Int]
    }

    private let program: [PatternStep]
    private let line: ArraySlice<UInt8>
    private let groups: Int
    private var threads: [Thread] = []
    /// At which byte a step was entered last; each is entered once for a byte.
    private var entered: [Int]

    init(_ program: [PatternStep], _ line: ArraySlice<UInt8>, groups: Int) {
        self.program = program
        self.line = line
        self.groups = groups
        entered = Array(repeating: -1, count: program.count)
    }

    consuming func match() -> [Int]? {
        var found: [Int]?
        for position in line.startIndex...line.endIndex {
            let current = threads
            threads = []
            if position > line.startIndex { advance(current, over: line[position - 1], to: position, &found) }
            // A match further left is better than any that begins here.
            if found == nil {
                follow(Thread(step: 0, places: Array(repeating: -1, count: 2 * groups)), position, &found)
            }
            if threads.isEmpty, found != nil { break }
        }
        return found
    }

    private mutating func advance(_ current: [Thread], over byte: UInt8, to position: Int, _ found: inout [Int]?) {
        for thread in current {
            guard case .byte(let set) = program[thread.step], set.contains(byte) else { continue }
            let matched = follow(Thread(step: thread.step + 1, places: thread.places), position, &found)
            // What stands behind it in the list is less preferred than this match.
            if matched { return }
        }
    }

    /// Goes on to every step that takes a byte; true when it met the end of the pattern.
    @discardableResult
    private mutating func follow(_ start: Thread, _ position: Int, _ found: inout [Int]?) -> Bool {
        var waiting = [start]
        while var thread = waiting.popLast() {
            guard entered[thread.step] != position else { continue }
            entered[thread.step] = position
            switch program[thread.step] {
            case .byte: threads.append(thread)
            case .jump(let target): waiting.append(Thread(step: target, places: thread.places))
            case .split(let first, let second):
                waiting.append(Thread(step: second, places: thread.places))
                waiting.append(Thread(step: first, places: thread.places))
            case .save(let slot):
                thread.places[slot] = position
                thread.step += 1
                waiting.append(thread)
            case .lineStart:
                if position == line.startIndex { waiting.append(Thread(step: thread.step + 1, places: thread.places)) }
            case .lineEnd:
                if position == line.endIndex { waiting.append(Thread(step: thread.step + 1, places: thread.places)) }
            case .match:
                found = thread.places
                return true
            }
        }
        return false
    }
}
