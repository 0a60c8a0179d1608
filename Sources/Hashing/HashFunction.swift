import CNettle

/// SHA-256 and SHA-512, and what is built from them: HMAC and PBKDF2.
package enum HashFunction: Sendable {
    case sha256
    case sha512

    /// The length of a digest in bytes.
    package var length: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// The hash of the bytes. [FIPS 180-4]
    package func digest(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe digest.withUnsafeMutableBufferPointer { output in
                switch self {
                case .sha256: unsafe cnettle_sha256(input.baseAddress, input.count, output.baseAddress)
                case .sha512: unsafe cnettle_sha512(input.baseAddress, input.count, output.baseAddress)
                }
            }
        }
        return digest
    }

    /// The keyed hash of the bytes. [RFC 2104]
    package func authenticationCode(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: length)
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe code.withUnsafeMutableBufferPointer { output in
                    unsafe authenticate(input, key, output)
                }
            }
        }
        return code
    }

    private func authenticate(
        _ input: UnsafeBufferPointer<UInt8>, _ key: UnsafeBufferPointer<UInt8>,
        _ output: UnsafeMutableBufferPointer<UInt8>
    ) {
        switch self {
        case .sha256:
            unsafe cnettle_hmac_sha256(
                key.baseAddress, key.count, input.baseAddress, input.count, output.baseAddress)
        case .sha512:
            unsafe cnettle_hmac_sha512(
                key.baseAddress, key.count, input.baseAddress, input.count, output.baseAddress)
        }
    }

    /// A key from a password, on purpose slowly: its time is in proportion to the iterations. [RFC 8018, PBKDF2]
    ///
    /// It has the length of a digest; fewer iterations than one are taken for one.
    package func derivedKey(from password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        var derived = [UInt8](repeating: 0, count: length)
        unsafe password.withUnsafeBufferPointer { password in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe derived.withUnsafeMutableBufferPointer { output in
                    unsafe derive(password, salt, UInt32(clamping: max(1, iterations)), output)
                }
            }
        }
        return derived
    }

    private func derive(
        _ password: UnsafeBufferPointer<UInt8>, _ salt: UnsafeBufferPointer<UInt8>, _ iterations: UInt32,
        _ output: UnsafeMutableBufferPointer<UInt8>
    ) {
        switch self {
        case .sha256:
            unsafe cnettle_pbkdf2_sha256(
                password.baseAddress, password.count, iterations, salt.baseAddress, salt.count,
                output.baseAddress, output.count)
        case .sha512:
            unsafe cnettle_pbkdf2_sha512(
                password.baseAddress, password.count, iterations, salt.baseAddress, salt.count,
                output.baseAddress, output.count)
        }
    }
}

/// Comparison of secrets.
package enum Secret {
    /// Whether both are the same, in a time that depends on their lengths alone.
    package static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        guard !left.isEmpty else { return true }
        return unsafe left.withUnsafeBufferPointer { left in
            unsafe right.withUnsafeBufferPointer { right in
                unsafe cnettle_equal(left.baseAddress, right.baseAddress, left.count) != 0
            }
        }
    }
}
