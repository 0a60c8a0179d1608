import Bytes
import Modbus

/// How a simulated unit behaves, for tests of the gateway's patience.
package enum UnitBehaviour: Equatable, Sendable {
    case normal
    /// Never answers.
    case mute
    /// Answers with a wrong checksum.
    case garbled
    /// Takes longer than it should.
    case slow(Duration)
}

/// One device on a bus.
struct VirtualUnit: Sendable {
    enum Device: Sendable {
        case meter(EnergyMeter)
        case relays(RelayBoard)
        case scripted(ScriptedUnit)
    }

    private(set) var device: Device
    var behaviour = UnitBehaviour.normal

    init(_ device: Device) {
        self.device = device
    }

    /// How long the real one thinks: a meter's controller has more to do than a relay board's.
    private var thinkingTime: Duration {
        switch device {
        case .meter, .scripted: .milliseconds(25)
        case .relays: .milliseconds(6)
        }
    }

    /// The answer's function code and data; nil from a unit that does not listen.
    mutating func answer(_ pdu: Span<UInt8>, at seconds: Double) -> [UInt8]? {
        guard behaviour != .mute else { return nil }
        let request = IncomingRequest(pdu)
        switch device {
        case .meter(var meter):
            let answer = meter.answer(request, at: seconds)
            device = .meter(meter)
            return answer.pdu(to: pdu)
        case .relays(var board):
            let answer = board.answer(request)
            device = .relays(board)
            return answer.pdu(to: pdu)
        case .scripted(var unit):
            let answer = unit.answer(request, at: seconds)
            device = .scripted(unit)
            return answer.pdu(to: pdu)
        }
    }

    func send(_ pdu: [UInt8], from number: UInt8) -> VirtualBus.Answer? {
        var frame = RTUFrame.encode(unit: number, pdu: pdu)
        switch behaviour {
        case .normal: return VirtualBus.Answer(bytes: frame, delay: thinkingTime)
        case .slow(let delay): return VirtualBus.Answer(bytes: frame, delay: delay)
        case .garbled:
            frame[frame.count - 1] ^= 0x55
            return VirtualBus.Answer(bytes: frame, delay: thinkingTime)
        case .mute: return nil
        }
    }
}
