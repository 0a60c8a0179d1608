/// Swift text without what a word in it may be about: comments and string literals become spaces.
enum CodeText {
    private enum Place: Equatable {
        case code
        case lineComment
        case blockComment(depth: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    static func blanking(_ text: String) -> String {
        var reader = Reader(bytes: Array(text.utf8))
        while !reader.isAtEnd { reader.step() }
        return String(decoding: reader.output, as: UTF8.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        var offset = 0
        var place = Place.code
        var output: [UInt8] = []

        var isAtEnd: Bool { offset >= bytes.count }

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        func sees(_ text: String, at start: Int? = nil) -> Bool {
            bytes.dropFirst(start ?? offset).starts(with: text.utf8)
        }

        mutating func blank(_ count: Int) {
            for byte in bytes[offset..<min(offset + count, bytes.count)] {
                output.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
            }
            offset += count
        }

        mutating func step() {
            switch place {
            case .code: code()
            case .lineComment:
                if sees("\n") { place = .code }
                blank(1)
            case .blockComment(let depth): comment(depth)
            case .string(let hashes, let isMultiline): string(hashes, isMultiline)
            }
        }

        private mutating func code() {
            let hashes = bytes[offset...].prefix { $0 == UInt8(ascii: "#") }.count
            if sees("//") {
                place = .lineComment
            } else if sees("/*") {
                place = .blockComment(depth: 1)
                blank(2)
            } else if sees("\"\"\"", at: offset + hashes) {
                place = .string(hashes: hashes, isMultiline: true)
                blank(hashes + 3)
            } else if sees("\"", at: offset + hashes) {
                place = .string(hashes: hashes, isMultiline: false)
                blank(hashes + 1)
            } else {
                output.append(bytes[offset])
                offset += 1
            }
        }

        private mutating func comment(_ depth: Int) {
            if sees("/*") {
                place = .blockComment(depth: depth + 1)
                blank(2)
            } else if sees("*/") {
                place = depth == 1 ? .code : .blockComment(depth: depth - 1)
                blank(2)
            } else {
                blank(1)
            }
        }

        private mutating func string(_ hashes: Int, _ isMultiline: Bool) {
            let escape = "\\" + String(repeating: "#", count: hashes)
            let end = (isMultiline ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
            if sees(escape + "(") {
                interpolation(escape.utf8.count + 1)
            } else if sees(escape) {
                blank(escape.utf8.count + 1)
            } else if sees(end) || (!isMultiline && sees("\n")) {
                place = .code
                blank(sees("\n") ? 1 : end.utf8.count)
            } else {
                blank(1)
            }
        }

        /// Blanked too, with the strings inside.
        private mutating func interpolation(_ opening: Int) {
            let outer = place
            let kept = output.count
            let start = offset
            offset += opening
            place = .code
            var depth = 1
            while !isAtEnd, depth > 0 {
                if place == .code { depth += sees("(") ? 1 : sees(")") ? -1 : 0 }
                step()
            }
            let end = min(offset, bytes.count)
            output.removeSubrange(kept...)
            offset = start
            blank(end - start)
            place = outer
        }
    }
}
