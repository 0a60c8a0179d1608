import Bytes
import Testing

@testable import Framing

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let v4: [UInt8] = [192, 0, 2, 7, 10, 0, 0, 1, 0xC3, 0x51, 0x07, 0x5B]

    private static func header(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    private static func source(_ bytes: [UInt8]) throws(ProxyHeader.Failure) -> ProxyHeader.Source {
        try ProxyHeader(bytes.span).source
    }

    @Test func `the client's IPv4 address and port are in it`() throws {
        #expect(try Self.source(Self.header(0x21, 0x11, Self.v4)) == .address([192, 0, 2, 7], port: 50_001))
    }

    @Test func `the client's IPv6 address and port are in it`() throws {
        let client: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]
        let body = client + [UInt8](repeating: 0, count: 16) + [0x00, 0x50, 0x07, 0x5B]
        #expect(try Self.source(Self.header(0x21, 0x21, body)) == .address(client, port: 80))
    }

    @Test func `additions behind the addresses are stepped over`() throws {
        let body = Self.v4 + [0x02, 0x00, 0x03, 0x61, 0x62, 0x63, 0x04, 0x00, 0x00]
        #expect(try Self.source(Self.header(0x21, 0x11, body)) == .address([192, 0, 2, 7], port: 50_001))
    }

    @Test func `a proxy's own connection, an unknown one and one of a Unix socket are told apart`() throws {
        #expect(try Self.source(Self.header(0x20, 0x00, [])) == .proxyItself)
        #expect(try Self.source(Self.header(0x20, 0x11, Self.v4)) == .proxyItself)
        #expect(try Self.source(Self.header(0x21, 0x00, [1, 2, 3])) == .unknown)
        #expect(try Self.source(Self.header(0x21, 0x31, [UInt8](repeating: 0, count: 216))) == .unknown)
    }

    private static let refused: [([UInt8], ProxyHeader.Failure)] = [
        (Array("PROXY TCP4 192.0.2.7".utf8), .versionOne),
        ([0x10, 0x0C], .noHeader),
        (header(0x11, 0x11, v4), .unknownVersion(1)),
        (header(0x22, 0x11, v4), .unknownCommand(2)),
        (header(0x21, 0x12, v4), .unknownFamily(0x12)),
        (header(0x21, 0x11, Array(v4.dropLast())), .tooShort(11)),
        (signature + [0x21, 0x11, 0x10, 0x00], .tooLong(4_112)),
    ]

    @Test(arguments: refused)
    func `what is no header is refused with its reason`(bytes: [UInt8], failure: ProxyHeader.Failure) {
        #expect(throws: failure) { try Self.source(bytes) }
        #expect(!failure.description.isEmpty)
    }

    @Test func `byte by byte, it asks for what is missing and for no byte more`() throws {
        let whole = Self.header(0x21, 0x11, Self.v4)
        for count in 0..<whole.count {
            let needed = try ProxyHeader.byteCount(Array(whole[..<count]).span)
            #expect(needed == (count < 16 ? 16 : whole.count))
        }
    }

    @Test func `mutated headers are read or refused, never more`() {
        var noise = Noise(seed: 1)
        let seeds = [Self.header(0x21, 0x11, Self.v4), Self.header(0x20, 0, []), Self.header(0x21, 0x31, Self.v4)]
        for round in 0..<20_000 {
            let bytes = noise.mutate(seeds[round % seeds.count])
            guard let count = try? ProxyHeader.byteCount(bytes.span) else { continue }
            #expect(count >= 16 && count <= ProxyHeader.longest)
            if case .address(let address, _) = try? Self.source(bytes) {
                #expect(address.count == 4 || address.count == 16)
            }
        }
    }
}
