import Hashing

/// What a server keeps of a password for SCRAM-SHA-256; plain passwords are checked against it as well.
/// [RFC 5802, section 3]
package struct ScramCredentials: Equatable, Sendable {
    /// A compromise between guessing and logging in: both cost the board the same work.
    package static let usualIterations = 25_000
    package static let saltLength = 16

    package var iterations: Int
    package var salt: [UInt8]
    package var storedKey: [UInt8]
    package var serverKey: [UInt8]

    package init(password: [UInt8], salt: [UInt8], iterations: Int = usualIterations) {
        let salted = HashFunction.sha256.derivedKey(from: password, salt: salt, iterations: iterations)
        self.iterations = iterations
        self.salt = salt
        storedKey = HashFunction.sha256.digest(Self.clientKey(salted))
        serverKey = HashFunction.sha256.authenticationCode(of: Array("Server Key".utf8), key: salted)
    }

    /// Credentials that no password has, always the same for one user: who asks for an unknown user gets no other
    /// answer than for a known one.
    package init(decoyFor user: [UInt8], secret: [UInt8], iterations: Int = usualIterations) {
        let code = HashFunction.sha512.authenticationCode(of: user, key: secret)
        self.iterations = iterations
        salt = Array(code[..<Self.saltLength])
        storedKey = Array(code[32...])
        serverKey = HashFunction.sha256.digest(code)
    }

    private static func clientKey(_ salted: [UInt8]) -> [UInt8] {
        HashFunction.sha256.authenticationCode(of: Array("Client Key".utf8), key: salted)
    }

    package func matches(_ password: [UInt8]) -> Bool {
        let salted = HashFunction.sha256.derivedKey(from: password, salt: salt, iterations: iterations)
        return Secret.isEqual(HashFunction.sha256.digest(Self.clientKey(salted)), storedKey)
    }
}

extension ScramCredentials: CustomStringConvertible {
    /// `SCRAM-SHA-256$25000:salt$StoredKey:ServerKey`, a form that PostgreSQL writes too.
    package var description: String {
        "SCRAM-SHA-256$\(iterations):\(Base64.text(salt))$\(Base64.text(storedKey)):\(Base64.text(serverKey))"
    }

    /// Reads the three parts between the dollar signs.
    init(_ parts: [String]) throws(PasswordRecord.Complaint) {
        let work = parts[1].split(separator: ":")
        let keys = parts[2].split(separator: ":")
        guard work.count == 2, keys.count == 2, let salt = Base64.bytes(work[1]), !salt.isEmpty,
            let stored = Base64.bytes(keys[0]), stored.count == 32,
            let server = Base64.bytes(keys[1]), server.count == 32
        else {
            throw PasswordRecord.Complaint(message: "the password record is damaged", hint: PasswordRecord.again)
        }
        iterations = try PasswordRecord.iterations(String(work[0]))
        self.salt = salt
        storedKey = stored
        serverKey = server
    }
}
