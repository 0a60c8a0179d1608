import Glibc

/// Where results go: another program may read them.
package enum StandardOutput {
    /// Whether a person looks at it; colour and progress only then.
    package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes all of the text; false when nobody reads any more.
    @discardableResult
    package static func write(_ text: String) -> Bool {
        writeAll(Array(text.utf8), to: STDOUT_FILENO)
    }

    /// Writes all of the bytes; false when nobody reads any more.
    @discardableResult
    package static func write(_ bytes: [UInt8]) -> Bool {
        writeAll(bytes, to: STDOUT_FILENO)
    }
}

/// Where messages to people go.
package enum StandardError {
    package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes all of the text; false when nobody reads any more.
    @discardableResult
    package static func write(_ text: String) -> Bool {
        writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}

/// Where a command's input comes from.
package enum StandardInput {
    package static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Blocks for the next bytes; empty at the end.
    package static func read(upTo count: Int = 65536) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 { return Array(buffer[..<count]) }
            if errno != EINTR { throw .last("read", "standard input") }
        }
    }
}

/// Blocks until all is written: a stream that somebody made non-blocking is waited for.
private func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var start = 0
    while start < bytes.count {
        let count = bytes.withUnsafeBytes {
            Glibc.write(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
        }
        if count >= 0 {
            start += count
        } else if errno == EAGAIN {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&request, 1, -1) < 0, errno != EINTR { return false }
        } else if errno != EINTR {
            return false
        }
    }
    return true
}
