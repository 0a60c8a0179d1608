import CLinux
import Glibc

/// A host name that no address was found for.
package struct ResolveError: Error, Equatable, Sendable, CustomStringConvertible {
    package var host: String
    /// The C library's sentence.
    package var reason: String

    /// The host and the reason: "no address for broker.example: Name or service not known".
    package var description: String { "no address for \(host): \(reason)" }
}

extension Socket {
    /// The numeric addresses of a host, in the order to try them; never empty.
    ///
    /// It may block for long, so call it on a thread of its own.
    package static func resolve(_ host: String) throws(ResolveError) -> [String] {
        var text = [CChar](repeating: 0, count: 4096)
        let code = clinux_resolve(host, &text, CInt(text.count))
        if code == EAI_SYSTEM { throw ResolveError(host: host, reason: SystemError.text(of: errno)) }
        guard code == 0 else {
            throw ResolveError(host: host, reason: String(cString: clinux_resolve_error(code)))
        }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let addresses = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        guard !addresses.isEmpty else { throw ResolveError(host: host, reason: "the answer is empty") }
        return addresses
    }
}
