import Bytes
import Testing

@testable import Modbus

/// Known-good exchanges, with where they come from.
struct Exchange: Sendable, CustomTestStringConvertible {
    var name: String
    var unit: UInt8
    var request: Request
    var sent: String
    var answer: String
    var response: Response

    var testDescription: String { name }

    static let all: [Exchange] = [
        // Eastron protocol manual: 230.2 V
        Exchange(
            name: "SDM120 voltage", unit: 1, request: .readInputRegisters(start: 0, count: 2),
            sent: "01 04 00 00 00 02 71 CB", answer: "01 04 04 43 66 33 34 1B 38",
            response: .registers([0x4366, 0x3334])),
        // XY-MD02: 30.5 °C, 54.6 %
        Exchange(
            name: "XY-MD02", unit: 1, request: .readInputRegisters(start: 1, count: 2),
            sent: "01 04 00 01 00 02 20 0B", answer: "01 04 04 01 31 02 22 2A CE",
            response: .registers([305, 546])),
        // RS-FSJT-N01 wind speed: 0.6 m/s
        Exchange(
            name: "wind speed", unit: 1, request: .readHoldingRegisters(start: 0, count: 1),
            sent: "01 03 00 00 00 01 84 0A", answer: "01 03 02 00 06 38 46", response: .registers([6])),
        // Senseair S8 at any address: 400 ppm
        Exchange(
            name: "Senseair S8", unit: 0xFE, request: .readInputRegisters(start: 3, count: 1),
            sent: "FE 04 00 03 00 01 D5 C5", answer: "FE 04 02 01 90 AC D8", response: .registers([400])),
        // Waveshare relay board
        Exchange(
            name: "relay 0 on", unit: 1, request: .writeSingleCoil(address: 0, value: 0xFF00),
            sent: "01 05 00 00 FF 00 8C 3A", answer: "01 05 00 00 FF 00 8C 3A", response: .written),
        Exchange(
            name: "relays read", unit: 1, request: .readCoils(start: 0, count: 8), sent: "01 01 00 00 00 08 3D CC",
            answer: "01 01 01 01 90 48",
            response: .bits([true, false, false, false, false, false, false, false])),
        Exchange(
            name: "all relays on", unit: 1,
            request: .writeMultipleCoils(start: 0, values: Array(repeating: true, count: 8)),
            sent: "01 0F 00 00 00 08 01 FF BE D5", answer: framed("01 0F 00 00 00 08"), response: .written),
        // The examples of the standard's section 6, framed for unit 17.
        Exchange(
            name: "discrete inputs", unit: 17, request: .readDiscreteInputs(start: 0xC4, count: 22),
            sent: framed("11 02 00 C4 00 16"), answer: framed("11 02 03 AC DB 35"),
            response: .bits(
                [0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1].map { $0 == 1 })),
        Exchange(
            name: "single register", unit: 17, request: .writeSingleRegister(address: 1, value: 3),
            sent: framed("11 06 00 01 00 03"), answer: framed("11 06 00 01 00 03"), response: .written),
        Exchange(
            name: "several registers", unit: 17, request: .writeMultipleRegisters(start: 1, values: [0x0A, 0x0102]),
            sent: framed("11 10 00 01 00 02 04 00 0A 01 02"), answer: framed("11 10 00 01 00 02"), response: .written),
        Exchange(
            name: "mask write", unit: 17, request: .maskWriteRegister(address: 4, and: 0xF2, or: 0x25),
            sent: framed("11 16 00 04 00 F2 00 25"), answer: framed("11 16 00 04 00 F2 00 25"), response: .written),
        Exchange(
            name: "read and write", unit: 17,
            request: .readWriteMultipleRegisters(
                readStart: 3, readCount: 6, writeStart: 14, values: [0xFF, 0xFF, 0xFF]),
            sent: framed("11 17 00 03 00 06 00 0E 00 03 06 00 FF 00 FF 00 FF"),
            answer: framed("11 17 0C 00 FE 0A CD 00 01 00 03 00 0D 00 FF"),
            response: .registers([0xFE, 0x0ACD, 1, 3, 0x0D, 0xFF])),
        Exchange(
            name: "exception", unit: 10, request: .readCoils(start: 0x04A1, count: 1),
            sent: framed("0A 01 04 A1 00 01"),
            answer: framed("0A 81 02"), response: .exception(.illegalDataAddress)),
    ]

    private static func framed(_ text: String) -> String {
        let bytes = Hex.bytes(text) ?? []
        return Hex.text(RTUFrame.encode(unit: bytes.first ?? 0, pdu: Array(bytes.dropFirst())))
    }
}

@Suite struct FrameTests {
    @Test(arguments: Exchange.all)
    func `a request is framed as the device expects it`(exchange: Exchange) {
        #expect(Hex.text(RTUFrame.encode(unit: exchange.unit, pdu: exchange.request.pdu)) == exchange.sent)
    }

    @Test(arguments: Exchange.all)
    func `an answer is taken apart`(exchange: Exchange) throws {
        let bytes = try #require(Hex.bytes(exchange.answer))
        let found = RTUFrame.find(bytes.span, request: exchange.request, unit: exchange.unit)
        #expect(found == .answer(exchange.response, length: bytes.count))
    }

    @Test(arguments: Exchange.all)
    func `an answer cut anywhere asks for more`(exchange: Exchange) throws {
        let bytes = try #require(Hex.bytes(exchange.answer))
        for end in 0..<bytes.count {
            let part = Array(bytes[..<end])
            let found = RTUFrame.find(part.span, request: exchange.request, unit: exchange.unit)
            #expect(found == .needMore)
        }
    }

