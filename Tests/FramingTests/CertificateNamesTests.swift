import Bytes
import Testing

@testable import Framing

@Suite struct CertificateNamesTests {
    /// One that openssl made.
    ///
    /// `openssl req -x509 -subj /O=Test/CN=panel-7 -addext subjectAltName=DNS:…,email:…,IP:…,URI:…`
    private static let certificate = """
        308201dc30820183a003020102021408b798dab79db833dd7c0370454191a70f6460ce300a06082a8648ce3d040302302131
        0d300b060355040a0c04546573743110300e06035504030c0770616e656c2d373020170d3236313132333039303233325a18
        0f32313236313033303039303233325a3021310d300b060355040a0c04546573743110300e06035504030c0770616e656c2d
        373059301306072a8648ce3d020106082a8648ce3d030107034200044c08d94fbcc3cf5245d3978c0eab3a1effd10aa2eee4
        b9baa83ab6e66a3293095a2b0b1eeaba32f08a041d15f458c32306b36653512eb509898d9b4d2e20ef4ba38196308193301d
        0603551d0e0416041484e93a18ab6c3003d5f63735101dfbdf02945caa301f0603551d2304183016801484e93a18ab6c3003
        d5f63735101dfbdf02945caa300f0603551d130101ff040530030101ff30400603551d1104393037820f70616e656c2d372e
        6578616d706c658110616e6e61406578616d706c652e6f72678704c0000201860c75726e3a6465766963653a37300a06082a
        8648ce3d040302034700304402200c6f43637bf0d9dcf1b1644bfac9ec5b75bdc1c0936c3dc683a29ae217f514ad02201b52
        5190c900f870f8a9da7bbcf439b42667ae5c6c5c87005623feb956277e17
        """

    private static func bytes() throws -> [UInt8] { try #require(Hex.bytes(certificate)) }

    private static func names(_ bytes: [UInt8]) throws(CertificateNames.Malformed) -> CertificateNames {
        try CertificateNames(bytes.span)
    }

    /// The certificate with one text in it replaced by one of the same length.
    private static func replacing(_ text: String, by other: [UInt8]) throws -> [UInt8] {
        var bytes = try bytes()
        let old = Array(text.utf8)
        // The subject's name comes last; the issuer's is the same here.
        let place = try #require(
            bytes.indices.dropLast(old.count).last { Array(bytes[$0..<$0 + old.count]) == old && bytes[$0 - 2] == 0x0C }
        )
        bytes.replaceSubrange(place..<place + old.count, with: other)
        return bytes
    }

    @Test func `the common name and the alternative names are found`() throws {
        let names = try Self.names(Self.bytes())
        #expect(names.commonName == Array("panel-7".utf8))
        #expect(
            names.alternativeNames.map { String(decoding: $0, as: UTF8.self) } == [
                "panel-7.example", "anna@example.org", "urn:device:7",
            ])
    }

    @Test(arguments: [Array("admin\0x".utf8), Array("admin\n1".utf8), [0xFF, 0xFE, 0x41, 0x42, 0x43, 0x44, 0x45]])
    func `a name that is no plain text is nobody's`(name: [UInt8]) throws {
        let names = try Self.names(Self.replacing("panel-7", by: name))
        #expect(names.commonName == nil)
    }

    @Test func `every cut is noticed`() throws {
        let bytes = try Self.bytes()
        for count in 0..<bytes.count {
            #expect(throws: CertificateNames.Malformed.self) { try Self.names(Array(bytes[..<count])) }
        }
    }

    @Test func `mutated certificates are read or refused`() throws {
        var noise = Noise(seed: 5)
        let bytes = try Self.bytes()
        var refused = 0
        for _ in 0..<20_000 where (try? Self.names(noise.mutate(bytes))) == nil { refused += 1 }
        #expect(refused > 1_000)
    }
}
