import Bytes

/// Turns the text of a pattern into its program.
struct PatternCompiler {
    /// More would be no pattern for a line any more, but a way to use up memory: `(.{99}){99}`.
    private static let longest = 1_000
    private static let deepest = 20

    private let text: [UInt8]
    private var index = 0
    private var depth = 0
    private(set) var names: [String] = []
    private(set) var program: [PatternStep] = []

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    mutating func compile() throws(LinePattern.Problem) {
        program = try alternatives()
        guard index == text.count else { throw problem("a ')' has no '('") }
        guard program.count <= Self.longest else { throw problem("the pattern is too long") }
        program.append(.match)
        guard !names.isEmpty else {
            throw LinePattern.Problem(text: "it has no named group; write (?<temperature>…) around what is wanted")
        }
    }

    private func problem(_ what: String) -> LinePattern.Problem {
        LinePattern.Problem(text: "\(what) (character \(index + 1))")
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func take(_ wanted: String) -> Bool {
        guard text[index...].starts(with: wanted.utf8) else { return false }
        index += wanted.utf8.count
        return true
    }

    // Programs are relative while they are put together: a jump says how far.

    private mutating func alternatives() throws(LinePattern.Problem) -> [PatternStep] {
        var result = try sequence()
        while take("|") {
            let other = try sequence()
            result =
                [.split(1, result.count + 2)] + Self.moved(result, by: 1) + [.jump(result.count + 2 + other.count)]
                + Self.moved(other, by: result.count + 2)
        }
        return result
    }

    private mutating func sequence() throws(LinePattern.Problem) -> [PatternStep] {
        var result: [PatternStep] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            let atom = try atom()
            let repeated = try repeats(atom)
            result += Self.moved(repeated, by: result.count)
            guard result.count <= Self.longest else { throw problem("the pattern is too long") }
        }
        return result
    }

    private static func moved(_ steps: [PatternStep], by distance: Int) -> [PatternStep] {
        steps.map { step in
            switch step {
            case .split(let first, let second): .split(first + distance, second + distance)
            case .jump(let target): .jump(target + distance)
            case .byte, .save, .lineStart, .lineEnd, .match: step
            }
        }
    }

    private mutating func repeats(_ atom: [PatternStep]) throws(LinePattern.Problem) -> [PatternStep] {
        guard let (least, most) = try bounds() else { return atom }
        let isLazy = take("?")
        if take("+") { throw problem("possessive '+' is not available, and not needed: nothing is tried twice") }
        if let next, next == UInt8(ascii: "*") { throw problem("two repetitions in a row") }
        let length = atom.count * max(least, most ?? least + 1)
        guard length <= Self.longest else { throw problem("the pattern is too long") }
        var result: [PatternStep] = []
        for _ in 0..<least { result += Self.moved(atom, by: result.count) }
        guard let most else {
            let start = result.count
            let end = start + atom.count + 2
            result.append(isLazy ? .split(end, start + 1) : .split(start + 1, end))
            return result + Self.moved(atom, by: start + 1) + [.jump(start)]
        }
        for _ in least..<most {
            let start = result.count
            let end = start + 1 + atom.count
            result.append(isLazy ? .split(end, start + 1) : .split(start + 1, end))
            result += Self.moved(atom, by: start + 1)
        }
        return result
    }

    private mutating func bounds() throws(LinePattern.Problem) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard take("{") else { return nil }
        guard let least = number() else { throw problem("after '{' comes a number; write '\\{' for the character") }
        if take("}") { return (least, least) }
        guard take(",") else { throw problem("'}' is missing") }
        let most = number()
        guard take("}") else { throw problem("'}' is missing") }
        guard most ?? least >= least else { throw problem("the second number is less than the first") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let digits = text[index...].prefix { Digits.value($0) != nil }
        guard digits.count <= 3, let value = Digits.integer(digits) else { return nil }
        index += digits.count
        return Int(value)
    }

    private mutating func atom() throws(LinePattern.Problem) -> [PatternStep] {
        guard let byte = next else { return [] }
        switch byte {
        case UInt8(ascii: "("): return try group()
        case UInt8(ascii: "["): return [.byte(try set())]
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            throw problem("there is nothing to repeat before this; write '\\' before it for the character")
        default: break
        }
        index += 1
        switch byte {
        case UInt8(ascii: "^"): return [.lineStart]
        case UInt8(ascii: "$"): return [.lineEnd]
        case UInt8(ascii: "."): return [.byte(ByteSet().inverted)]
        case UInt8(ascii: "\\"): return [.byte(try escaped())]
        default: return [.byte(ByteSet([byte]))]
        }
    }

