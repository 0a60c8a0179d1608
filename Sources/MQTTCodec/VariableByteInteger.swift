import Bytes

/// MQTT's variable byte integer: seven bits a byte, low ones first. [MQTT 5, section 1.5.5]
package enum VariableByteInteger {
    package static let maximum = 268_435_455

    /// How many bytes `value` takes.
    @inlinable
    package static func size(_ value: Int) -> Int {
        value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
    }
}

extension [UInt8] {
    /// Appends a variable byte integer; `value` is at most `VariableByteInteger.maximum`.
    package mutating func append(variableByteInteger value: Int) {
        precondition(value >= 0 && value <= VariableByteInteger.maximum, "variable byte integer out of range")
        var rest = value
        repeat {
            let low = UInt8(truncatingIfNeeded: rest & 0x7F)
            rest >>= 7
            append(rest > 0 ? low | 0x80 : low)
        } while rest > 0
    }

    /// Appends a length of two bytes and the bytes; at most 65,535, which every caller has checked.
    package mutating func append(prefixed bytes: [UInt8]) {
        append(bigEndian: UInt16(clamping: bytes.count))
        append(contentsOf: bytes.prefix(Int(UInt16.max)))
    }
}

extension ByteReader {
    /// A variable byte integer; longer than four bytes or than needed is an error. [MQTT-1.5.5-1]
    package mutating func variableByteInteger() throws(DecodeError) -> Int {
        let start = offset
        var value = 0
        for position in 0..<4 {
            let byte = try byte()
            value |= Int(byte & 0x7F) << (7 * position)
            guard byte < 0x80 else { continue }
            if position > 0, byte == 0 { throw DecodeError(.variableLengthNotMinimal, at: start) }
            return value
        }
        throw DecodeError(.remainingLengthTooLong, at: start)
    }

    package mutating func byte() throws(DecodeError) -> UInt8 {
        do { return try uint8() } catch { throw DecodeError(.endsEarly, at: error.offset) }
    }

    package mutating func twoBytes() throws(DecodeError) -> UInt16 {
        do { return try uint16() } catch { throw DecodeError(.endsEarly, at: error.offset) }
    }

    package mutating func fourBytes() throws(DecodeError) -> UInt32 {
        do { return try uint32() } catch { throw DecodeError(.endsEarly, at: error.offset) }
    }

    @_lifetime(self: copy self)
    package mutating func range(_ count: Int) throws(DecodeError) -> Range<Int> {
        do { return try skip(count) } catch { throw DecodeError(.endsEarly, at: error.offset) }
    }

    /// Where the two-byte-length-prefixed bytes that come next are.
    package mutating func prefixedRange() throws(DecodeError) -> Range<Int> {
        try range(Int(twoBytes()))
    }

    /// A packet identifier, which is never 0. [MQTT-2.3.1-1] [MQTT-2.2.1-3]
    package mutating func packetID() throws(DecodeError) -> UInt16 {
        let start = offset
        let id = try twoBytes()
        guard id != 0 else { throw DecodeError(.packetIDZero, at: start) }
        return id
    }
}
