import Testing

@testable import martlet

@Suite struct PayloadSourceTests {
    private func all(_ source: PayloadSource) throws -> [String] {
        var source = source
        var payloads: [String] = []
        while let payload = try source.next() { payloads.append(String(decoding: payload, as: UTF8.self)) }
        return payloads
    }

    @Test func `a whole content is one message, an empty one too`() throws {
        #expect(try all(.whole(Array("ON\n".utf8))) == ["ON\n"])
        #expect(try all(.whole([])) == [""])
    }

    @Test func `each line is a message, and so is a last one without an end`() throws {
        #expect(try all(.lines(rest: Array("a\n\nb".utf8), isAtEnd: true)) == ["a", "", "b"])
        #expect(try all(.lines(rest: Array("a\n".utf8), isAtEnd: true)) == ["a"])
        #expect(try all(.lines(rest: [], isAtEnd: true)) == [])
    }
}
