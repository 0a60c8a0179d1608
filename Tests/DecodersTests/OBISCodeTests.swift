import Decoders
import Testing

@Suite struct OBISCodeTests {
    @Test(arguments: ["1-0:1.8.1", "0-0:96.14.0", "255-255:255.255.255"])
    func `a code reads and prints the same`(text: String) throws {
        #expect(try #require(OBISCode(text)).description == text)
    }

    @Test func `the storage number is left out`() {
        #expect(OBISCode("1-0:1.8.0*255") == OBISCode(1, 0, 1, 8, 0))
    }

    @Test(arguments: [
        "", "1", "1-0", "1-0:1.8", "1-0:1.8.", "1-0:1.8.256", "1:0-1.8.0", "1-0:1.8.0.0", "1-0:1.8.0*", "a-0:1.8.0",
        "-1-0:1.8.0", "1-0:1.8.0*1*1",
    ])
    func `anything else is no code`(text: String) {
        #expect(OBISCode(text) == nil)
    }
}
