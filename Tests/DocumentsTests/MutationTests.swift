import Documents
import Foundation
import Testing

/// Whatever a file says, it is read to its end or complained of.
@Suite struct MutationTests {
    private struct Random {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
    }

    private static let spice = Array("{}[]:,-#&*!|>'\"%@`~ \t\n\r\0\\?0éx".utf8)

    private func text() throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "config/martlet.yaml")
        return Array(try Data(contentsOf: file))
    }

    @Test(arguments: 1...300)
    func `a mutated configuration never crashes`(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var bytes = try text()
        for _ in 0...random.next(below: 12) {
            let place = random.next(below: bytes.count)
            switch random.next(below: 4) {
            case 0: bytes[place] = Self.spice[random.next(below: Self.spice.count)]
            case 1: bytes.insert(Self.spice[random.next(below: Self.spice.count)], at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.next(below: 20)))
            default: bytes[place] = UInt8(random.next(below: 256))
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let problems = ProblemList(file: "mutated.yaml", text: text)
        let documents = Document.parse(text, problems)
        #expect(!documents.isEmpty || problems.hasErrors)
        for problem in problems.sorted {
            #expect(problem.mark.line >= 1 && problem.mark.column >= 1)
            #expect(!problem.description.isEmpty)
        }
    }

    @Test func `a configuration cut anywhere never crashes`() throws {
        let bytes = try text()
        for end in stride(from: 0, to: bytes.count, by: 7) {
            let text = String(decoding: bytes[..<end], as: UTF8.self)
            let problems = ProblemList(file: "cut.yaml", text: text)
            _ = Document.parse(text, problems)
        }
    }
}
