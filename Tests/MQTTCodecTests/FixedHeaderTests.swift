import Testing

@testable import MQTTCodec

@Suite struct FixedHeaderTests {
    /// The borders of MQTT 5's table 1-1.
    @Test(
        arguments: [
            (0, [0x00]), (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]), (16_384, [0x80, 0x80, 0x01]),
            (2_097_151, [0xFF, 0xFF, 0x7F]), (2_097_152, [0x80, 0x80, 0x80, 0x01]),
            (268_435_455, [0xFF, 0xFF, 0xFF, 0x7F]),
        ] as [(Int, [UInt8])])
    func `a length is read and written in the shortest form`(length: Int, bytes: [UInt8]) throws {
        var written: [UInt8] = []
        written.append(variableByteInteger: length)
        #expect(written == bytes)
        #expect(VariableByteInteger.size(length) == bytes.count)
        let packet = [0x30] + bytes
        let header = try #require(try FixedHeader.parse(packet))
        #expect(header.bodyStart == 1 + bytes.count)
        #expect(header.length == header.bodyStart + length)
    }

    @Test func `a fifth length byte is an error without waiting for more`() {
        let bytes: [UInt8] = [0x30, 0x80, 0x80, 0x80, 0x80]
        #expect(throws: DecodeError(.remainingLengthTooLong, at: 4)) { try FixedHeader.parse(bytes) }
    }

    @Test func `a length longer than needed is an error`() {
        let bytes: [UInt8] = [0x30, 0x80, 0x00]
        #expect(throws: DecodeError(.variableLengthNotMinimal, at: 2)) { try FixedHeader.parse(bytes) }
    }

    @Test func `flags are what the standard reserves them to be`() {
        for first in UInt8.min...UInt8.max {
            let bytes = [first, 0]
            let header = try? FixedHeader.parse(bytes)
            let isAllowed =
                switch first >> 4 {
                case 0: false
                case 3: true
                case 6, 8, 10: first & 15 == 2
                default: first & 15 == 0
                }
            #expect((header != nil) == isAllowed, "first byte \(first)")
        }
    }

    @Test func `a header can stand anywhere in the bytes`() throws {
        let bytes: [UInt8] = [0xC0, 0x00, 0x32, 0x81, 0x01, 0x00]
        let header = try #require(try FixedHeader.parse(bytes, at: 2))
        #expect(header == FixedHeader(type: .publish, flags: 2, bodyStart: 3, length: 132))
        #expect(try FixedHeader.parse(bytes, at: 6) == nil)
    }
}
