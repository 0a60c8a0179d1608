import Bytes
import Testing

@Suite struct HexTests {
    @Test(
        arguments: [
            ("", []), ("00", [0]), ("01 04 FF", [1, 4, 255]), ("0104ff", [1, 4, 255]), ("aB\nCd", [0xAB, 0xCD]),
            ("  7f  ", [0x7F]),
        ] as [(String, [UInt8])])
    func `pairs of digits are bytes`(text: String, bytes: [UInt8]) {
        #expect(Hex.bytes(text) == bytes)
    }

    @Test(arguments: ["0", "1 2", "0x01", "GG", "01,02", "0 1", "é"])
    func `anything else is not`(text: String) {
        #expect(Hex.bytes(text) == nil)
    }

    @Test func `bytes are written as pairs with spaces, and read back`() {
        #expect(Hex.text([0x00, 0x0A, 0xFF]) == "00 0A FF")
        let all = Array(UInt8.min...UInt8.max)
        #expect(Hex.bytes(Hex.text(all)) == all)
    }
}
