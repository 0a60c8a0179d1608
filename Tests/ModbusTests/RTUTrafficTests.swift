import Bytes
import Modbus
import Testing

@Suite struct RTUTrafficTests {
    private func bytes(_ text: String) throws -> [UInt8] { try #require(Hex.bytes(text)) }

    @Test func `both sides of a line are told`() throws {
        let heard = try bytes("01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38 01 83 02 C0 F1")
        let frames = RTUTraffic.frames(in: heard)
        #expect(
            frames.map(\.description) == [
                "unit 1: read input 0 to 1", "unit 1: answer to function 4, 4 bytes",
                "unit 1: refuses function 3: illegal data address (2)",
            ])
        #expect(frames.map(\.range) == [0..<8, 8..<17, 17..<22])
    }

    @Test func `a write of several registers and its confirmation are told`() throws {
        let request = Request.writeMultipleRegisters(start: 4, values: [1, 2, 3])
        let sent = RTUFrame.encode(unit: 9, pdu: request.pdu)
        let confirmed = RTUFrame.encode(unit: 9, pdu: Array(request.pdu.prefix(5)))
        let frames = RTUTraffic.frames(in: sent + confirmed)
        #expect(frames.map(\.content) == [.request(request), .answer(function: 16, byteCount: 0)])
    }

    @Test func `frames are found behind noise and torn frames`() throws {
        let frame = try bytes("01 04 04 43 66 33 34 1B 38")
        for torn in 1..<frame.count {
            let heard = [0xFF, 0x00, 0x80] + Array(frame[..<torn]) + frame + [0x01, 0x03]
            let found = RTUTraffic.frames(in: heard)
            #expect(found.last?.range.count == frame.count, "torn after \(torn)")
        }
    }

    @Test func `noise holds hardly any frame`() {
        var noise = Noise(seed: 7)
        #expect(RTUTraffic.frames(in: (0..<20_000).map { _ in noise.byte() }).count <= 3)
    }
}
