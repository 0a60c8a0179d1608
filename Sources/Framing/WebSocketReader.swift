import Bytes

/// Takes the frames of a WebSocket's other end apart, however they are cut. [RFC 6455, 5.2]
///
/// Payload passes through as it comes, so the length that a header announces costs nothing.
package struct WebSocketReader: Sendable {
    /// What the client wants beside its payload, or how it breaks the rules.
    package enum Signal: Equatable, Sendable {
        case ping([UInt8])
        /// The client closes; its code is to be sent back. [RFC 6455, 5.5.1]
        case close(code: UInt16?)
        /// The connection is to be closed with this code.
        case broken(Violation)
    }

    package enum Violation: Equatable, Sendable {
        /// [MQTT-6.0.0-1]
        case text
        /// [RFC 6455, 5.1]
        case unmasked
        case masked
        case reservedBits
        case unknownOpcode(UInt8)
        case controlFrame
        case fragmentOrder
        case lengthEncoding
        case tooLarge(UInt64)
    }

    private enum Place: Equatable {
        case header
        case payload
        case control(opcode: UInt8)
    }

    private let maximumFrameSize: UInt64
    private let isMasked: Bool
    private var place = Place.header
    private var header: [UInt8] = []
    private var control: [UInt8] = []
    private var remaining: UInt64 = 0
    private var mask: UInt32 = 0
    private var isFragmented = false

    /// `maximumFrameSize` is in bytes of payload; what clients send `isMasked`, what servers send is not.
    package init(maximumFrameSize: Int, isMasked: Bool = true) {
        self.isMasked = isMasked
        self.maximumFrameSize = UInt64(max(0, maximumFrameSize))
        header.reserveCapacity(14)
    }

    /// Appends the payload in `bytes` to `payload` until all is read, or a signal comes up that must be answered first.
    ///
    /// Steps `offset` on to behind what was read; call again with the rest.
    package mutating func read(
        _ bytes: Span<UInt8>, from offset: inout Int, into payload: inout [UInt8]
    ) -> Signal? {
        while offset < bytes.count {
            switch place {
            case .header:
                header.append(bytes[offset])
                offset += 1
                if let signal = headerGrew() { return signal }
            case .payload:
                takePayload(bytes, &offset, into: &payload)
                if remaining == 0 { place = .header }
            case .control(let opcode):
                // Out of the way, or it would be changed twice at once.
                var taken: [UInt8] = []
                takePayload(bytes, &offset, into: &taken)
                control += taken
                if remaining == 0 {
                    place = .header
                    if let signal = controlFrameEnded(opcode) { return signal }
                }
            }
        }
        return nil
    }

    private mutating func headerGrew() -> Signal? {
        guard header.count >= 2 else { return nil }
        if header.count == 2, let violation = violation(header[0], header[1]) { return .broken(violation) }
        let extra =
            switch header[1] & 0x7F {
            case 126: 2
            case 127: 8
            default: 0
            }
        guard header.count == 2 + extra + (isMasked ? 4 : 0) else { return nil }
        defer { header.removeAll(keepingCapacity: true) }
        remaining = UInt64(header[1] & 0x7F)
        if extra > 0 {
            remaining = header[2..<2 + extra].reduce(0) { $0 << 8 | UInt64($1) }
            // The shortest form must be taken, and the highest bit is zero. [RFC 6455, 5.2]
            guard remaining >= (extra == 2 ? 126 : 65_536), remaining >> 63 == 0 else {
                return .broken(.lengthEncoding)
            }
        }
        guard remaining <= maximumFrameSize else { return .broken(.tooLarge(remaining)) }
        // The first byte of the key is for the first byte of the payload: lowest here.
        mask = isMasked ? header.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } : 0
        return frameBegan(opcode: header[0] & 0x0F, isFinal: header[0] & 0x80 != 0)
    }

    /// What the first two bytes break already.
    private func violation(_ first: UInt8, _ second: UInt8) -> Violation? {
        guard first & 0x70 == 0 else { return .reservedBits }
        guard (second & 0x80 != 0) == isMasked else { return isMasked ? .unmasked : .masked }
        switch first & 0x0F {
        case 0: return isFragmented ? nil : .fragmentOrder
        case 1: return .text
        case 2: return isFragmented ? .fragmentOrder : nil
        case 8, 9, 10: return first & 0x80 == 0 || second & 0x7F > 125 ? .controlFrame : nil
        case let opcode: return .unknownOpcode(opcode)
        }
    }

    private mutating func frameBegan(opcode: UInt8, isFinal: Bool) -> Signal? {
        if opcode >= 8 {
            control.removeAll(keepingCapacity: true)
            place = remaining == 0 ? .header : .control(opcode: opcode)
            return remaining == 0 ? controlFrameEnded(opcode) : nil
        }
        isFragmented = !isFinal
        place = remaining == 0 ? .header : .payload
        return nil
    }

    private mutating func controlFrameEnded(_ opcode: UInt8) -> Signal? {
        switch opcode {
        case 8: return closeReceived()
        case 9: return .ping(control)
        default: return nil  // a pong that nobody asked for is allowed
        }
    }

    private func closeReceived() -> Signal {
        guard control.count != 1 else { return .broken(.controlFrame) }
        guard control.count >= 2 else { return .close(code: nil) }
        let code = UInt16(control[0]) << 8 | UInt16(control[1])
        // What may stand on the wire. [RFC 6455, 7.4]
        let isAllowed =
            (1000...1014).contains(code) && ![1004, 1005, 1006].contains(code) || (3000..<5000).contains(code)
        guard isAllowed else { return .broken(.controlFrame) }
        return .close(code: code)
    }

    private mutating func takePayload(_ bytes: Span<UInt8>, _ offset: inout Int, into output: inout [UInt8]) {
        let count = Int(clamping: min(UInt64(bytes.count - offset), remaining))
        let start = output.count
        output.append(copying: bytes.extracting(offset..<offset + count))
        Masking.apply(mask, to: &output, from: start)
        let turn = UInt32(count & 3) * 8
        mask = turn == 0 ? mask : mask >> turn | mask << (32 - turn)
        offset += count
        remaining -= UInt64(count)
    }
}

