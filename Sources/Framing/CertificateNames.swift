import Bytes

/// The names that an X.509 certificate gives its owner, by RFC 5280.
///
/// Only for certificates whose signature was verified: nothing but the names is looked at here. A name counts if it is
/// readable text without control characters, so that no cut-off name is taken for another one.
package struct CertificateNames: Equatable, Sendable {
    package struct Malformed: Error, Equatable, Sendable {}

    /// The common name of the subject; nil if there is none, or more than one.
    package private(set) var commonName: [UInt8]?
    /// E-mail addresses, DNS names and URIs among the subject's alternative names, in their order.
    package private(set) var alternativeNames: [[UInt8]] = []

    private static let commonNameID: [UInt8] = [0x55, 0x04, 0x03]
    private static let alternativeNameID: [UInt8] = [0x55, 0x1D, 0x11]

    /// Reads a certificate in DER form.
    package init(_ certificate: Span<UInt8>) throws(Malformed) {
        var outermost = DERReader(certificate)
        var signed = DERReader(certificate, try outermost.element(.sequence))
        var body = DERReader(certificate, try signed.element(.sequence))
        _ = try body.optionalElement(.context(0, isConstructed: true))  // version
        _ = try body.element(.integer)  // serial number
        _ = try body.element(.sequence)  // signature algorithm
        _ = try body.element(.sequence)  // issuer
        _ = try body.element(.sequence)  // validity
        try readSubject(certificate, try body.element(.sequence))
        _ = try body.element(.sequence)  // public key
        _ = try body.optionalElement(.context(1, isConstructed: false))
        _ = try body.optionalElement(.context(2, isConstructed: false))
        guard let extensions = try body.optionalElement(.context(3, isConstructed: true)) else { return }
        try readExtensions(certificate, extensions)
    }

    private mutating func readSubject(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Malformed) {
        var names = DERReader(bytes, range)
        var found = 0
        while !names.isAtEnd {
            var set = DERReader(bytes, try names.element(.set))
            while !set.isAtEnd {
                var attribute = DERReader(bytes, try set.element(.sequence))
                let kind = [UInt8](copying: bytes, try attribute.element(.objectIdentifier))
                let (tag, value) = try attribute.anyElement()
                guard kind == Self.commonNameID else { continue }
                found += 1
                commonName = tag.isText ? Self.readable(bytes, value) : nil
            }
        }
        if found > 1 { commonName = nil }
    }

    private mutating func readExtensions(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Malformed) {
        var outer = DERReader(bytes, range)
        var extensions = DERReader(bytes, try outer.element(.sequence))
        while !extensions.isAtEnd {
            var each = DERReader(bytes, try extensions.element(.sequence))
            let kind = [UInt8](copying: bytes, try each.element(.objectIdentifier))
            _ = try each.optionalElement(.boolean)
            let value = try each.element(.octetString)
            guard kind == Self.alternativeNameID else { continue }
            var holder = DERReader(bytes, value)
            var names = DERReader(bytes, try holder.element(.sequence))
            while !names.isAtEnd {
                let (tag, name) = try names.anyElement()
                guard tag.isNameInAlternatives, let text = Self.readable(bytes, name) else { continue }
                alternativeNames.append(text)
            }
        }
    }

    private static func readable(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        let text = [UInt8](copying: bytes, range)
        guard !text.isEmpty, text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: text, as: UTF8.self) == nil ? nil : text
    }
}

/// Steps over DER elements, each access checked; lengths are definite and in four bytes at most. [X.690, 8.1]
private struct DERReader: ~Escapable {
    struct Tag: Equatable {
        var byte: UInt8

        static let boolean = Tag(byte: 0x01)
        static let integer = Tag(byte: 0x02)
        static let octetString = Tag(byte: 0x04)
        static let objectIdentifier = Tag(byte: 0x06)
        static let sequence = Tag(byte: 0x30)
        static let set = Tag(byte: 0x31)

        static func context(_ number: UInt8, isConstructed: Bool) -> Tag {
            Tag(byte: 0x80 | (isConstructed ? 0x20 : 0) | number)
        }

        /// UTF8String, PrintableString, IA5String; what an old or wide encoding says may read differently elsewhere.
        var isText: Bool { byte == 0x0C || byte == 0x13 || byte == 0x16 }

        /// An e-mail address, a DNS name or a URI. [RFC 5280, 4.2.1.6]
        var isNameInAlternatives: Bool { byte == 0x81 || byte == 0x82 || byte == 0x86 }
    }

    private let bytes: Span<UInt8>
    private var offset: Int
    private let end: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.init(bytes, 0..<bytes.count)
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset >= end }

    /// Where the content of the next element is; it must have the tag.
    @_lifetime(self: copy self)
    mutating func element(_ tag: Tag) throws(CertificateNames.Malformed) -> Range<Int> {
        let (found, content) = try anyElement()
        guard found == tag else { throw .init() }
        return content
    }

    @_lifetime(self: copy self)
    mutating func optionalElement(_ tag: Tag) throws(CertificateNames.Malformed) -> Range<Int>? {
        guard offset < end, bytes[offset] == tag.byte else { return nil }
        return try element(tag)
    }

    mutating func anyElement() throws(CertificateNames.Malformed) -> (Tag, Range<Int>) {
        let tag = Tag(byte: try next())
        // Tags of several bytes don't occur in what is read here.
        guard tag.byte & 0x1F != 0x1F else { throw .init() }
        var length = Int(try next())
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...4).contains(count) else { throw .init() }
            length = 0
            for _ in 0..<count { length = length << 8 | Int(try next()) }
        }
        guard length <= end - offset else { throw .init() }
        defer { offset += length }
        return (tag, offset..<offset + length)
    }

    private mutating func next() throws(CertificateNames.Malformed) -> UInt8 {
        guard offset < end else { throw .init() }
        defer { offset += 1 }
        return bytes[offset]
    }
}
