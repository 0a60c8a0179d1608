import Testing

@testable import Readings

@Suite struct ValueTests {
    @Test(arguments: [
        (Value.number(230.2), "230.2"), (.number(-0.5), "-0.5"), (.number(50), "50"), (.number(1e16), "1e+16"),
        (.number(0.1 + 0.2), "0.30000000000000004"), (.integer(.min), "-9223372036854775808"), (.integer(5), "5"),
        (.boolean(true), "true"), (.boolean(false), "false"), (.text("ON"), "ON"), (.text(""), ""),
    ])
    func `a value reads as people write it`(value: Value, text: String) {
        #expect(value.description == text)
    }

    @Test(arguments: [Double.nan, .signalingNaN, .infinity, -.infinity])
    func `no device measures what is not a number`(number: Double) {
        #expect(Value.measured(number) == nil)
    }

    @Test(arguments: [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude])
    func `every finite number is a value and reads back the same`(number: Double) throws {
        let value = try #require(Value.measured(number))
        #expect(Double(value.description) == number)
    }

    static let numbers: [(Value, Double?)] = [
        (.number(2.5), 2.5), (.integer(-3), -3), (.boolean(true), 1), (.boolean(false), 0), (.text("7"), nil),
    ]

    @Test(arguments: numbers)
    func `all but texts are numbers`(value: Value, number: Double?) {
        #expect(value.asNumber == number)
    }
}
