import Readings
import Testing

@testable import Mapping

@Suite struct PayloadFormatTests {
    private func payload(_ value: Value, unit: String? = nil, quality: Quality = .good, as format: PayloadFormat)
        -> String?
    {
        let reading = Reading(
            device: "meter", point: "power", value: value, unit: unit,
            measuredAt: .at(Timestamp(milliseconds: 1_780_000_000_123)), quality: quality)
        return format.payload(of: reading, number: 81723).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `json says everything`() {
        #expect(
            payload(.number(1234.5), unit: "W", as: .json)
                == #"{"v":1234.5,"u":"W","t":1780000000123,"q":"good","n":81723}"#)
    }

    @Test(arguments: [
        (Value.number(230), "230"), (.number(1e-7), "1e-07"), (.number(-0.0), "0"), (.number(1.5e300), "1.5e+300"),
        (.integer(-3), "-3"), (.boolean(true), "true"), (.text("a\"b\n"), #""a\"b\u000a""#),
    ])
    func `json writes every kind of value`(value: Value, expected: String) {
        #expect(payload(value, as: .json) == #"{"v":\#(expected),"t":1780000000123,"q":"good","n":81723}"#)
    }

    @Test func `value is the value alone`() {
        #expect(payload(.number(1234.5), unit: "W", as: .value) == "1234.5")
        #expect(payload(.text("closed"), as: .value) == "closed")
    }

    @Test func `value can't say stale, so it says nothing`() {
        #expect(payload(.number(1), quality: .stale, as: .value) == nil)
        #expect(payload(.number(1), quality: .bad, as: .value) == "1")
    }
}
