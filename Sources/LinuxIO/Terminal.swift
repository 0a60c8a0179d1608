import Glibc

/// Questions to the person at the terminal.
package enum Terminal {
    /// Asks, and reads a line that the terminal does not show; nil if the person gave up (Ctrl-C, Ctrl-D).
    package static func askSecretly(_ question: String) throws(SystemError) -> [UInt8]? {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else { throw .last("tcgetattr", "standard input") }
        var hidden = shown
        // Without signals as well: a Ctrl-C that ended the program would leave the terminal mute.
        hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else { throw .last("tcsetattr", "standard input") }
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) }
        StandardError.write(question)
        defer { StandardError.write("\n") }
        let line = try StandardInput.read(upTo: 4096)
        guard line.last == UInt8(ascii: "\n"), !line.contains(3) else { return nil }
        return Array(line.dropLast())
    }
}
