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
    /// The first numeric address of a host; it may block for long, so call it on a thread of its own.
    package static func resolve(_ host: String) throws(ResolveError) -> String {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = clinux_resolve(host, &text, CInt(text.count))
        if code == EAI_SYSTEM { throw ResolveError(host: host, reason: SystemError.text(of: errno)) }
        guard code == 0 else {
            throw ResolveError(host: host, reason: String(cString: clinux_resolve_error(code)))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
