import Access
import Bytes
import Hashing
import MQTTCodec

/// A user whose name is proven, and by what.
struct ProvenUser: Equatable {
    var name: [UInt8]
    /// The record that the password fitted; nil where a certificate names the user.
    var record: PasswordRecord?
}

/// A password to be checked, which takes long on purpose: for a thread that may take long.
package struct PasswordCheck: Sendable {
    package let id: ConnectionID
    let record: PasswordRecord
    let password: [UInt8]

    /// Whether the password is right.
    package func run() -> Bool { record.matches(password) }
}

/// The clients between CONNECT and CONNACK, and what is remembered of those that tried before.
///
/// Passwords are checked one after the other: however many guess at once, no more than one processor works on it,
/// and those who guess too often are sent away before their guess costs anything.
struct Logins {
    /// A longer password is nobody's; hashing it would cost the loop time.
    static let longestPassword = 4096
    /// Beyond this most clients have given up.
    static let longestWait: Duration = .seconds(60)

    /// A CONNECT whose password waits to be checked.
    struct Waiting {
        var connect: Connect
        var user: [UInt8]
        var password: [UInt8]
        /// Nobody's where the user is unknown, so that the answer takes as long as for a known one.
        var record: PasswordRecord
        var isKnown: Bool
        var since: MonotonicTime
    }

    /// The check that the thread works on; kept apart from the connection, which may go meanwhile.
    struct UnderWay {
        var id: ConnectionID
        var address: String
        var login: Waiting
    }

    /// An exchange of AUTH packets.
    struct Exchange {
        var scram: ScramExchange
        /// Nil where the client is connected and proves itself anew.
        var connect: Connect?
        /// Its record when the exchange began.
        var record: PasswordRecord?
    }

    var access = AccessSettings()
    var verified: VerifiedPasswords
    var brake = LoginBrake()
    var waiting: [Int32: Waiting] = [:]
    var queue = Ring<ConnectionID>()
    var underWay: UnderWay?
    var checks: [PasswordCheck] = []
    var exchanges: [Int32: Exchange] = [:]
    /// Known to nobody outside the process.
    let secret: [UInt8]
    private var nonces: UInt64 = 0

    init(seed: UInt64) {
        secret = HashFunction.sha512.digest(Self.bytes(of: seed))
        verified = VerifiedPasswords(key: secret)
    }

    private static func bytes(of number: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// Text that was never said before and that nobody can foretell.
    mutating func nonce() -> [UInt8] {
        nonces += 1
        let code = HashFunction.sha256.authenticationCode(of: Self.bytes(of: nonces), key: secret)
        return Base64.encoded(Array(code.prefix(18)))
    }

    /// Nobody's record, for a user who does not exist.
    func decoy(for user: [UInt8]) -> PasswordRecord {
        .scram(ScramCredentials(decoyFor: user, secret: secret))
    }

    /// The connection is gone.
    mutating func forget(_ index: Int) {
        guard !waiting.isEmpty || !exchanges.isEmpty else { return }
        waiting[Int32(clamping: index)] = nil
        exchanges[Int32(clamping: index)] = nil
    }
}
