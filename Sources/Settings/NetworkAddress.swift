import Documents

/// A numeric IPv4 or IPv6 address.
struct NetworkAddress: Equatable {
    var text: String
    var isLoopback: Bool

    init?(_ text: String) {
        self.text = text
        if let parts = Self.version4(text) {
            isLoopback = parts[0] == 127
        } else if Self.isVersion6(text) {
            isLoopback = text == "::1" || text == "0:0:0:0:0:0:0:1"
        } else {
            return nil
        }
    }

    private static func version4(_ text: String) -> [Int]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part -> Int? in
            (1...3).contains(part.count)
                ? Scalar.integer(String(part)).flatMap { (0...255).contains($0) ? $0 : nil } : nil
        }
        return parts.count == 4 && !parts.contains(nil) ? parts.compactMap(\.self) : nil
    }

    private static func isVersion6(_ text: String) -> Bool {
        let digits = text.prefix { $0 != "%" }
        let colons = zip(digits.indices, digits.indices.dropFirst())
        // "::" stands for the groups that are left out, once.
        guard let gap = colons.first(where: { digits[$0] == ":" && digits[$1] == ":" }) else {
            return groups(digits) == 8
        }
        guard let before = groups(digits[..<gap.0]), let after = groups(digits[gap.1...].dropFirst()) else {
            return false
        }
        return before + after <= 7
    }

    /// How many groups of hexadecimal digits these are; nil for something else.
    private static func groups(_ text: Substring) -> Int? {
        guard !text.isEmpty else { return 0 }
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        return groups.allSatisfy { (1...4).contains($0.count) && $0.allSatisfy(\.isHexDigit) } ? groups.count : nil
    }
}
