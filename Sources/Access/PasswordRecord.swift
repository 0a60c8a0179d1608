import Hashing

/// How a password is kept in a file: salted and hashed, so that the file does not tell it.
package enum PasswordRecord: Equatable, Sendable {
    /// What `martlet passwd` writes: one record for plain passwords and for SCRAM-SHA-256.
    case scram(ScramCredentials)
    /// mosquitto's `$7$`: PBKDF2 with SHA-512.
    case derived(iterations: Int, salt: [UInt8], key: [UInt8])
    /// mosquitto's `$6$`, before its version 2: SHA-512 of password and salt, once.
    case hashed(salt: [UInt8], digest: [UInt8])

    /// More iterations than anybody waits for; a file that asks for more would stop all logins.
    package static let iterationLimit = 10_000_000

    /// Whether this is the password; takes the time of the record's iterations.
    package func matches(_ password: [UInt8]) -> Bool {
        switch self {
        case .scram(let credentials): credentials.matches(password)
        case .derived(let iterations, let salt, let key):
            Secret.isEqual(HashFunction.sha512.derivedKey(from: password, salt: salt, iterations: iterations), key)
        case .hashed(let salt, let digest): Secret.isEqual(HashFunction.sha512.digest(password + salt), digest)
        }
    }
}

extension PasswordRecord {
    /// Why a record can't be read, and what to do.
    package struct Complaint: Error, Equatable, Sendable {
        package var message: String
        package var hint: String
    }

    /// Reads a record as it stands in a file, behind the user's name.
    package init(_ text: Substring) throws(Complaint) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        switch (parts.count, parts[0], parts.count > 1 ? parts[1] : "") {
        case (3, "SCRAM-SHA-256", _): self = .scram(try ScramCredentials(parts))
        case (5, "", "7"):
            let iterations = try Self.iterations(parts[2])
            let (salt, key) = try Self.pair(parts[3], parts[4])
            self = .derived(iterations: iterations, salt: salt, key: key)
        case (4, "", "6"):
            let (salt, digest) = try Self.pair(parts[2], parts[3])
            self = .hashed(salt: salt, digest: digest)
        default: throw Self.unknown(parts)
        }
    }

    static func iterations(_ text: String) throws(Complaint) -> Int {
        guard let count = Int(text), (1...iterationLimit).contains(count) else {
            throw Complaint(
                message: "the number of iterations is not between 1 and \(iterationLimit)", hint: Self.again)
        }
        return count
    }

    /// Salt and SHA-512 hash in Base64.
    private static func pair(_ salt: String, _ hash: String) throws(Complaint) -> ([UInt8], [UInt8]) {
        guard let salt = Base64.bytes(salt), let hash = Base64.bytes(hash), hash.count == 64 else {
            throw Complaint(message: "the password record is damaged", hint: Self.again)
        }
        return (salt, hash)
    }

    static let again = "set the password again: martlet passwd FILE USER"

    private static func unknown(_ parts: [String]) -> Complaint {
        if parts.count > 2, parts[0].isEmpty {
            return Complaint(
                message: "passwords of the kind '$\(parts[1])$' can't be read", hint: Self.again)
        }
        return Complaint(
            message: "what follows the name is no password record",
            hint: "passwords don't stand here as they are: \(Self.again), or mosquitto_passwd -U FILE")
    }
}

extension PasswordRecord: CustomStringConvertible {
    /// As it stands in a file.
    package var description: String {
        switch self {
        case .scram(let credentials): credentials.description
        case .derived(let iterations, let salt, let key):
            "$7$\(iterations)$\(Base64.text(salt))$\(Base64.text(key))"
        case .hashed(let salt, let digest): "$6$\(Base64.text(salt))$\(Base64.text(digest))"
        }
    }
}
