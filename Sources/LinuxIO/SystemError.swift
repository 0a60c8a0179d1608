import CLinux
import Glibc

/// A system call that failed: which, on what, and why.
package struct SystemError: Error, Equatable, Sendable {
    /// The value of errno.
    package var code: CInt
    /// The call's name, as its manual page is called.
    package var call: String
    /// What it was about: a path, an address.
    package var subject: String?

    package init(code: CInt, call: String, subject: String? = nil) {
        self.code = code
        self.call = call
        self.subject = subject
    }

    /// ETIMEDOUT, for waits that a loop ended.
    package static let timedOut = ETIMEDOUT

    /// The error of the call that just failed on this thread.
    static func last(_ call: String, _ subject: String? = nil) -> SystemError {
        SystemError(code: errno, call: call, subject: subject)
    }
}

extension SystemError: CustomStringConvertible {
    /// The call, what it was about and why: "open /dev/ttyUSB0: No such file or directory".
    package var description: String {
        "\(call)\(subject.map { " " + $0 } ?? ""): \(Self.text(of: code))"
    }

    /// The C library's sentence for an errno.
    package static func text(of code: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress else { return "error \(code)" }
            clinux_error_text(code, start, buffer.count)
            return String(cString: start)
        }
    }
}
