import Bytes

/// Rules for topic names and topic filters, which are bytes and compared as bytes. [MQTT 5, section 4.7]
package enum Topic {
    package static let separator = UInt8(ascii: "/")
    package static let singleLevel = UInt8(ascii: "+")
    package static let multiLevel = UInt8(ascii: "#")

    /// Whether `bytes` in `range` is a topic name that may be published to: not empty, valid text, no wildcard.
    package static func isValidName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        var hasOther = false
        for index in range {
            let byte = bytes[index]
            // [MQTT-3.3.2-2] [MQTT-4.7.0-1] (3.1.1: [MQTT-4.7.1-1]) [MQTT-1.5.4-2]
            if byte == singleLevel || byte == multiLevel || byte == 0 { return false }
            if byte >= 0x80 { hasOther = true }
        }
        return !hasOther || UTF8Text.isValid(bytes, range)
    }

    /// Whether `bytes` in `range` is a topic filter: `#` last and alone in its level, `+` alone in its level.
    package static func isValidFilter(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, UTF8Text.isValid(bytes, range) else { return false }  // [MQTT-4.7.3-1]
        for index in range {
            let byte = bytes[index]
            guard byte == singleLevel || byte == multiLevel else { continue }
            // [MQTT-4.7.1-1] [MQTT-4.7.1-2] (3.1.1: -2, -3)
            guard index == range.lowerBound || bytes[index - 1] == separator else { return false }
            let isLast = index + 1 == range.upperBound
            if byte == multiLevel, !isLast { return false }
            if byte == singleLevel, !isLast, bytes[index + 1] != separator { return false }
        }
        return true
    }

    /// Whether a filter matches a name.
    ///
    /// Wildcards at the front do not match names that begin with `$`.
    ///
    /// For single comparisons (client side, rules); the broker keeps a tree.
    package static func matches(filter: [UInt8], name: [UInt8]) -> Bool {
        if let first = filter.first, first == singleLevel || first == multiLevel, name.first == UInt8(ascii: "$") {
            return false  // [MQTT-4.7.2-1]
        }
        var wanted = filter.split(separator: separator, omittingEmptySubsequences: false).makeIterator()
        var given = name.split(separator: separator, omittingEmptySubsequences: false).makeIterator()
        while let level = wanted.next() {
            if level.elementsEqual([multiLevel]) { return true }
            guard let part = given.next() else { return false }
            guard level.elementsEqual([singleLevel]) || level == part else { return false }
        }
        return given.next() == nil
    }
}
