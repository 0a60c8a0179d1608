import Bytes
import Decoders
import Testing

@testable import martlet

@Suite struct TrafficTests {
    private func traffic(_ bytes: [UInt8], _ messages: [String: Int] = [:]) -> Traffic {
        Traffic(bytes, messages: messages)
    }

    private let exchange = Hex.bytes("01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38") ?? []

    @Test func `frames with their checksum are worth more than text, and text more than noise`() {
        let text = traffic(Array("T=21.5;H=40\r\nT=21.6;H=40\r\n".utf8))
        let noise = traffic((0..<40).map { [0xF8, 0x80, 0xFE, 0x00, 0x5A][$0 % 5] })
        #expect(traffic(exchange) > text)
        #expect(text > noise)
        #expect(noise > traffic([]))
        #expect(traffic(exchange).what == "2 frames of Modbus RTU, unit 1")
    }

    @Test func `a message that a profile reads is named with the profile`() {
        #expect(traffic([1, 2, 3], ["dsmr-p1": 2, "other": 1]).what == "2 messages of dsmr-p1, or other")
    }

    @Test func `one frame in much noise proves nothing`() {
        let noise = [UInt8](repeating: 0xF8, count: 100)
        #expect(traffic(noise + exchange.prefix(8) + noise).kind == .unknown)
    }

    @Test func `text in seven bits is recognised by its parity`() {
        let sent = Array("/LGZ5ZMF100AC.M26\r\n1.8.0(012345.678*kWh)\r\n".utf8).map(EvenParity.adding)
        #expect(traffic(sent).hasEvenParity)
        #expect(traffic(sent).kind == .text)
        #expect(!traffic(sent.map { $0 ^ 0x80 }).hasEvenParity)
    }

    @Test func `a frame of Modbus ASCII is recognised by its sum`() {
        #expect(traffic(Array(":010300000001FB\r\n".utf8)).what == "1 frame of Modbus ASCII")
        #expect(traffic(Array(":010300000001FC\r\n".utf8)).kind == .text)
    }

    @Test func `bytes with line errors count less`() {
        let good = Traffic(exchange, messages: [:])
        let bad = Traffic(exchange, messages: [:], lineErrors: 8)
        #expect(bad < good)
        #expect(bad.what.hasSuffix("8 bytes with line errors"))
    }

    @Test func `what was heard is shown as bytes and characters, sixteen in a line`() {
        let piece = HeardPiece(bytes: Array("0123456789abcdef\r\n".utf8), at: .milliseconds(61_007))
        #expect(
            piece.text == """
                    61.007  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef
                            0D 0A                                            ..

                """)
    }
}
