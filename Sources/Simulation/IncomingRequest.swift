import Bytes
import Modbus

/// A request as the device sees it. [Modbus application protocol V1.1b3, section 6]
enum IncomingRequest: Equatable, Sendable {
    case read(RegisterTable, start: Int, count: Int)
    case writeCoil(Int, UInt16)
    case writeRegister(Int, UInt16)
    case writeCoils(start: Int, [Bool])
    case writeRegisters(start: Int, [UInt16])
    /// A function that no device here has.
    case other(UInt8)

    enum Answer: Equatable, Sendable {
        case bits([Bool])
        case registers([UInt16])
        /// Repeats the request, or its first five bytes.
        case echo
        case exception(ExceptionCode)
    }

    /// From function code and data, whose length is right for the function.
    init(_ pdu: Span<UInt8>) {
        let (first, second) = (Self.word(pdu, 1), Self.word(pdu, 3))
        switch pdu[0] {
        case 1: self = .read(.coil, start: first, count: second)
        case 2: self = .read(.discrete, start: first, count: second)
        case 3: self = .read(.holding, start: first, count: second)
        case 4: self = .read(.input, start: first, count: second)
        case 5: self = .writeCoil(first, UInt16(second))
        case 6: self = .writeRegister(first, UInt16(second))
        case 15:
            self = .writeCoils(
                start: first,
                (0..<second).map { coil -> Bool in
                    let place = coil / 8 + 6
                    return place < pdu.count && pdu[place] >> UInt8(coil % 8) & 1 == 1
                })
        case 16:
            self = .writeRegisters(start: first, (0..<second).map { UInt16(Self.word(pdu, 6 + 2 * $0)) })
        case let function: self = .other(function)
        }
    }

    /// Zero where the bytes end: the checksum was right, so it is the master's own nonsense.
    private static func word(_ pdu: Span<UInt8>, _ offset: Int) -> Int {
        offset + 1 < pdu.count ? Int(pdu[offset]) << 8 | Int(pdu[offset + 1]) : 0
    }
}

extension IncomingRequest.Answer {
    /// The answer's function code and data.
    func pdu(to request: Span<UInt8>) -> [UInt8] {
        switch self {
        case .bits(let bits):
            var packed = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
            for (index, bit) in bits.enumerated() where bit { packed[index / 8] |= 1 << UInt8(index % 8) }
            return [request[0], UInt8(clamping: packed.count)] + packed
        case .registers(let registers):
            var bytes = [request[0], UInt8(clamping: registers.count * 2)]
            for register in registers { bytes.append(bigEndian: register) }
            return bytes
        case .echo: return [UInt8](copying: request, 0..<min(5, request.count))
        case .exception(let code): return [request[0] | 0x80, code.rawValue]
        }
    }
}
