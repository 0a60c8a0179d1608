import Bytes
import Decoders
import Readings
import Testing

@Suite struct MeterTimeTests {
    /// The time of a telegram whose clock line says `text`.
    private func time(_ text: String) -> MeterTime? {
        let telegram = Array("/ABC5TEST\r\n\r\n0-0:1.0.0(\(text))\r\n!".utf8)
        let sum = String(Checksum.arc(telegram.span), radix: 16, uppercase: true)
        return decode(telegram + Array("\(sum)\r\n".utf8)).telegrams.first?.time
    }

    @Test(arguments: [
        ("170102192002W", 1_483_381_202), ("200426223325S", 1_587_933_205), ("000101000001W", 946_681_201),
        ("240229120000W", 1_709_204_400), ("691231235959W", 3_155_756_399),
    ])
    func `summer is two hours and winter one hour ahead of UTC`(text: String, seconds: Int64) {
        #expect(time(text) == .at(Timestamp(milliseconds: seconds * 1000)))
    }

    @Test(arguments: [
        "632525252525W", "700101010000W", "000000000000W", "230229120000W", "230431120000S", "230101240000W",
        "230101126000W", "230101120060W",
    ])
    func `what is no time is not made one`(text: String) {
        #expect(time(text) == .invalid)
    }

    @Test(arguments: [
        ("161107190000", 1_478_541_600), ("160707190000", 1_467_910_800), ("160327015959", 1_459_040_399),
        ("160327030000", 1_459_040_400), ("161030015959", 1_477_785_599), ("161030030000", 1_477_792_800),
    ])
    func `without a letter the season follows the European rule`(text: String, seconds: Int64) {
        #expect(time(text) == .at(Timestamp(milliseconds: seconds * 1000)))
    }

    @Test(arguments: ["160327020000", "160327025959", "161030020000", "161030025959"])
    func `without a letter the hour in which clocks change is no time`(text: String) {
        #expect(time(text) == .invalid)
    }
}
