import Documents
import Foundation
import Profiles
import Testing

/// Whatever a profile says, it is read, complained of, or fails its tests.
@Suite struct ProfileMutationTests {
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
        "-1", "0", "65535", "65536", "0xFFFF", "9223372036854775807", "-9223372036854775808", "1e308", "nan", "~", "[]",
        "{}",
        "float64", "text32", "bcd32", "coil", "holding", "DCBA", "serial", "one-based", "off", "\"\"", "!x",
        "1-0:1.8.0",
    ]

    /// Every twelfth file: five seeds see all of them, and each file sees five seeds.
    private static func texts(_ seed: Int) throws -> [String] {
        let files = ShippedProfilesTests.files.enumerated().filter { $0.offset % 12 == seed % 12 }.map(\.element)
        return try files.map {
            try String(contentsOf: ShippedProfilesTests.folder.appending(path: $0), encoding: .utf8)
        }
    }

    private func read(_ text: String) {
        let (profiles, problems) = Profile.read(text, file: "mutated.yaml")
        #expect(!profiles.isEmpty || !problems.isEmpty)
        for profile in profiles { _ = ProfileTestRun.failures(of: profile, at: ContinuousClock.now) }
        for problem in problems { #expect(!problem.description.isEmpty) }
    }

    @Test(arguments: 1...60)
    func `other words in a profile never crash`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        for text in try Self.texts(seed) {
            var parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            for _ in 0...random.next(below: 4) {
                let place = random.next(below: parts.count)
                let tail = parts[place].hasSuffix(",") ? "," : ""
                parts[place] = Self.words[random.next(below: Self.words.count)] + tail
            }
            read(parts.joined(separator: " "))
        }
    }

    @Test(arguments: 1...60)
    func `other bytes in a profile never crash`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0xD1B5_4A32_D192_ED03)
        for text in try Self.texts(seed) {
            var bytes = Array(text.utf8)
            for _ in 0...random.next(below: 8) {
                bytes[random.next(below: bytes.count)] = UInt8(random.next(below: 256))
            }
            read(String(decoding: bytes, as: UTF8.self))
        }
    }
}
