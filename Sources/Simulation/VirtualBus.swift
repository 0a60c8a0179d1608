import Bytes
import Modbus

/// The units of a Modbus RTU bus, without the bus: bytes from the master in, answers out.
struct VirtualBus: Sendable {
    /// An answer and how long the unit thinks before it begins to speak.
    struct Answer: Equatable, Sendable {
        var bytes: [UInt8]
        var delay: Duration
    }

    private var units: [UInt8: VirtualUnit]
    /// What an unlisted unit is; nil where nobody is there.
    private let anyUnit: VirtualUnit?
    private var received: [UInt8] = []
    private(set) var requestCounts: [UInt8: Int] = [:]

    init(units: [UInt8: VirtualUnit], anyUnit: VirtualUnit? = nil) {
        self.units = units
        self.anyUnit = anyUnit
    }

    /// Whether a request has begun and not ended.
    var isWaiting: Bool { !received.isEmpty }

    func unit(_ number: UInt8) -> VirtualUnit? {
        units[number] ?? anyUnit
    }

    mutating func setBehaviour(_ behaviour: UnitBehaviour, unit number: UInt8) {
        guard var unit = unit(number) else { return }
        unit.behaviour = behaviour
        units[number] = unit
    }

    /// The answers to what has arrived, in order; `seconds` counts from when the devices were switched on.
    mutating func bytesReceived(_ bytes: Span<UInt8>, at seconds: Double) -> [Answer] {
        received.append(copying: bytes)
        var answers: [Answer] = []
        while let length = completeLength {
            if let answer = answer(Array(received[..<length]), at: seconds) { answers.append(answer) }
            received.removeFirst(length)
        }
        return answers
    }

    /// The line fell silent: what has arrived is a request of unknown length, or a torn one.
    mutating func fellSilent(at seconds: Double) -> Answer? {
        let frame = received
        received = []
        return answer(frame, at: seconds)
    }

    /// The length of the request at the front when all of it is there, one to skip a byte that begins none.
    private var completeLength: Int? {
        guard received.count >= 2 else { return nil }
        guard let length = Self.requestLength(received) else { return nil }
        guard received.count >= length else { return nil }
        let frame = Array(received[..<length])
        return RTUFrame.isIntact(frame.span) ? length : 1
    }

    /// By function code; nil while it can't be told, or for a function whose length only silence tells.
    private static func requestLength(_ bytes: [UInt8]) -> Int? {
        switch bytes[1] {
        case 1...6: 8
        case 15, 16: bytes.count > 6 ? 9 + Int(bytes[6]) : nil
        case 22: 10
        case 23: bytes.count > 10 ? 13 + Int(bytes[10]) : nil
        default: nil
        }
    }

    private mutating func answer(_ frame: [UInt8], at seconds: Double) -> Answer? {
        guard frame.count >= 4, RTUFrame.isIntact(frame.span) else { return nil }
        let number = frame[0]
        let pdu = Array(frame[1..<frame.count - 2])
        if number == 0 {
            // A broadcast: everybody obeys, nobody answers.
            for key in units.keys { _ = units[key]?.answer(pdu.span, at: seconds) }
            return nil
        }
        guard var unit = unit(number) else { return nil }
        requestCounts[number, default: 0] += 1
        let answer = unit.answer(pdu.span, at: seconds)
        units[number] = unit
        return answer.flatMap { unit.send($0, from: number) }
    }
}