extension WebSocketReader.Violation {
    /// The status code that tells the client.
    package var closeCode: UInt16 {
        switch self {
        case .text: 1003
        case .tooLarge: 1009
        default: 1002
        }
    }
}

extension WebSocketReader.Violation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .text: "a WebSocket text frame; MQTT comes in binary frames"
        case .unmasked: "a WebSocket frame without a mask"
        case .masked: "a WebSocket frame with a mask, which only clients use"
        case .reservedBits: "a WebSocket frame with reserved bits set"
        case .unknownOpcode(let opcode): "a WebSocket frame of the unknown kind \(opcode)"
        case .controlFrame: "a malformed WebSocket control frame"
        case .fragmentOrder: "WebSocket fragments out of order"
        case .lengthEncoding: "a WebSocket frame with a malformed length"
        case .tooLarge(let size): "a WebSocket frame of \(size) bytes"
        }
    }
}

/// The masking of WebSocket payload. [RFC 6455, 5.3]
package enum Masking {
    /// The key's lowest byte is for the byte at `start`.
    package static func apply(_ key: UInt32, to bytes: inout [UInt8], from start: Int) {
        var span = bytes.mutableSpan
        var index = start
        let wide = UInt64(key) | UInt64(key) << 32
        // Eight at a time: this runs over every byte that comes through a WebSocket.
        unsafe span.withUnsafeMutableBytes { raw in
            while index + 8 <= raw.count {
                let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe raw.storeBytes(of: word ^ UInt64(littleEndian: wide), toByteOffset: index, as: UInt64.self)
                index += 8
            }
        }
        while index < span.count {
            span[index] ^= UInt8(truncatingIfNeeded: key >> (UInt32((index - start) & 3) * 8))
            index += 1
        }
    }
}
