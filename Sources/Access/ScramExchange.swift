import Hashing

/// The server's side of one SCRAM-SHA-256 exchange: the client proves that it knows the password, the server that
/// it has the record, and neither tells. [RFC 5802] [RFC 7677]
package struct ScramExchange: Equatable, Sendable {
    package static let method = Array("SCRAM-SHA-256".utf8)

    package let user: [UInt8]
    /// What the client must answer.
    package let challenge: [UInt8]
    private let credentials: ScramCredentials
    private let isKnown: Bool
    /// The client's header in Base64, which it must repeat.
    private let binding: [UInt8]
    private let nonce: [UInt8]
    private let clientFirst: [UInt8]

    /// Reads the client's first message; `serverNonce` is printable and new each time.
    ///
    /// `find` knows the users' credentials; an unknown user gets a challenge like all others, which nobody solves.
    /// Nil if the message can't be read or wants more than we have.
    package init?(
        _ message: [UInt8], serverNonce: [UInt8], secret: [UInt8], find: ([UInt8]) -> ScramCredentials?
    ) {
        guard let first = ClientFirst(message) else { return nil }
        user = first.user
        binding = Base64.encoded(first.header)
        clientFirst = first.bare
        nonce = first.nonce + serverNonce
        let found = find(first.user)
        isKnown = found != nil
        credentials = found ?? ScramCredentials(decoyFor: first.user, secret: secret)
        challenge =
            Array("r=".utf8) + nonce + Array(",s=".utf8) + Base64.encoded(credentials.salt)
            + Array(",i=\(credentials.iterations)".utf8)
    }

    /// Reads the client's answer: what proves the server to the client, or nil if the client has not proven itself.
    package func answer(_ message: [UInt8]) -> [UInt8]? {
        guard let (withoutProof, proof) = parts(of: message), proof.count == 32 else { return nil }
        let comma = Array(",".utf8)
        let signed = clientFirst + comma + challenge + comma + withoutProof
        let signature = HashFunction.sha256.authenticationCode(of: signed, key: credentials.storedKey)
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        let isRight = Secret.isEqual(HashFunction.sha256.digest(clientKey), credentials.storedKey)
        guard isRight, isKnown else { return nil }
        return Array("v=".utf8)
            + Base64.encoded(HashFunction.sha256.authenticationCode(of: signed, key: credentials.serverKey))
    }

    /// The final message up to its proof, and the proof; nil unless header and nonce are those of the beginning.
    private func parts(of message: [UInt8]) -> (withoutProof: [UInt8], proof: [UInt8])? {
        let start = Array("c=".utf8) + binding + Array(",r=".utf8) + nonce
        guard message.starts(with: start), let comma = message.lastIndex(of: UInt8(ascii: ",")) else { return nil }
        // After the nonce come extensions, or at once the proof.
        guard comma == start.count || comma > start.count && message[start.count] == UInt8(ascii: ",") else {
            return nil
        }
        let last = message[(comma + 1)...]
        guard last.starts(with: Array("p=".utf8)), let proof = Base64.bytes(Array(last.dropFirst(2))) else {
            return nil
        }
        return (Array(message[..<comma]), proof)
    }
}

/// The client's first message, taken apart. [RFC 5802, section 7]
private struct ClientFirst {
    var header: [UInt8]
    var bare: [UInt8]
    var user: [UInt8]
    var nonce: [UInt8]

    init?(_ message: [UInt8]) {
        let comma = UInt8(ascii: ",")
        let parts = message.split(separator: comma, maxSplits: 2, omittingEmptySubsequences: false)
        // No channel binding: `n`, or `y` from a client that could. Acting for somebody else is not offered.
        guard parts.count == 3, parts[0].elementsEqual("n".utf8) || parts[0].elementsEqual("y".utf8),
            parts[1].isEmpty
        else { return nil }
        header = Array(message[..<parts[2].startIndex])
        bare = Array(parts[2])
        let fields = bare.split(separator: comma, omittingEmptySubsequences: false)
        guard fields.count >= 2, fields[0].starts(with: "n=".utf8), fields[1].starts(with: "r=".utf8) else {
            return nil
        }
        nonce = Array(fields[1].dropFirst(2))
        guard (1...256).contains(nonce.count), nonce.allSatisfy({ (0x21...0x7E).contains($0) }),
            let user = Self.name(fields[0].dropFirst(2))
        else { return nil }
        self.user = user
    }

    /// A name with its `=2C` and `=3D` undone; nil if it is empty or has another `=`.
    private static func name(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var name: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                name.append(byte)
                continue
            }
            let code = rest.prefix(2)
            guard code.elementsEqual("2C".utf8) || code.elementsEqual("3D".utf8) else { return nil }
            name.append(code.elementsEqual("2C".utf8) ? UInt8(ascii: ",") : UInt8(ascii: "="))
            rest = rest.dropFirst(2)
        }
        return name.isEmpty ? nil : name
    }
}
