import Bytes

/// A request's function and data, without address and checksum. [Modbus application protocol V1.1b3, section 6]
package enum Request: Equatable, Sendable {
    case readCoils(start: UInt16, count: UInt16)
    case readDiscreteInputs(start: UInt16, count: UInt16)
    case readHoldingRegisters(start: UInt16, count: UInt16)
    case readInputRegisters(start: UInt16, count: UInt16)
    /// 0xFF00 is on, 0x0000 off; relay boards take 0x5500 as toggle.
    case writeSingleCoil(address: UInt16, value: UInt16)
    case writeSingleRegister(address: UInt16, value: UInt16)
    case writeMultipleCoils(start: UInt16, values: [Bool])
    case writeMultipleRegisters(start: UInt16, values: [UInt16])
    case maskWriteRegister(address: UInt16, and: UInt16, or: UInt16)
    case readWriteMultipleRegisters(readStart: UInt16, readCount: UInt16, writeStart: UInt16, values: [UInt16])

    package var functionCode: UInt8 {
        switch self {
        case .readCoils: 1
        case .readDiscreteInputs: 2
        case .readHoldingRegisters: 3
        case .readInputRegisters: 4
        case .writeSingleCoil: 5
        case .writeSingleRegister: 6
        case .writeMultipleCoils: 15
        case .writeMultipleRegisters: 16
        case .maskWriteRegister: 22
        case .readWriteMultipleRegisters: 23
        }
    }

    /// Whether it changes something at the device; such a request is never sent twice.
    package var isWrite: Bool { functionCode >= 5 }

    /// Function code and data.
    package var pdu: [UInt8] {
        var bytes = [functionCode]
        switch self {
        case .readCoils(let start, let count), .readDiscreteInputs(let start, let count),
            .readHoldingRegisters(let start, let count), .readInputRegisters(let start, let count):
            bytes.append(bigEndian: start)
            bytes.append(bigEndian: count)
        case .writeSingleCoil(let address, let value), .writeSingleRegister(let address, let value):
            bytes.append(bigEndian: address)
            bytes.append(bigEndian: value)
        case .writeMultipleCoils(let start, let values):
            bytes.append(bigEndian: start)
            bytes.append(bigEndian: UInt16(clamping: values.count))
            let packed = Self.pack(values)
            bytes.append(UInt8(clamping: packed.count))
            bytes.append(contentsOf: packed)
        case .writeMultipleRegisters(let start, let values):
            bytes.append(bigEndian: start)
            Self.append(values, to: &bytes)
        case .maskWriteRegister(let address, let and, let or):
            bytes.append(bigEndian: address)
            bytes.append(bigEndian: and)
            bytes.append(bigEndian: or)
        case .readWriteMultipleRegisters(let readStart, let readCount, let writeStart, let values):
            bytes.append(bigEndian: readStart)
            bytes.append(bigEndian: readCount)
            bytes.append(bigEndian: writeStart)
            Self.append(values, to: &bytes)
        }
        return bytes
    }

    /// How many bytes the answer's function code and data have, if it is not an exception.
    var responseLength: Int {
        switch self {
        case .readCoils(_, let count), .readDiscreteInputs(_, let count): 2 + (Int(count) + 7) / 8
        case .readHoldingRegisters(_, let count), .readInputRegisters(_, let count),
            .readWriteMultipleRegisters(_, let count, _, _):
            2 + 2 * Int(count)
        case .maskWriteRegister: 7
        case .writeSingleCoil, .writeSingleRegister, .writeMultipleCoils, .writeMultipleRegisters: 5
        }
    }

    private static func append(_ values: [UInt16], to bytes: inout [UInt8]) {
        bytes.append(bigEndian: UInt16(clamping: values.count))
        bytes.append(UInt8(clamping: values.count * 2))
        for value in values { bytes.append(bigEndian: value) }
    }

    private static func pack(_ values: [Bool]) -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: (values.count + 7) / 8)
        for (index, value) in values.enumerated() where value { packed[index / 8] |= 1 << UInt8(index % 8) }
        return packed
    }
}
