import Bytes
import Testing

@testable import Framing

@Suite struct WebSocketReaderTests {
    /// A client's frame.
    private static func frame(
        _ payload: [UInt8], opcode: UInt8 = 2, isFinal: Bool = true, key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    ) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case ..<126: bytes.append(0x80 | UInt8(payload.count))
        case ..<65_536: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(0xFF)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    /// What a reader makes of the pieces: the payload and the signals.
    private static func read(
        _ pieces: [[UInt8]], maximum: Int = 1_000_000
    ) -> (payload: [UInt8], signals: [WebSocketReader.Signal]) {
        var reader = WebSocketReader(maximumFrameSize: maximum)
        var payload: [UInt8] = []
        var signals: [WebSocketReader.Signal] = []
        for piece in pieces {
            var offset = 0
            while offset < piece.count {
                guard let signal = reader.read(piece.span, from: &offset, into: &payload) else { break }
                signals.append(signal)
                if case .broken = signal { return (payload, signals) }
            }
        }
        return (payload, signals)
    }

    @Test(arguments: [0, 1, 7, 125, 126, 127, 65_535, 65_536, 70_001])
    func `payload of any length comes out unmasked`(count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let result = Self.read([Self.frame(payload)])
        #expect(result.payload == payload)
        #expect(result.signals == [])
    }

    @Test func `frames are cut and joined anywhere`() {
        var noise = Noise(seed: 2)
        let payload = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &noise) }
        let wire =
            Self.frame(Array(payload[..<3]), isFinal: false) + Self.frame([1, 2], opcode: 9)
            + Self.frame(Array(payload[3..<300]), opcode: 0, isFinal: false)
            + Self.frame([], opcode: 0, isFinal: false) + Self.frame([], opcode: 10)
            + Self.frame(Array(payload[300..<301]), opcode: 0) + Self.frame(Array(payload[301...]))
        #expect(Self.read(wire.map { [$0] }).payload == payload)
        for _ in 0..<200 {
            var rest = wire[...]
            var pieces: [[UInt8]] = []
            while !rest.isEmpty {
                pieces.append(Array(rest.prefix(Int.random(in: 1...90, using: &noise))))
                rest = rest.dropFirst(pieces.last?.count ?? 0)
            }
            let result = Self.read(pieces)
            #expect(result.payload == payload)
            #expect(result.signals == [.ping([1, 2])])
        }
    }

    private static let violations: [([UInt8], WebSocketReader.Violation, UInt16)] = [
        ([0x81, 0x80], WebSocketReader.Violation.text, 1003),
        ([0x82, 0x01], .unmasked, 1002),
        ([0xC2, 0x80], .reservedBits, 1002),
        ([0x83, 0x80], .unknownOpcode(3), 1002),
        ([0x09, 0x80], .controlFrame, 1002),
        ([0x89, 0xFE], .controlFrame, 1002),
        ([0x80, 0x80], .fragmentOrder, 1002),
        ([0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80], .fragmentOrder, 1002),
        ([0x82, 0xFE, 0, 125, 0, 0, 0, 0], .lengthEncoding, 1002),
        ([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], .lengthEncoding, 1002),
        ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .lengthEncoding, 1002),
        ([0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], .tooLarge(UInt64(Int64.max)), 1009),
        ([0x88, 0x81, 0, 0, 0, 0, 3], .controlFrame, 1002),
        ([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], .controlFrame, 1002),
    ]

    @Test(arguments: violations)
    func `trap 76, what breaks the rules is closed with its code`(
        bytes: [UInt8], violation: WebSocketReader.Violation, code: UInt16
    ) {
        let result = Self.read([bytes])
        #expect(result.signals == [.broken(violation)])
        #expect(result.payload.capacity < 1_000)
        #expect(violation.closeCode == code)
        #expect(!violation.description.isEmpty)
    }

    @Test func `a client that closes gets its code back`() {
        #expect(Self.read([Self.frame([0x03, 0xE8], opcode: 8)]).signals == [.close(code: 1000)])
        #expect(Self.read([Self.frame([], opcode: 8)]).signals == [.close(code: nil)])
        #expect(WebSocketFrame.close(1000) == [0x88, 2, 0x03, 0xE8])
        #expect(WebSocketFrame.close(nil) == [0x88, 0])
    }

    @Test func `what the server sends has the shortest length`() {
        func header(_ count: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            WebSocketFrame.appendBinaryHeader(count, to: &bytes)
            return bytes
        }
        #expect(header(0) == [0x82, 0])
        #expect(header(125) == [0x82, 125])
        #expect(header(126) == [0x82, 126, 0, 126])
        #expect(header(65_536) == [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0])
        #expect(WebSocketFrame.pong([7]) == [0x8A, 1, 7])
    }

    @Test func `mutated frames never give more than they hold`() {
        var noise = Noise(seed: 3)
        let seeds = [
            Self.frame([UInt8](repeating: 5, count: 40)), Self.frame([1], opcode: 9),
            Self.frame([1, 2], isFinal: false) + Self.frame([UInt8](repeating: 1, count: 200), opcode: 0),
        ]
        for round in 0..<20_000 {
            let bytes = noise.mutate(seeds[round % seeds.count])
            #expect(Self.read([bytes]).payload.count <= bytes.count)
        }
    }
}
