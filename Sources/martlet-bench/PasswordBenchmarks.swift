import Access
import Hashing

/// What a login costs whoever checks the password.
enum PasswordBenchmarks {
    private static let password = Array("correct horse battery staple".utf8)
    private static let salt = Array("sixteen bytes :)".utf8)

    static let all = [
        Benchmark(name: "passwords/ours, \(ScramCredentials.usualIterations) iterations", unit: unit) {
            effort throws(Discrepancy) in
            // With few iterations when only the working counts.
            let iterations = effort.count(ScramCredentials.usualIterations)
            return try check(.scram(ScramCredentials(password: password, salt: salt, iterations: iterations)))
        },
        Benchmark(name: "passwords/mosquitto's $7$, 101 iterations", unit: unit) { _ throws(Discrepancy) in
            let key = HashFunction.sha512.derivedKey(from: password, salt: salt, iterations: 101)
            return try check(.derived(iterations: 101, salt: salt, key: key))
        },
        Benchmark(name: "passwords/mosquitto's $6$", unit: unit) { effort throws(Discrepancy) in
            let digest = HashFunction.sha512.digest(password + salt)
            return try check(.hashed(salt: salt, digest: digest), times: effort.count(10_000))
        },
        Benchmark(name: "passwords/right a moment ago", unit: unit) { effort throws(Discrepancy) in
            try checkRemembered(times: effort.count(10_000))
        },
        Benchmark(name: "passwords/SCRAM-SHA-256, the broker's part", unit: unit) { effort throws(Discrepancy) in
            try exchange(times: effort.count(2_000))
        },
    ]

    private static var unit: Benchmark.Unit { .nanoseconds(per: "login") }

    private static func check(_ record: PasswordRecord, times: Int = 5) throws(Discrepancy) -> Sample {
        var right = 0
        let time = Stopwatch.measure {
            for _ in 0..<times where record.matches(password) { right += 1 }
        }
        try Discrepancy.check(right, is: times, "passwords found right")
        guard !record.matches(password + [1]) else { throw Discrepancy("a wrong password was found right") }
        return Sample(total: time, pieces: times)
    }

    private static func checkRemembered(times: Int) throws(Discrepancy) -> Sample {
        let record = PasswordRecord.scram(ScramCredentials(password: password, salt: salt, iterations: 1))
        let user = Array("anna".utf8)
        var verified = VerifiedPasswords(key: salt)
        verified.add(user, password, record)
        var right = 0
        let time = Stopwatch.measure {
            for _ in 0..<times where verified.contains(user, password, record) { right += 1 }
        }
        try Discrepancy.check(right, is: times, "passwords found right")
        return Sample(total: time, pieces: times)
    }

    /// The client does the iterations, the broker none.
    private static func exchange(times: Int) throws(Discrepancy) -> Sample {
        let credentials = ScramCredentials(password: password, salt: salt, iterations: 4_096)
        let first = Array("n,,n=anna,r=clientnonce".utf8)
        let final = try finalMessage(first, credentials)
        var right = 0
        let time = Stopwatch.measure {
            for _ in 0..<times {
                let exchange = ScramExchange(first, serverNonce: salt.filter { $0 > 0x20 }, secret: salt) { _ in
                    credentials
                }
                if exchange?.answer(final) != nil { right += 1 }
            }
        }
        try Discrepancy.check(right, is: times, "exchanges that proved the client")
        return Sample(total: time, pieces: times)
    }

    /// What a client that knows the password answers. [RFC 5802, section 3]
    private static func finalMessage(_ first: [UInt8], _ credentials: ScramCredentials) throws(Discrepancy) -> [UInt8] {
        let nonce = salt.filter { $0 > 0x20 }
        guard let exchange = ScramExchange(first, serverNonce: nonce, secret: salt, find: { _ in credentials }) else {
            throw Discrepancy("the broker did not take the client's first message")
        }
        let salted = HashFunction.sha256.derivedKey(
            from: password, salt: credentials.salt, iterations: credentials.iterations)
        let clientKey = HashFunction.sha256.authenticationCode(of: Array("Client Key".utf8), key: salted)
        let withoutProof = Array("c=biws,r=clientnonce".utf8) + nonce
        let comma = Array(",".utf8)
        let signed = Array(first.dropFirst(3)) + comma + exchange.challenge + comma + withoutProof
        let signature = HashFunction.sha256.authenticationCode(
            of: signed, key: HashFunction.sha256.digest(clientKey))
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        return withoutProof + Array(",p=".utf8) + Base64.encoded(proof)
    }
}
