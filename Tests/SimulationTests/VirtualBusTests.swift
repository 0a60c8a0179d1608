import Bytes
import Modbus
import Testing

@testable import Simulation

@Suite struct VirtualBusTests {
    private func relays() -> VirtualBus {
        VirtualBus(units: [1: VirtualUnit(.relays(RelayBoard()))])
    }

    /// What the bus answers to a frame in hex, in hex; nil for silence.
    private func answer(_ bus: inout VirtualBus, _ hex: String) -> String? {
        let frame = Hex.bytes(hex) ?? []
        let answers = bus.bytesReceived(frame.span, at: 0)
        return answers.first.map { Hex.text($0.bytes) }
    }

    // The exchanges of a Waveshare board, from its manual.
    @Test func `a relay board switches, toggles and reads back`() {
        var bus = relays()
        #expect(answer(&bus, "01 01 00 00 00 08 3D CC") == "01 01 01 00 51 88")
        #expect(answer(&bus, "01 05 00 00 FF 00 8C 3A") == "01 05 00 00 FF 00 8C 3A")
        #expect(answer(&bus, "01 01 00 00 00 08 3D CC") == "01 01 01 01 90 48")
        #expect(answer(&bus, "01 05 00 00 55 00 F2 9A") == "01 05 00 00 55 00 F2 9A")
        #expect(answer(&bus, "01 01 00 00 00 08 3D CC") == "01 01 01 00 51 88")
        #expect(answer(&bus, "01 05 00 FF FF 00 BC 0A") == "01 05 00 FF FF 00 BC 0A")
        guard case .relays(let board) = bus.unit(1)?.device else { return }
        #expect(board.coils == Array(repeating: true, count: 8))
    }

    @Test func `many relays are written at once`() {
        var bus = relays()
        #expect(answer(&bus, "01 0F 00 00 00 08 01 FF BE D5") == "01 0F 00 00 00 08 54 0D")
        guard case .relays(let board) = bus.unit(1)?.device else { return }
        #expect(board.coils == Array(repeating: true, count: 8))
    }

    @Test func `a request may come in any pieces, and with noise before it`() {
        var bus = relays()
        let frame = Hex.bytes("FE 01 01 05 00 00 FF 00 8C 3A") ?? []
        var answers: [VirtualBus.Answer] = []
        for byte in frame { answers += bus.bytesReceived([byte].span, at: 0) }
        #expect(answers.map { Hex.text($0.bytes) } == ["01 05 00 00 FF 00 8C 3A"])
        #expect(!bus.isWaiting)
    }

    @Test func `what a board can't do is refused with the standard's code`() {
        var bus = relays()
        func refusal(_ request: Request) -> [UInt8]? {
            let frame = RTUFrame.encode(unit: 1, pdu: request.pdu)
            let bytes = bus.bytesReceived(frame.span, at: 0).first?.bytes
            return bytes.map { Array($0[1...2]) }
        }
        #expect(refusal(.readCoils(start: 0, count: 9)) == [0x81, 2])
        #expect(refusal(.writeSingleCoil(address: 8, value: 0xFF00)) == [0x85, 2])
        #expect(refusal(.writeSingleCoil(address: 0, value: 1)) == [0x85, 3])
        #expect(refusal(.readInputRegisters(start: 0, count: 2)) == [0x84, 1])
        #expect(refusal(.writeMultipleRegisters(start: 0, values: [1, 2])) == [0x90, 1])
        #expect(refusal(.maskWriteRegister(address: 0, and: 0, or: 0)) == [0x96, 1])
        #expect(
            refusal(.readWriteMultipleRegisters(readStart: 0, readCount: 1, writeStart: 0, values: [1])) == [0x97, 1])
    }

    @Test func `a function nobody knows is refused when the line falls silent`() {
        var bus = relays()
        let frame = RTUFrame.encode(unit: 1, pdu: [0x2B, 0x0E, 1, 0])
        #expect(bus.bytesReceived(frame.span, at: 0).isEmpty)
        #expect(bus.isWaiting)
        #expect(bus.fellSilent(at: 0)?.bytes.dropFirst().prefix(2) == [0xAB, 1])
        #expect(!bus.isWaiting)
    }

    @Test func `a torn request is forgotten when the line falls silent`() {
        var bus = relays()
        #expect(answer(&bus, "01 05 00 00") == nil)
        #expect(bus.fellSilent(at: 0) == nil)
        #expect(answer(&bus, "01 01 00 00 00 08 3D CC") != nil)
    }

    @Test func `absent and mute units are silent, a garbled one has a wrong checksum, a slow one takes its time`() {
        var bus = VirtualBus(units: [
            1: VirtualUnit(.relays(RelayBoard())), 2: VirtualUnit(.meter(EnergyMeter(.sdm120, seed: 1))),
        ])
        let request = RTUFrame.encode(unit: 2, pdu: Request.readInputRegisters(start: 0, count: 2).pdu)
        let absent = RTUFrame.encode(unit: 3, pdu: Request.readInputRegisters(start: 0, count: 2).pdu)
        #expect(bus.bytesReceived(absent.span, at: 0).isEmpty)
        bus.setBehaviour(.mute, unit: 2)
        #expect(bus.bytesReceived(request.span, at: 0).isEmpty)
        bus.setBehaviour(.garbled, unit: 2)
        let garbled = bus.bytesReceived(request.span, at: 0)
        #expect(garbled.map { RTUFrame.isIntact($0.bytes.span) } == [false])
        bus.setBehaviour(.slow(.seconds(2)), unit: 2)
        #expect(bus.bytesReceived(request.span, at: 0).map(\.delay) == [.seconds(2)])
        #expect(bus.requestCounts == [2: 3])
        #expect(answer(&bus, "01 01 00 00 00 08 3D CC") != nil)
    }

    @Test func `everybody obeys a broadcast and nobody answers`() {
        var bus = VirtualBus(units: [
            1: VirtualUnit(.relays(RelayBoard())), 2: VirtualUnit(.relays(RelayBoard())),
        ])
        let frame = RTUFrame.encode(unit: 0, pdu: Request.writeSingleCoil(address: 3, value: 0xFF00).pdu)
        #expect(bus.bytesReceived(frame.span, at: 0).isEmpty)
        for number in [UInt8(1), 2] {
            guard case .relays(let board) = bus.unit(number)?.device else { continue }
            #expect(board.coils[3])
        }
    }

    @Test func `no bytes make it stumble`() {
        var bus = VirtualBus(units: [1: VirtualUnit(.meter(EnergyMeter(.sdm630, seed: 3)))])
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for _ in 0..<20_000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            // Valid checksums now and then, so that the inside is reached too.
            let pdu = (0..<(1 + state % 12)).map { UInt8(truncatingIfNeeded: state >> ($0 * 5)) }
            let frame = RTUFrame.encode(unit: UInt8(state % 3), pdu: pdu)
            _ = bus.bytesReceived(frame.span, at: Double(state % 1000))
            if state & 7 == 0 { _ = bus.fellSilent(at: 0) }
        }
        #expect(bus.unit(1) != nil)
    }
}
