import Testing

@testable import Hashing

@Suite struct HashFunctionTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // FIPS 180-4, examples of NIST.
    @Test func `hashes are those of the standard`() {
        #expect(
            hex(HashFunction.sha256.digest([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hex(HashFunction.sha256.digest(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex(HashFunction.sha256.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            hex(HashFunction.sha512.digest(Array("abc".utf8)))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    }

    // RFC 4231, test cases 2 and 6 (a key longer than a block).
    @Test func `keyed hashes are those of RFC 4231`() {
        let data = Array("what do ya want for nothing?".utf8)
        #expect(
            hex(HashFunction.sha256.authenticationCode(of: data, key: Array("Jefe".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            hex(HashFunction.sha512.authenticationCode(of: data, key: Array("Jefe".utf8)))
                == "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
        let long = [UInt8](repeating: 0xAA, count: 131)
        #expect(
            hex(
                HashFunction.sha256.authenticationCode(
                    of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8), key: long))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    // RFC 7914, section 11, first 32 bytes.
    @Test func `derived keys are those of RFC 7914`() {
        #expect(
            hex(HashFunction.sha256.derivedKey(from: Array("passwd".utf8), salt: Array("salt".utf8), iterations: 1))
                == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
        #expect(
            hex(
                HashFunction.sha256.derivedKey(
                    from: Array("Password".utf8), salt: Array("NaCl".utf8), iterations: 80_000))
                == "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56")
    }

    // Widely published vectors for PBKDF2-HMAC-SHA-512.
    @Test func `derived keys with SHA-512 are the published ones`() {
        #expect(
            hex(HashFunction.sha512.derivedKey(from: Array("password".utf8), salt: Array("salt".utf8), iterations: 1))
                == "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"
                + "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce")
        #expect(
            hex(
                HashFunction.sha512.derivedKey(from: Array("password".utf8), salt: Array("salt".utf8), iterations: 4096)
            )
                == "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
                + "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5")
    }

    @Test func `empty passwords and salts are hashed like others`() {
        #expect(HashFunction.sha256.derivedKey(from: [], salt: [], iterations: 0).count == 32)
        #expect(HashFunction.sha256.authenticationCode(of: [], key: []).count == 32)
    }

    @Test func `secrets are equal when every byte is`() {
        #expect(Secret.isEqual([], []))
        #expect(Secret.isEqual([1, 2, 3], [1, 2, 3]))
        #expect(!Secret.isEqual([1, 2, 3], [1, 2, 4]))
        #expect(!Secret.isEqual([1, 2, 3], [1, 2]))
    }
}
