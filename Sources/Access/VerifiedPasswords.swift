import Hashing

/// Passwords that were right a moment ago, so that a thousand clients that come back at once need no hashing.
///
/// Neither password nor record is in it, only a keyed hash of both together with the user's name; the key is made
/// anew at each start, and never leaves the process.
package struct VerifiedPasswords: Sendable {
    private let key: [UInt8]
    private var codes: [[UInt8]: [UInt8]] = [:]

    package init(key: [UInt8]) {
        self.key = key
    }

    /// Whether this user logged in with this password while it had this record.
    package func contains(_ user: [UInt8], _ password: [UInt8], _ record: PasswordRecord) -> Bool {
        guard let code = codes[user] else { return false }
        return Secret.isEqual(code, self.code(user, password, record))
    }

    package mutating func add(_ user: [UInt8], _ password: [UInt8], _ record: PasswordRecord) {
        codes[user] = code(user, password, record)
    }

    package mutating func removeAll() {
        codes = [:]
    }

    /// Lengths stand before each part, so that no two different triples are one text.
    private func code(_ user: [UInt8], _ password: [UInt8], _ record: PasswordRecord) -> [UInt8] {
        let sizes = "\(user.count):\(password.count):\(record):"
        return HashFunction.sha256.authenticationCode(of: Array(sizes.utf8) + user + password, key: key)
    }
}
