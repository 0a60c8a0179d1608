import Bytes
import Testing

@Suite struct ByteReaderTests {
    @Test func `values are read front to back, high byte first`() throws {
        let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09]
        var reader = ByteReader(bytes.span)
        #expect(try reader.uint8() == 0x01)
        #expect(try reader.uint16() == 0x0203)
        #expect(try reader.uint32() == 0x0405_0607)
        #expect(try reader.bytes(1) == [0x08])
        #expect(try reader.skip(1) == 8..<9)
        #expect(reader.remaining == 0 && reader.offset == 9)
    }

    @Test func `nothing is read past the end, and the error says where`() {
        func offset(_ count: Int, _ read: (inout ByteReader) throws(EndOfBytes) -> Void) -> Int? {
            let bytes = [UInt8](repeating: 7, count: count)
            var reader = ByteReader(bytes.span)
            do throws(EndOfBytes) {
                try read(&reader)
                return nil
            } catch {
                return error.offset
            }
        }
        #expect(offset(0) { reader throws(EndOfBytes) in _ = try reader.uint8() } == 0)
        #expect(offset(1) { reader throws(EndOfBytes) in _ = try reader.uint16() } == 0)
        #expect(offset(3) { reader throws(EndOfBytes) in _ = try reader.uint32() } == 2)
        #expect(offset(4) { reader throws(EndOfBytes) in _ = try reader.uint32() } == nil)
        #expect(offset(2) { reader throws(EndOfBytes) in _ = try reader.skip(3) } == 0)
        #expect(offset(2) { reader throws(EndOfBytes) in _ = try reader.skip(-1) } == 0)
        #expect(offset(2) { reader throws(EndOfBytes) in _ = try reader.bytes(3) } == 0)
    }

    @Test func `numbers are appended high byte first`() {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt16(0x0102))
        bytes.append(bigEndian: UInt32(0x0304_0506))
        #expect(bytes == [1, 2, 3, 4, 5, 6])
    }

    @Test func `a part of borrowed bytes is copied`() {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect([UInt8](copying: bytes.span, 1..<3) == [2, 3])
        #expect([UInt8](copying: bytes.span, 2..<2) == [])
        #expect([UInt8](copying: bytes.span) == bytes)
    }
}
