import Documents
import Foundation
import Settings
import Testing

/// Whatever a configuration says, it is read or complained of.
@Suite struct ConfigurationMutationTests {
    private struct Random {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
    }

    private static let words = [
        "-1", "0", "1", "65536", "9223372036854775807", "-9223372036854775808", "1e308", "1e-320", "nan", "inf", "~",
        "[]",
        "{}", "[~]", "99999999999d", "1e9d", "0ms", "0.0001ms", "9999999GB", "0.1B", "off", "on", "true", "never",
        "value",
        "\"\"", "\"{gateway}\"", "\"{topic:99..}\"", "\"#\"", "\"+/#\"", "!secret", "!secret x", "!x", "*a", "&a",
        "mqtts://",
        "mqtt://[::", "dsmr-p1", "eastron-sdm120", "a:1", "::", "tcp", "9x", "\"\u{0}\"", "é", "0x10", "8E1", "12:30",
    ]

    private func read(_ text: String) throws {
        let (settings, problems) = try configuration(text)
        #expect(settings != nil || problems.contains { $0.severity == .error })
        for problem in problems {
            #expect(problem.mark.line >= 1 && problem.mark.column >= 1)
            #expect(!problem.description.isEmpty)
        }
    }

    @Test(arguments: 1...150)
    func `other values never crash`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var lines = try Reference.uncommented().split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        for _ in 0...random.next(below: 6) {
            let place = random.next(below: lines.count)
            let word = Self.words[random.next(below: Self.words.count)]
            // The value of the line, or of its last key in braces.
            guard let colon = lines[place].range(of: ": ", options: random.next(below: 2) == 0 ? .backwards : []) else {
                continue
            }
            let closing = lines[place].contains("{") && !word.contains("{") ? " }" : ""
            lines[place] = lines[place][..<colon.upperBound] + word + closing
        }
        try read(lines.joined(separator: "\n"))
    }
}
