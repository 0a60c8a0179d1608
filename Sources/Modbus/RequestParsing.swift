import Bytes

extension Request {
    /// The request in `pdu` (function code and data), or nil if it is none of ours or not whole.
    ///
    /// For the other side of the bus: simulated devices, and the exchanges written down in profiles.
    package init?(pdu: Span<UInt8>) {
        guard pdu.count >= 5 else { return nil }
        let first = UInt16(pdu[1]) << 8 | UInt16(pdu[2])
        let second = UInt16(pdu[3]) << 8 | UInt16(pdu[4])
        switch (pdu[0], pdu.count) {
        case (1, 5): self = .readCoils(start: first, count: second)
        case (2, 5): self = .readDiscreteInputs(start: first, count: second)
        case (3, 5): self = .readHoldingRegisters(start: first, count: second)
        case (4, 5): self = .readInputRegisters(start: first, count: second)
        case (5, 5): self = .writeSingleCoil(address: first, value: second)
        case (6, 5): self = .writeSingleRegister(address: first, value: second)
        case (15, 7...):
            guard Int(pdu[5]) == pdu.count - 6, Int(second) <= (pdu.count - 6) * 8 else { return nil }
            var values: [Bool] = []
            for index in 0..<Int(second) { values.append(pdu[6 + index / 8] >> UInt8(index % 8) & 1 == 1) }
            self = .writeMultipleCoils(start: first, values: values)
        case (16, 8...):
            guard Int(pdu[5]) == pdu.count - 6, Int(second) * 2 == pdu.count - 6 else { return nil }
            self = .writeMultipleRegisters(start: first, values: Self.words(pdu, from: 6))
        case (22, 7):
            self = .maskWriteRegister(address: first, and: second, or: UInt16(pdu[5]) << 8 | UInt16(pdu[6]))
        case (23, 12...):
            let writeStart = UInt16(pdu[5]) << 8 | UInt16(pdu[6])
            guard Int(pdu[9]) == pdu.count - 10, pdu.count % 2 == 0 else { return nil }
            self = .readWriteMultipleRegisters(
                readStart: first, readCount: second, writeStart: writeStart, values: Self.words(pdu, from: 10))
        default: return nil
        }
    }

    private static func words(_ pdu: Span<UInt8>, from start: Int) -> [UInt16] {
        var words: [UInt16] = []
        for index in stride(from: start, to: pdu.count - 1, by: 2) {
            words.append(UInt16(pdu[index]) << 8 | UInt16(pdu[index + 1]))
        }
        return words
    }

    /// What a read asks for; nil for other requests.
    package var readRange: (table: RegisterTable, start: UInt16, count: UInt16)? {
        switch self {
        case .readCoils(let start, let count): (.coil, start, count)
        case .readDiscreteInputs(let start, let count): (.discrete, start, count)
        case .readHoldingRegisters(let start, let count): (.holding, start, count)
        case .readInputRegisters(let start, let count): (.input, start, count)
        default: nil
        }
    }
}

extension RTUFrame {
    /// The unit and the request in a whole frame with a good checksum.
    package static func request(_ frame: Span<UInt8>) -> (unit: UInt8, request: Request)? {
        guard isIntact(frame), let request = Request(pdu: frame.extracting(1..<(frame.count - 2))) else { return nil }
        return (frame[0], request)
    }

    /// The answer to `request` in a whole frame with a good checksum.
    package static func response(_ frame: Span<UInt8>, to request: Request, unit: UInt8) -> Response? {
        guard case .answer(let response, frame.count) = find(frame, request: request, unit: unit) else { return nil }
        return response
    }
}
