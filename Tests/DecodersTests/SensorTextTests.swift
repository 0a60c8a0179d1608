import Testing

@testable import Decoders

@Suite struct SensorTextTests {
    private func number(_ text: String) throws(SensorText.Fault) -> Double {
        try SensorText.number(Array(text.utf8))
    }

    @Test(arguments: [
        ("23125\n", 23125.0), ("-1250\n", -1250), ("0\n", 0), ("101.325000000\n", 101.325), ("42", 42), (" 7 \r\n", 7),
        ("1.5e3\n", 1500),
    ])
    func `an attribute is one number`(text: String, number: Double) throws {
        #expect(try self.number(text) == number)
    }

    @Test func `a one-wire thermometer's two lines are its value where the check sum is right`() throws {
        let good = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
        #expect(try number(good) == 23125)
        #expect(throws: SensorText.Fault.checksum) {
            try number("72 01 4b 46 7f ff 0e 10 00 : crc=57 NO\n72 01 4b 46 7f ff 0e 10 00 t=23125\n")
        }
        #expect(throws: SensorText.Fault.noNumber("72 01")) {
            try number("72 01 : crc=57 YES\n72 01\n")
        }
    }

    @Test(arguments: ["", "\n", "  \n", "\0"])
    func `a file without anything in it is no zero`(text: String) {
        #expect(throws: SensorText.Fault.empty) { try number(text) }
    }

    @Test(arguments: ["bme280\n", "12 34\n", "1\n2\n", "0x10\n", "nan\n", "inf\n", "1e999\n", "--1\n", "12,5\n"])
    func `what is no number is none`(text: String) {
        #expect(throws: SensorText.Fault.self) { try number(text) }
    }

    @Test func `damaged texts give a finite number or a fault`() {
        var chance = Xorshift(seed: 0x5E_05)
        let good = Array("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n".utf8)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &chance) {
                bytes[Int.random(in: bytes.indices, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &chance))
            if let number = try? SensorText.number(bytes) { #expect(number.isFinite) }
        }
    }
}
