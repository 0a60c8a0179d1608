import Access

/// What must hold for the readers of user names, proofs and password files.
enum AccessCheck {
    static let seeds: [[UInt8]] = [
        Array("n,,n=anna,r=fyko+d2lbbFgONRv9qkxdawL".utf8),
        Array("n,a=anna,n=an=2Cna=3D,r=x".utf8),
        Array(
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawLserver,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=".utf8),
        Array(
            """
            # users
            anna:$7$101$AAECAwQFBgcICQoL$\(String(repeating: "A", count: 86))==
            bob:$6$AAECAwQFBgcICQoL$\(String(repeating: "B", count: 86))==
            eve:SCRAM-SHA-256$25000:AAECAwQFBgcICQoLDA0ODw==$\(String(repeating: "A", count: 43))=:\
            \(String(repeating: "B", count: 43))=
            """.utf8),
        Array("192.0.2.0/24 2001:db8::/32".utf8),
    ]
    private static let credentials = ScramCredentials(password: [0x70], salt: Array(0..<16), iterations: 1)

    static func check(_ bytes: [UInt8]) throws(Finding) {
        let exchange = ScramExchange(bytes, serverNonce: Array("server".utf8), secret: [1]) { _ in credentials }
        if let exchange { try expect(exchange.answer(bytes) == nil, "a first message was taken for a proof") }
        let known = ScramExchange(seeds[0], serverNonce: Array("server".utf8), secret: [1]) { _ in credentials }
        try expect(known?.answer(bytes) == nil, "a proof was accepted that nobody can have made")
        let text = String(decoding: bytes, as: UTF8.self)
        let file = PasswordFile(text)
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.count
        try expect(file.users.count <= lines, "\(file.users.count) users in \(lines) lines")
        for part in text.split(separator: " ") { _ = AddressRange(String(part)) }
    }
}
