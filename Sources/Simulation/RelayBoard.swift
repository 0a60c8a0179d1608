import Modbus

/// A relay board of eight coils, as Waveshare's: each may be switched or toggled, and 0x00FF means all of them.
struct RelayBoard: Sendable {
    private static let all = 0x00FF

    private(set) var coils = [Bool](repeating: false, count: 8)

    mutating func answer(_ request: IncomingRequest) -> IncomingRequest.Answer {
        switch request {
        case .read(.coil, let start, let count):
            guard count >= 1, start + count <= coils.count else { return .exception(.illegalDataAddress) }
            return .bits(Array(coils[start..<start + count]))
        case .writeCoil(let address, let value): return writeCoil(address, value)
        case .writeCoils(let start, let values):
            guard start + values.count <= coils.count else { return .exception(.illegalDataAddress) }
            for (index, value) in values.enumerated() { coils[start + index] = value }
            return .echo
        default: return .exception(.illegalFunction)
        }
    }

    private mutating func writeCoil(_ address: Int, _ value: UInt16) -> IncomingRequest.Answer {
        guard address < coils.count || address == Self.all else { return .exception(.illegalDataAddress) }
        let addressed = address == Self.all ? coils.indices : address..<address + 1
        for coil in addressed {
            switch value {
            case 0xFF00: coils[coil] = true
            case 0x0000: coils[coil] = false
            case 0x5500: coils[coil].toggle()
            default: return .exception(.illegalDataValue)
            }
        }
        return .echo
    }
}
