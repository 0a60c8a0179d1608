/// One element of an SML message. [BSI TR-03109-1, Smart Message Language, section 6.2]
indirect enum SMLElement: Equatable, Sendable {
    case octets([UInt8])
    case boolean(Bool)
    /// With the count of bytes that it was sent in.
    case integer(Int64, size: Int)
    case unsigned(UInt64)
    case list([SMLElement])
    /// An optional element that was left out.
    case absent
    case endOfMessage

    var list: [SMLElement]? { if case .list(let elements) = self { elements } else { nil } }
    var octets: [UInt8]? { if case .octets(let bytes) = self { bytes } else { nil } }

    /// As a whole number, where it is one.
    var number: Int64? {
        switch self {
        case .integer(let number, _): number
        case .unsigned(let number): Int64(exactly: number)
        default: nil
        }
    }
}

/// Reads elements one after the other.
struct SMLReader {
    /// Deeper than any message goes.
    private static let mostLevels = 8

    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index >= bytes.endIndex }

    /// Passes over zeros between messages.
    mutating func skipZeros() {
        while index < bytes.endIndex, bytes[index] == 0 { index += 1 }
    }

    /// The next element; nil if it is not whole or makes no sense.
    mutating func next(levels: Int = mostLevels) -> SMLElement? {
        guard levels > 0, let first = take() else { return nil }
        if first == 0 { return .endOfMessage }
        guard let (length, used) = length(first) else { return nil }
        if first & 0x70 == 0x70 { return list(length, levels - 1) }
        // The length counts its own bytes.
        guard length >= used, bytes.endIndex - index >= length - used else { return nil }
        let content = bytes[index..<index + length - used]
        index += content.count
        switch first & 0x70 {
        case 0x00: return content.isEmpty ? .absent : .octets(Array(content))
        case 0x40: return content.count == 1 ? .boolean(content.first != 0) : nil
        case 0x50: return integer(content)
        case 0x60: return unsigned(content).map { .unsigned($0) }
        default: return nil
        }
    }

    private mutating func take() -> UInt8? {
        guard index < bytes.endIndex else { return nil }
        defer { index += 1 }
        return bytes[index]
    }

    /// Four bits in each byte of the type and length field, as long as the highest bit says that another follows.
    private mutating func length(_ first: UInt8) -> (length: Int, used: Int)? {
        var (length, used, last) = (Int(first & 0x0F), 1, first)
        while last & 0x80 != 0 {
            guard used < 4, let next = take(), next & 0x70 == 0 else { return nil }
            length = length << 4 | Int(next & 0x0F)
            used += 1
            last = next
        }
        return (length, used)
    }

    private mutating func list(_ count: Int, _ levels: Int) -> SMLElement? {
        guard count <= bytes.endIndex - index else { return nil }
        var elements: [SMLElement] = []
        for _ in 0..<count {
            guard let element = next(levels: levels) else { return nil }
            elements.append(element)
        }
        return .list(elements)
    }

    private func unsigned(_ content: ArraySlice<UInt8>) -> UInt64? {
        guard (1...8).contains(content.count) else { return nil }
        return content.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Meters leave out leading bytes as they like: 3, 5, 6 and 7 bytes are common.
    private func integer(_ content: ArraySlice<UInt8>) -> SMLElement? {
        guard let bits = unsigned(content) else { return nil }
        let unused = Int64(64 - content.count * 8)
        return .integer(Int64(bitPattern: bits << UInt64(unused)) >> unused, size: content.count)
    }
}
