/// A frame that was overheard: a master's or a unit's.
package struct OverheardFrame: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// What a master asks. A unit confirms a write by repeating it, so that it can be either's.
        case request(Request)
        /// What a unit answers to a read: the function and how many bytes of data.
        case answer(function: UInt8, byteCount: Int)
        case exception(function: UInt8, ExceptionCode)
    }

    /// Where it stands in what was heard.
    package var range: Range<Int>
    package var unit: UInt8
    package var content: Content
}

/// Finds the frames in what was heard on a line where others speak Modbus RTU.
///
/// By length and checksum, not by silence, which adapters do not keep. Sixteen bits are right by chance once in 65,536
/// places: a single frame among much noise proves little.
package enum RTUTraffic {
    package static func frames(in bytes: [UInt8]) -> [OverheardFrame] {
        var frames: [OverheardFrame] = []
        var start = 0
        while start + 4 <= bytes.count {
            guard let frame = frame(bytes, at: start) else {
                start += 1
                continue
            }
            frames.append(frame)
            start = frame.range.upperBound
        }
        return frames
    }

    private static func frame(_ bytes: [UInt8], at start: Int) -> OverheardFrame? {
        let rest = bytes.span.extracting(start..<bytes.count)
        guard rest[0] <= 247 else { return nil }
        for length in lengths(rest) where length <= rest.count {
            let frame = rest.extracting(0..<length)
            guard RTUFrame.isIntact(frame), let content = content(frame) else { continue }
            return OverheardFrame(range: start..<(start + length), unit: frame[0], content: content)
        }
        return nil
    }

    /// The lengths that a frame with this beginning can have, as request or as answer.
    private static func lengths(_ rest: Span<UInt8>) -> [Int] {
        func byte(_ index: Int) -> Int? { index < rest.count ? Int(rest[index]) : nil }
        let lengths: [Int?] =
            switch rest[1] {
            case 1...4: [8, byte(2).map { $0 + 5 }]
            case 5, 6: [8]
            case 15, 16: [byte(6).map { $0 + 9 }, 8]
            case 22: [10]
            case 23: [byte(10).map { $0 + 13 }, byte(2).map { $0 + 5 }]
            case 0x81...0x97: [5]
            default: []
            }
        return lengths.compactMap(\.self)
    }

    private static func content(_ frame: Span<UInt8>) -> OverheardFrame.Content? {
        let function = frame[1]
        if function & 0x80 != 0 {
            return frame.count == 5
                ? .exception(function: function & 0x7F, ExceptionCode(rawValue: frame[2])) : nil
        }
        if let request = Request(pdu: frame.extracting(1..<(frame.count - 2))) { return .request(request) }
        switch function {
        case 1...4, 23: return .answer(function: function, byteCount: Int(frame[2]))
        // The answers to writes of several are the first five bytes of their request.
        case 15, 16: return .answer(function: function, byteCount: 0)
        default: return nil
        }
    }
}

extension OverheardFrame: CustomStringConvertible {
    /// "unit 1: read holding 0 to 1", "unit 1: answer to function 3, 4 bytes".
    package var description: String { "unit \(unit): \(what)" }

    private var what: String {
        switch content {
        case .request(let request):
            if let read = request.readRange {
                "read \(read.table.rawValue) \(read.start) to \(Int(read.start) + max(1, Int(read.count)) - 1)"
            } else {
                "function \(request.functionCode), a write"
            }
        case .answer(let function, let count): "answer to function \(function), \(count) bytes"
        case .exception(let function, let code): "refuses function \(function): \(code)"
        }
    }
}