    @Test(arguments: Exchange.all)
    func `a flipped bit never makes an answer`(exchange: Exchange) throws {
        let bytes = try #require(Hex.bytes(exchange.answer))
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                let found = RTUFrame.find(damaged.span, request: exchange.request, unit: exchange.unit)
                if case .answer = found { Issue.record("bit \(bit) of byte \(position)") }
            }
        }
    }

    @Test(arguments: Exchange.all)
    func `the same data over TCP needs the right transaction`(exchange: Exchange) throws {
        let pdu = Array(try #require(Hex.bytes(exchange.answer)).dropFirst().dropLast(2))
        let frame = TCPFrame.encode(transaction: 7, unit: exchange.unit, pdu: pdu)
        for (transaction, isOurs) in [(7, true), (8, false)] as [(UInt16, Bool)] {
            let found = TCPFrame.find(
                frame.span, request: exchange.request, unit: exchange.unit, transaction: transaction)
            let ours = RTUFrame.Found.answer(exchange.response, length: frame.count)
            #expect(found == (isOurs ? ours : .stranger(length: frame.count)))
        }
    }

    // Published in a relay board's document with wrong checksums.
    @Test(arguments: ["02 01 01 01 61 78", "02 01 01 00 A0 B8"])
    func `published frames with a bad checksum are not intact`(text: String) throws {
        let bytes = try #require(Hex.bytes(text))
        let isIntact = RTUFrame.isIntact(bytes.span)
        #expect(!isIntact)
    }
}

@Suite struct RegisterTypeTests {
    @Test(
        arguments: [
            (RegisterType.float32, WordOrder.ABCD, [0x4366, 0x3333], RegisterValue.number(230.2)),
            (.float32, .CDAB, [0x3333, 0x4366], .number(230.2)), (.float32, .BADC, [0x6643, 0x3333], .number(230.2)),
            (.float32, .DCBA, [0x3333, 0x6643], .number(230.2)), (.u16, .ABCD, [0xFFFF], .unsigned(65_535)),
            (.s16, .ABCD, [0xFFFF], .integer(-1)), (.u32, .CDAB, [0x006C, 0x0001], .unsigned(0x1_006C)),
            (.s32, .ABCD, [0xFFFF, 0xFFFE], .integer(-2)),
            (.u64, .ABCD, [0, 0, 1, 0], .unsigned(65_536)),
            (.s64, .ABCD, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], .integer(-1)),
            (.s64, .CDAB, [2, 0, 0, 0], .integer(2)),
            (.float64, .ABCD, [0x4059, 0, 0, 0], .number(100)), (.bcd16, .ABCD, [0x1234], .unsigned(1_234)),
            (.bcd32, .ABCD, [0x0012, 0x3456], .unsigned(123_456)), (.text4, .ABCD, [0x4142, 0x4300], .text("ABC")),
            (.text4, .BADC, [0x4241, 0x2043], .text("ABC")), (.bool, .ABCD, [1], .boolean(true)),
        ] as [(RegisterType, WordOrder, [UInt16], RegisterValue)])
    func `a value is decoded in its order`(
        type: RegisterType, order: WordOrder, registers: [UInt16], value: RegisterValue
    ) {
        #expect(type.decode(registers[...], order: order) == value)
    }

    @Test func `one bit of a register is a boolean`() {
        #expect(RegisterType.bool.decode([0x0004], bit: 2) == .boolean(true))
        #expect(RegisterType.bool.decode([0x0004], bit: 3) == .boolean(false))
    }

    @Test func `what is no number is no value`() {
        #expect(RegisterType.float32.decode([0x7FC0, 0]) == nil)
        #expect(RegisterType.float32.decode([0x7F80, 0]) == nil)
        #expect(RegisterType.bcd16.decode([0x00A0]) == nil)
        #expect(RegisterType.u32.decode([1]) == nil)
    }
}

@Suite struct ReadPlanTests {
    private func point(_ address: UInt16, _ table: RegisterTable = .input) -> RegisterPoint {
        RegisterPoint(table: table, address: address, type: table.isBits ? .bool : .float32)
    }

    private func spans(_ points: [RegisterPoint], _ maximum: Int = 80, _ hole: Int = 6) -> [[Int]] {
        ReadPlan(points, maximumRegisters: maximum, maximumHole: hole).blocks
            .map { [Int($0.start), Int($0.count)] + $0.members }
    }

    @Test func `neighbours are read together and holes up to the limit are read over`() {
        #expect(spans([point(0), point(2), point(10), point(18)]) == [[0, 20, 0, 1, 2, 3]])
        #expect(spans([point(0), point(8)]) == [[0, 10, 0, 1]])
        #expect(spans([point(0), point(9)]) == [[0, 2, 0], [9, 2, 1]])
    }

    @Test func `no request is longer than the limit`() {
        let points = (0..<60).map { point(UInt16($0 * 2)) }
        let plan = ReadPlan(points, maximumRegisters: 80, maximumHole: 6)
        #expect(plan.blocks.map(\.count) == [80, 40])
        #expect(plan.blocks.flatMap(\.members) == Array(0..<60))
    }

    @Test func `order and tables of the points don't matter`() {
        #expect(spans([point(4), point(0, .holding), point(2), point(0)]) == [[0, 6, 3, 2, 0], [0, 2, 1]])
    }

    @Test func `coils count sixteen to a register`() {
        let coils = [0, 7, 100].map { point(UInt16($0), .coil) }
        #expect(spans(coils) == [[0, 101, 0, 1, 2]])
    }

    @Test func `the last address is not read beyond`() {
        #expect(spans([point(65_535)]) == [[65_535, 1, 0]])
    }
}