    private mutating func group() throws(LinePattern.Problem) -> [PatternStep] {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw problem("too many groups in groups") }
        var slot: Int?
        if take("(?:") {
        } else if take("(?<=") || take("(?<!") || take("(?=") || take("(?!") {
            throw problem("looking ahead or behind is not available")
        } else if take("(?<") || take("(?P<") {
            slot = try name()
        } else if take("(?") {
            throw problem("'(?' begins (?<name>…) or (?:…)")
        } else {
            index += 1
        }
        let inner = try alternatives()
        guard take(")") else { throw problem("a '(' has no ')'") }
        guard let slot else { return inner }
        return [.save(2 * slot)] + Self.moved(inner, by: 1) + [.save(2 * slot + 1)]
    }

    private mutating func name() throws(LinePattern.Problem) -> Int {
        let bytes = text[index...].prefix { $0 != UInt8(ascii: ">") }
        let name = String(decoding: bytes, as: UTF8.self)
        let isPlain = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard isPlain else { throw problem("a group's name has letters, digits and '_' only, and '>' behind") }
        guard !names.contains(name) else { throw problem("there are two groups '\(name)'") }
        index += bytes.count
        guard take(">") else { throw problem("'>' is missing") }
        names.append(name)
        return names.count - 1
    }

    private mutating func set() throws(LinePattern.Problem) -> ByteSet {
        index += 1
        let isInverted = take("^")
        var set = ByteSet()
        var isFirst = true
        while let byte = next, byte != UInt8(ascii: "]") || isFirst {
            isFirst = false
            guard byte < 0x80 else { throw problem("in […] only plain ASCII is possible") }
            index += 1
            if byte == UInt8(ascii: "\\") {
                set.formUnion(try escaped())
            } else if next == UInt8(ascii: "-"), index + 1 < text.count, text[index + 1] != UInt8(ascii: "]") {
                let last = text[index + 1]
                guard last >= byte, last < 0x80, last != UInt8(ascii: "\\") else { throw problem("this range is none") }
                set.formUnion(ByteSet(byte...last))
                index += 2
            } else {
                set.insert(byte)
            }
        }
        guard take("]") else { throw problem("a '[' has no ']'") }
        return isInverted ? set.inverted : set
    }

    /// What stands after a backslash.
    private mutating func escaped() throws(LinePattern.Problem) -> ByteSet {
        guard let byte = next else { throw problem("the pattern ends after '\\'") }
        index += 1
        switch byte {
        case UInt8(ascii: "d"): return Self.digits
        case UInt8(ascii: "D"): return Self.digits.inverted
        case UInt8(ascii: "w"): return Self.wordBytes
        case UInt8(ascii: "W"): return Self.wordBytes.inverted
        case UInt8(ascii: "s"): return Self.spaces
        case UInt8(ascii: "S"): return Self.spaces.inverted
        case UInt8(ascii: "t"): return ByteSet([0x09])
        case UInt8(ascii: "r"): return ByteSet([0x0D])
        case UInt8(ascii: "n"): return ByteSet([0x0A])
        case UInt8(ascii: "x"): return ByteSet([try hexByte()])
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            throw problem("'\\\(Character(Unicode.Scalar(byte)))' is not available")
        default: return ByteSet([byte])
        }
    }

    private mutating func hexByte() throws(LinePattern.Problem) -> UInt8 {
        let digits = text[index...].prefix(2).compactMap(Hex.value(ofDigit:))
        guard digits.count == 2 else { throw problem("two hex digits must follow '\\x'") }
        index += 2
        return digits[0] << 4 | digits[1]
    }

    private static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    private static let spaces = ByteSet([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20])
    private static let wordBytes: ByteSet = {
        var set = digits
        set.formUnion(ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z")))
        set.formUnion(ByteSet(UInt8(ascii: "A")...UInt8(ascii: "Z")))
        set.insert(UInt8(ascii: "_"))
        return set
    }()
}
