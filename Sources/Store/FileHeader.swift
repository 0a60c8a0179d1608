import Bytes

/// What stands at the front of each file, twice, so that one bad byte can't take it.
struct FileHeader: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        case segment = 1
        case snapshot = 2
    }

    enum Found: Equatable, Sendable {
        case header(FileHeader)
        case newer(version: Int)
        case none
    }

    private static let magic: UInt32 = 0x4D4C_4F47  // "MLOG"
    private static let version: UInt8 = 1
    private static let copyLength = 32
    /// Where the first frame begins.
    static let length = 2 * copyLength

    var kind: Kind
    var number: UInt32
    /// The same in all files of a log, and known to nobody else: bytes that only look like a frame don't have its sums.
    var salt: UInt64
    /// The segment before, and where its committed bytes end; 0 where that is not known.
    ///
    /// Files between it and this one were given up with nothing committed.
    var previous: UInt32 = 0
    var previousEnd: UInt32 = 0

    /// What the sums of this file's frames begin with.
    var seed: CRC32C { Self.seed(salt: salt, number: number, kind) }

    static func seed(salt: UInt64, number: UInt32, _ kind: Kind) -> CRC32C {
        var sum = CRC32C()
        sum.add(salt)
        sum.add(UInt64(number) << 8 | UInt64(kind.rawValue))
        return sum
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: Self.magic)
        bytes += [Self.version, kind.rawValue, 0, 0]
        for word in [number, previous, previousEnd, UInt32(salt >> 32), UInt32(truncatingIfNeeded: salt)] {
            bytes.append(bigEndian: word)
        }
        bytes.append(bigEndian: CRC32C.of(bytes.span))
        return bytes + bytes
    }

    /// The first copy that is whole.
    static func read(_ bytes: [UInt8]) -> Found {
        for start in [0, copyLength] where bytes.count >= start + copyLength {
            let copy = Array(bytes[start..<start + copyLength])
            let found = (try? parse(copy.span)) ?? .none
            if found != .none { return found }
        }
        return .none
    }

    private static func parse(_ copy: Span<UInt8>) throws(EndOfBytes) -> Found {
        var reader = ByteReader(copy)
        guard try reader.uint32() == magic else { return .none }
        let (version, kind) = (try reader.uint8(), try reader.uint8())
        _ = try reader.skip(2)
        let (number, previous, previousEnd) = (try reader.uint32(), try reader.uint32(), try reader.uint32())
        let salt = UInt64(try reader.uint32()) << 32 | UInt64(try reader.uint32())
        let place = reader.offset
        guard try reader.uint32() == CRC32C.of(copy.extracting(0..<place)) else { return .none }
        guard version == self.version else { return .newer(version: Int(version)) }
        guard let kind = Kind(rawValue: kind) else { return .none }
        return .header(
            FileHeader(kind: kind, number: number, salt: salt, previous: previous, previousEnd: previousEnd))
    }
}
