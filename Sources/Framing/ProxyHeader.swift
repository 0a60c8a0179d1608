import Bytes

/// What a load balancer says about a connection before its first byte: the PROXY protocol, version 2.
///
/// By section 2.2 of HAProxy's `proxy-protocol.txt`. A reader takes `byteCount` bytes and no more, and asks again.
package struct ProxyHeader: Equatable, Sendable {
    package enum Source: Equatable, Sendable {
        /// The proxy's own connection, such as a health check: it comes from where the socket says.
        case proxyItself
        /// The proxy does not know or does not say.
        case unknown
        /// Four or sixteen bytes, and the port.
        case address([UInt8], port: UInt16)
    }

    package enum Failure: Error, Equatable, Sendable {
        case noHeader
        case versionOne
        case unknownVersion(UInt8)
        case unknownCommand(UInt8)
        case unknownFamily(UInt8)
        /// The addresses need more bytes than the header says it has.
        case tooShort(Int)
        case tooLong(Int)
    }

    package static let fixedCount = 16
    /// Addresses take 216 bytes at most; the rest is for additions, which are stepped over.
    package static let longest = 4_096
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    package let source: Source

    /// How many bytes the header has, as far as `bytes` tell; wrong ones are refused at the first that is wrong.
    package static func byteCount(_ bytes: Span<UInt8>) throws(Failure) -> Int {
        for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
            throw bytes[0] == UInt8(ascii: "P") ? .versionOne : .noHeader
        }
        guard bytes.count >= fixedCount else { return fixedCount }
        guard bytes[12] >> 4 == 2 else { throw .unknownVersion(bytes[12] >> 4) }
        let count = fixedCount + Int(bytes[14]) << 8 + Int(bytes[15])
        guard count <= longest else { throw .tooLong(count) }
        return count
    }

    /// Reads a whole header.
    package init(_ bytes: Span<UInt8>) throws(Failure) {
        let count = try Self.byteCount(bytes)
        guard bytes.count == count else { throw .tooShort(bytes.count) }
        switch bytes[12] & 0x0F {
        case 0: source = .proxyItself
        case 1: source = try Self.address(bytes.extracting(Self.fixedCount..<count), family: bytes[13])
        case let command: throw .unknownCommand(command)
        }
    }

    private static func address(_ bytes: Span<UInt8>, family: UInt8) throws(Failure) -> Source {
        // Source address, destination address, source port, destination port; the ones of streams.
        switch family {
        case 0x11: return try address(bytes, of: 4)
        case 0x21: return try address(bytes, of: 16)
        case 0x00, 0x31: return .unknown
        default: throw .unknownFamily(family)
        }
    }

    private static func address(_ bytes: Span<UInt8>, of count: Int) throws(Failure) -> Source {
        var reader = ByteReader(bytes)
        do {
            let address = try reader.bytes(count)
            _ = try reader.skip(count)
            let port = try reader.uint16()
            _ = try reader.uint16()
            return .address(address, port: port)
        } catch {
            throw .tooShort(bytes.count)
        }
    }
}

extension ProxyHeader.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noHeader: "no PROXY header came first; this listener takes connections from a proxy only"
        case .versionOne: "a PROXY header of version 1; let the proxy send version 2"
        case .unknownVersion(let version): "a PROXY header of version \(version); only version 2 is known"
        case .unknownCommand(let command): "a PROXY header with the unknown command \(command)"
        case .unknownFamily(let family): "a PROXY header for another transport: \(Hex.text([family]))"
        case .tooShort(let count): "a PROXY header too short for its addresses: \(count) bytes"
        case .tooLong(let count): "a PROXY header of \(count) bytes; \(ProxyHeader.longest) are allowed"
        }
    }
}
