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
        let halves = text.split(separator: "%", maxSplits: 1)
        guard let digits = halves.first, digits.contains(":"), !digits.contains(":::") else { return false }
        let groups = digits.split(separator: ":", omittingEmptySubsequences: true)
        guard groups.allSatisfy({ $0.count <= 4 && $0.allSatisfy(\.isHexDigit) }) else { return false }
        return digits.contains("::") ? groups.count <= 7 : groups.count == 8
    }
}
