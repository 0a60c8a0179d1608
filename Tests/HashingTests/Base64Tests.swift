import Testing

@testable import Hashing

@Suite struct Base64Tests {
    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `texts are those of RFC 4648, both ways`(plain: String, text: String) {
        #expect(Base64.text(Array(plain.utf8)) == text)
        #expect(Base64.bytes(text) == Array(plain.utf8))
    }

    @Test func `every byte survives`() {
        let all = (0...255).map { UInt8($0) }
        #expect(Base64.bytes(Base64.encoded(all)) == all)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zm9v!mFy", "Zg==Zg==", "Zm 9", "===="])
    func `what is no Base64 is not read`(text: String) {
        #expect(Base64.bytes(text) == nil)
    }
}
