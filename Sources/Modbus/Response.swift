import Bytes

/// What a unit answered.
package enum Response: Equatable, Sendable {
    /// One for each coil or discrete input asked for.
    case bits([Bool])
    case registers([UInt16])
    /// A write was carried out; the unit repeated what it was asked.
    case written
    case exception(ExceptionCode)
}

/// Why a unit refused. [Modbus application protocol V1.1b3, section 7]
package struct ExceptionCode: RawRepresentable, Equatable, Hashable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let illegalFunction = ExceptionCode(rawValue: 1)
    package static let illegalDataAddress = ExceptionCode(rawValue: 2)
    package static let illegalDataValue = ExceptionCode(rawValue: 3)
    package static let serverDeviceFailure = ExceptionCode(rawValue: 4)
    package static let acknowledge = ExceptionCode(rawValue: 5)
    package static let serverDeviceBusy = ExceptionCode(rawValue: 6)
    package static let memoryParityError = ExceptionCode(rawValue: 8)
    package static let gatewayPathUnavailable = ExceptionCode(rawValue: 10)
    package static let gatewayTargetFailedToRespond = ExceptionCode(rawValue: 11)

    /// Whether a gateway answered in place of a unit that it can't reach.
    package var isUnitMissing: Bool { self == .gatewayPathUnavailable || self == .gatewayTargetFailedToRespond }
}

extension ExceptionCode: CustomStringConvertible {
    /// The standard's name and the number.
    package var description: String {
        let name =
            switch self {
            case .illegalFunction: "illegal function"
            case .illegalDataAddress: "illegal data address"
            case .illegalDataValue: "illegal data value"
            case .serverDeviceFailure: "device failure"
            case .acknowledge: "acknowledged, still working"
            case .serverDeviceBusy: "device busy"
            case .memoryParityError: "memory parity error"
            case .gatewayPathUnavailable: "gateway path unavailable"
            case .gatewayTargetFailedToRespond: "gateway target failed to respond"
            default: "unknown exception"
            }
        return "\(name) (\(rawValue))"
    }
}

extension Request {
    /// The answer in `pdu` (function code and data), or nil if it is not one to this request.
    package func response(from pdu: Span<UInt8>) -> Response? {
        guard pdu.count >= 2 else { return nil }
        if pdu[0] == functionCode | 0x80 {
            return pdu.count == 2 ? .exception(ExceptionCode(rawValue: pdu[1])) : nil
        }
        guard pdu[0] == functionCode, pdu.count == responseLength else { return nil }
        switch self {
        case .readCoils(_, let count), .readDiscreteInputs(_, let count):
            guard Int(pdu[1]) == pdu.count - 2 else { return nil }
            return .bits(Self.bits(pdu, Int(count)))
        case .readHoldingRegisters, .readInputRegisters, .readWriteMultipleRegisters:
            guard Int(pdu[1]) == pdu.count - 2 else { return nil }
            return .registers(Self.registers(pdu))
        case .writeSingleCoil, .writeSingleRegister, .maskWriteRegister, .writeMultipleCoils, .writeMultipleRegisters:
            // The answer repeats the request, or its first five bytes.
            let sent = self.pdu
            for index in pdu.indices where pdu[index] != sent[index] { return nil }
            return .written
        }
    }

    private static func bits(_ pdu: Span<UInt8>, _ count: Int) -> [Bool] {
        var bits: [Bool] = []
        for index in 0..<count { bits.append(pdu[2 + index / 8] >> UInt8(index % 8) & 1 == 1) }
        return bits
    }

    private static func registers(_ pdu: Span<UInt8>) -> [UInt16] {
        var registers: [UInt16] = []
        for index in stride(from: 2, to: pdu.count - 1, by: 2) {
            registers.append(UInt16(pdu[index]) << 8 | UInt16(pdu[index + 1]))
        }
        return registers
    }
}
