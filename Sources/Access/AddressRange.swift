/// A range of network addresses: `192.168.1.0/24`, `fd00::/8`, or one address.
package struct AddressRange: Equatable, Sendable {
    /// Sixteen bytes; version 4 stands as `::ffff:a.b.c.d`, so that it is the same in both worlds.
    private var address: [UInt8]
    private var length: Int

    /// Nil if the text is no such range.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = Self.bytes(of: parts[0]), parts.count <= 2 else { return nil }
        let isVersion4 = !parts[0].contains(":")
        let bits = isVersion4 ? 32 : 128
        var length = bits
        if parts.count == 2 {
            guard let given = Self.number(parts[1], upTo: bits) else { return nil }
            length = given
        }
        self.address = address
        self.length = isVersion4 ? length + 96 : length
    }

    package func contains(_ other: [UInt8]) -> Bool {
        guard other.count == 16 else { return false }
        for place in 0..<(length / 8) where address[place] != other[place] { return false }
        guard length % 8 != 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (length % 8))
        return (address[length / 8] ^ other[length / 8]) & mask == 0
    }

    /// A numeric address as sixteen bytes; nil for something else.
    ///
    /// A zone (`%eth0`) does not count.
    package static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let digits = text.prefix { $0 != "%" }
        guard digits.contains(":") else {
            return version4(digits).map { [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + $0 }
        }
        return version6(digits)
    }

    private static func version4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0, upTo: 255).map { UInt8($0) } }
        return parts.count == 4 && numbers.count == 4 ? numbers : nil
    }

    private static func version6(_ text: some StringProtocol) -> [UInt8]? {
        let halves = halves(of: Array(text.utf8))
        guard let before = groups(halves.before) else { return nil }
        guard let rest = halves.after else { return before.count == 16 ? before : nil }
        guard let after = groups(rest), before.count + after.count <= 14 else { return nil }
        return before + [UInt8](repeating: 0, count: 16 - before.count - after.count) + after
    }

    /// What stands before and after the first `::`.
    private static func halves(of text: [UInt8]) -> (before: [UInt8], after: [UInt8]?) {
        let colon = UInt8(ascii: ":")
        for place in text.indices.dropLast() where text[place] == colon && text[place + 1] == colon {
            return (Array(text[..<place]), Array(text[(place + 2)...]))
        }
        return (text, nil)
    }

    /// Groups of hexadecimal digits, the last perhaps as a version 4 address.
    private static func groups(_ text: [UInt8]) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let groups = String(decoding: text, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (place, group) in groups.enumerated() {
            if place == groups.count - 1, group.contains(".") {
                guard let last = version4(group) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit),
                    let value = UInt16(group, radix: 16)
                else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return bytes
    }

    private static func number(_ text: some StringProtocol, upTo limit: Int) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(String(text)).flatMap { $0 <= limit ? $0 : nil }
    }
}
