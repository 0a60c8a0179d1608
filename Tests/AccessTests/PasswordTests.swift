import Hashing
import Testing

@testable import Access

/// Written by mosquitto_passwd 2.0.11 for the password `correct horse`.
private let derived =
    "$7$101$7gDhdEUx8q67tIGK$iKZ7rDPmExPpz3OkObgY/XVsSbCn/OcZ4kuUDK4seVrz/GA67QG8HY/tVmoYgp+G7lrL3Uihok9yjawFy8Ss5Q=="
/// SHA-512 of `secret` and `saltsaltsalt`, as mosquitto 1.6 wrote it.
private let hashed =
    "$6$c2FsdHNhbHRzYWx0$3aiBbchfIZo+1WYrkPzJjQxZ79F/NmwLQ+wF073kTd+6ANhaic8G/jWF/X4sqSFUKpLNdm1FZjBck6HQ8knM3A=="

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct PasswordRecordTests {
    @Test func `mosquitto's records are read as they are`() throws {
        #expect(try PasswordRecord(Substring(derived)).matches(bytes("correct horse")))
        #expect(try !PasswordRecord(Substring(derived)).matches(bytes("correct horsf")))
        #expect(try PasswordRecord(Substring(hashed)).matches(bytes("secret")))
        #expect(try !PasswordRecord(Substring(hashed)).matches(bytes("")))
    }

    @Test func `our own record survives the file`() throws {
        let credentials = ScramCredentials(password: bytes("päss"), salt: Array(0..<16), iterations: 1000)
        let record = PasswordRecord.scram(credentials)
        #expect(record.matches(bytes("päss")))
        #expect(!record.matches(bytes("pass")))
        #expect(try PasswordRecord(Substring(record.description)) == record)
        #expect(try PasswordRecord(Substring(derived)).description == derived)
        #expect(try PasswordRecord(Substring(hashed)).description == hashed)
    }

    // The server's keys in RFC 7677's example, computed apart with Python's hashlib.
    @Test func `keys are those of the standard`() {
        let credentials = ScramCredentials(
            password: bytes("pencil"), salt: Base64.bytes("W22ZaJ0SNY7soEsUEjb6gQ==") ?? [], iterations: 4096)
        #expect(Base64.text(credentials.storedKey) == "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=")
        #expect(Base64.text(credentials.serverKey) == "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
    }

    @Test(arguments: [
        "", "secret", "$7$", "$7$0$AAAA$AAAA", "$7$101$AAAA$AAAA", "$7$99999999999$7gDh$iKZ7", "$6$AAAA$x",
        "$argon2id$v=19$m=1,t=1,p=1$abc$def", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$4096$AAAA:AAAA",
        "$7$101$7gDhdEUx8q67tIGK$iKZ7rDPmExPpz3OkObgY$", "$$$$$$$$$$$",
    ])
    func `a record that makes no sense is refused with what to do`(text: String) {
        let complaint = #expect(throws: PasswordRecord.Complaint.self) { try PasswordRecord(Substring(text)) }
        #expect(complaint?.hint.contains("martlet passwd") == true)
        // What stands there may be a password.
        #expect(text.count < 6 || complaint?.message.contains("secret") == false)
    }
}

@Suite struct PasswordFileTests {
    @Test func `a bad line is told of and the others count`() {
        let file = PasswordFile(
            "# users\nanna:\(derived)\r\n\nbert:plain\n:x\nno colon\ncarl:\(hashed)  \nanna:\(hashed)")
        #expect(file.users.keys.map { String(decoding: $0, as: UTF8.self) }.sorted() == ["anna", "carl"])
        #expect(file.problems.map(\.line) == [4, 5, 6, 8])
        #expect(file.problems[0].message == "'bert' can't log in: what follows the name is no password record")
        #expect(file.users[bytes("anna")]?.matches(bytes("correct horse")) == true)
    }

    @Test func `changing a user leaves all other lines as they are`() throws {
        var file = PasswordFile("# users\nanna:plain\n\ncarl:\(hashed)\n")
        let record = try PasswordRecord(Substring(derived))
        let (existed, existedToo) = (file.set("anna", record), file.set("dora", record))
        #expect(existed)
        #expect(!existedToo)
        #expect(file.text == "# users\nanna:\(derived)\n\ncarl:\(hashed)\ndora:\(derived)\n")
        let (wasThere, isThere) = (file.remove("carl"), file.remove("carl"))
        #expect(wasThere)
        #expect(!isThere)
        #expect(PasswordFile(file.text).users.count == 2)
    }

    @Test func `names are bytes`() throws {
        // The same letters for a person, composed and decomposed.
        var file = PasswordFile("")
        let record = try PasswordRecord(Substring(derived))
        file.set("caf\u{E9}", record)
        file.set("cafe\u{301}", record)
        #expect(PasswordFile(file.text).users.count == 2)
    }

    @Test(arguments: ["", "a:b", "#a", "a\nb", " a", "a ", "a\u{7F}", String(repeating: "a", count: 257)])
    func `a name that the file can't hold is refused`(user: String) {
        #expect(PasswordFile.objection(to: user) != nil)
    }

    @Test func `usual names are allowed`() {
        #expect(PasswordFile.objection(to: "anna") == nil)
        #expect(PasswordFile.objection(to: "meter 7/β@home") == nil)
    }

    @Test func `mutilated files never do worse than leave users out`() {
        var random: UInt64 = 42
        let original = Array("anna:\(derived)\ncarl:\(hashed)\n".utf8)
        for _ in 0..<2_000 {
            var text = original
            for _ in 0..<3 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text[Int(random >> 33) % text.count] = UInt8(truncatingIfNeeded: random >> 17)
            }
            #expect(PasswordFile(String(decoding: text, as: UTF8.self)).users.count <= 4)
        }
    }
}

@Suite struct VerifiedPasswordsTests {
    @Test func `only the same user, password and record are found again`() throws {
        let first = try PasswordRecord(Substring(derived))
        let second = try PasswordRecord(Substring(hashed))
        var verified = VerifiedPasswords(key: [1, 2, 3])
        verified.add(bytes("anna"), bytes("secret"), first)
        #expect(verified.contains(bytes("anna"), bytes("secret"), first))
        #expect(!verified.contains(bytes("anna"), bytes("secret"), second))
        #expect(!verified.contains(bytes("anna"), bytes("secreT"), first))
        #expect(!verified.contains(bytes("annas"), bytes("ecret"), first))
        #expect(!verified.contains(bytes("bert"), bytes("secret"), first))
        verified.removeAll()
        #expect(!verified.contains(bytes("anna"), bytes("secret"), first))
    }
}
