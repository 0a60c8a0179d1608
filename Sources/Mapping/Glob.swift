/// A pattern of names: `*` stands for any characters, `|` between alternatives (`voltage_*|current_*`).
package struct Glob: Equatable, Sendable {
    private let alternatives: [[UInt8]]

    package init(_ pattern: String) {
        alternatives = pattern.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false).map {
            [UInt8]($0)
        }
    }

    /// Whether the whole name matches one of the alternatives.
    package func matches(_ name: String) -> Bool {
        let name = [UInt8](name.utf8)
        return alternatives.contains { Self.matches($0[...], name[...]) }
    }

    /// Goes back only to the last star, so that a long name costs no more than its length times the pattern's.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var pattern = pattern
        var name = name
        var retry: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while true {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, name)
            } else if let wanted = pattern.first, wanted == name.first {
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            } else if pattern.isEmpty, name.isEmpty {
                return true
            } else if let last = retry, !last.name.isEmpty {
                pattern = last.pattern
                name = last.name.dropFirst()
                retry = (pattern, name)
            } else {
                return false
            }
        }
    }
}
