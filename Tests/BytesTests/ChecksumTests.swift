import Bytes
import Testing

@Suite struct ChecksumTests {
    private let check = Array("123456789".utf8)

    // The check values of the catalogue of parametrised CRC algorithms.
    @Test func `each checksum has its check value`() {
        #expect(Checksum.modbus(check.span) == 0x4B37)
        #expect(Checksum.arc(check.span) == 0xBB3D)
        #expect(Checksum.x25(check.span) == 0x906E)
        #expect(Checksum.kermit(check.span) == 0x2189)
    }

    @Test func `nothing gives the start value`() {
        let nothing: [UInt8] = []
        #expect(Checksum.modbus(nothing.span) == 0xFFFF)
        #expect(Checksum.arc(nothing.span) == 0)
    }

    // Modbus over serial line V1.02, section 6.2.2.
    @Test func `the request of the Modbus document has its sum`() {
        let request: [UInt8] = [0x02, 0x07]
        #expect(Checksum.modbus(request.span) == 0x1241)
    }

    @Test func `a sum grows byte by byte`() {
        var sum: UInt16 = 0
        for byte in check { sum = Checksum.arc(sum, adding: byte) }
        #expect(sum == Checksum.arc(check.span))
    }
}
