/// The checksums that serial protocols use, each by the name its users know.
///
/// The CRCs are computed bit by bit: frames are short and a table would cost more cache than it saves.
package enum Checksum {
    /// CRC-16 of Modbus RTU: polynomial 0xA001 reflected, start 0xFFFF.
    ///
    /// Sent low byte first.
    package static func modbus(_ bytes: Span<UInt8>) -> UInt16 {
        reflected(bytes, polynomial: 0xA001, start: 0xFFFF)
    }

    /// CRC-16/ARC of DSMR P1: polynomial 0xA001 reflected, start 0.
    ///
    /// Sent as four hex digits.
    package static func arc(_ bytes: Span<UInt8>) -> UInt16 {
        reflected(bytes, polynomial: 0xA001, start: 0)
    }

    /// CRC-16/ARC, one byte further: for checking a stream as it arrives.
    package static func arc(_ crc: UInt16, adding byte: UInt8) -> UInt16 {
        step(crc, byte, polynomial: 0xA001)
    }

    /// CRC-16/X-25 of SML: polynomial 0x8408 reflected, start 0xFFFF, inverted.
    ///
    /// Sent low byte first.
    package static func x25(_ bytes: Span<UInt8>) -> UInt16 {
        reflected(bytes, polynomial: 0x8408, start: 0xFFFF) ^ 0xFFFF
    }

    /// CRC-16/KERMIT of Holley's SML: polynomial 0x8408 reflected, start 0.
    ///
    /// Sent low byte first.
    package static func kermit(_ bytes: Span<UInt8>) -> UInt16 {
        reflected(bytes, polynomial: 0x8408, start: 0)
    }

    private static func reflected(_ bytes: Span<UInt8>, polynomial: UInt16, start: UInt16) -> UInt16 {
        var crc = start
        for index in bytes.indices {
            crc = step(crc, bytes[index], polynomial: polynomial)
        }
        return crc
    }

    private static func step(_ crc: UInt16, _ byte: UInt8, polynomial: UInt16) -> UInt16 {
        var crc = crc ^ UInt16(byte)
        for _ in 0..<8 {
            crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1
        }
        return crc
    }
}
