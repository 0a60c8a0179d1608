import Modbus
import Testing

@Suite struct RegisterEncodingTests {
    private static let numbers: [RegisterType: [Double]] = [
        .bool: [0, 1], .u16: [0, 7, 65_535], .s16: [-32_768, -1, 0, 32_767], .u32: [0, 70_000, 4_294_967_295],
        .s32: [-70_000, 0, 70_000], .u64: [0, 5_000_000_000], .s64: [-5_000_000_000, 12],
        .float32: [230.25, -0.5, 0], .float64: [230.2, -1e9], .bcd16: [0, 9_999, 1_234], .bcd32: [12_345_678],
    ]

    private func number(_ value: RegisterValue?) -> Double? {
        switch value {
        case .boolean(let boolean)?: boolean ? 1 : 0
        case .integer(let integer)?: Double(integer)
        case .unsigned(let unsigned)?: Double(unsigned)
        case .number(let number)?: number
        case .text?, nil: nil
        }
    }

    @Test(arguments: RegisterType.allCases, WordOrder.allCases)
    func `what is encoded is decoded to the same number`(type: RegisterType, order: WordOrder) {
        for expected in Self.numbers[type] ?? [] {
            let registers = type.encode(expected, order: order)
            #expect(registers.count == type.registerCount)
            #expect(number(type.decode(registers[...], order: order)) == expected)
        }
    }

    @Test func `a number that does not fit becomes the nearest that does`() {
        #expect(RegisterType.u16.encode(70_000) == [65_535])
        #expect(RegisterType.u16.encode(-3) == [0])
        #expect(RegisterType.s16.encode(-40_000) == [0x8000])
        #expect(RegisterType.u32.encode(.nan) == [0, 0])
    }
}
