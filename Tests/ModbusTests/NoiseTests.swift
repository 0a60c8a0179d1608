import Bytes
import Testing

@testable import Modbus

/// Seeded noise: the same in every run.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next(below limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    mutating func byte() -> UInt8 { UInt8(next(below: 256)) }

    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<next(below: limit)).map { _ in byte() }
    }

    /// Some bytes changed, cut out or put in.
    mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        var damaged = bytes
        for _ in 0...next(below: 3) where !damaged.isEmpty {
            let position = next(below: damaged.count)
            switch next(below: 3) {
            case 0: damaged[position] = byte()
            case 1: damaged.remove(at: position)
            default: damaged.insert(byte(), at: position)
            }
        }
        return damaged
    }
}

/// A device must be able to send anything at all without harm.
@Suite struct NoiseTests {
    @Test(arguments: Exchange.all)
    func `damaged answers are survived, in either frame`(exchange: Exchange) throws {
        let answer = try #require(Hex.bytes(exchange.answer))
        let pdu = Array(answer.dropFirst().dropLast(2))
        let framed = TCPFrame.encode(transaction: 7, unit: exchange.unit, pdu: pdu)
        var noise = Noise(seed: 5)
        for _ in 0..<500 {
            let serial = noise.damage(answer)
            let tcp = noise.damage(framed)
            let damagedPDU = noise.damage(pdu)
            if case .answer(_, let length) = RTUFrame.find(serial.span, request: exchange.request, unit: exchange.unit)
            {
                #expect(length <= serial.count)
            }
            let found = TCPFrame.find(tcp.span, request: exchange.request, unit: exchange.unit, transaction: 7)
            if case .answer(_, let length) = found { #expect(length <= tcp.count) }
            _ = exchange.request.response(from: damagedPDU.span)
        }
    }

    @Test(arguments: Exchange.all)
    func `damaged requests are survived`(exchange: Exchange) throws {
        let sent = try #require(Hex.bytes(exchange.sent))
        var noise = Noise(seed: 6)
        for _ in 0..<500 {
            let damaged = noise.damage(Array(sent.dropFirst().dropLast(2)))
            if let request = Request(pdu: damaged.span) { #expect(request.functionCode == damaged[0]) }
        }
    }

    @Test(arguments: MasterSettings.Mode.allCases)
    func `a bus of noise ends every job`(mode: MasterSettings.Mode) {
        var settings = MasterSettings()
        settings.mode = mode
        settings.byteTime = .milliseconds(1)
        for seed in 1...200 as ClosedRange<UInt64> {
            var noise = Noise(seed: seed)
            var master = MasterState(settings)
            var now = ContinuousClock.now
            for (id, exchange) in Exchange.all.enumerated() {
                master.submit(.init(id: id, unit: exchange.unit, request: exchange.request))
            }
            var finished = 0
            let end = now + .seconds(60)
            while finished < Exchange.all.count, now < end {
                switch master.nextAction(at: now) {
                case .send(let frame):
                    master.sent(at: now)
                    let heard = noise.next(below: 2) == 0 ? noise.damage(frame) : noise.bytes(upTo: 300)
                    master.bytesReceived(heard.span, at: now + .milliseconds(1))
                case .wait(let until):
                    now = min(until ?? end, now + .milliseconds(noise.next(below: 100) + 1))
                    if noise.next(below: 4) == 0 {
                        let heard = noise.bytes(upTo: 20)
                        master.bytesReceived(heard.span, at: now)
                    }
                }
                finished += master.takeFinished().count
            }
            #expect(finished == Exchange.all.count)
        }
    }

    @Test func `any registers decode to a value or to none`() {
        var noise = Noise(seed: 7)
        for _ in 0..<2_000 {
            let registers = (0..<noise.next(below: 20)).map { _ in UInt16(noise.next(below: 65_536)) }
            for type in RegisterType.allCases {
                for order in WordOrder.allCases {
                    let value = type.decode(registers[...], order: order, bit: noise.next(below: 16))
                    if registers.count < type.registerCount { #expect(value == nil) }
                }
            }
        }
    }
}
