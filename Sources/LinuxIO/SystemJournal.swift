import CLinux
import Glibc

/// The journal of systemd in its own language: lines with fields that can be asked for, without its library.
///
/// `journalctl MARTLET_SUBSYSTEM=bridge` then finds what a text would have to be searched for.
package struct SystemJournal: Sendable {
    private static let address = "/run/systemd/journal/socket"

    private let address: String

    /// Nil unless the journal takes this process's standard error output; `stream` is what `$JOURNAL_STREAM` says.
    ///
    /// Whoever sends that output elsewhere wants the lines there, and inherits the variable all the same. [systemd.exec(5)]
    package init?(stream: String?) {
        var status = stat()
        guard let stream, fstat(STDERR_FILENO, &status) == 0, stream == "\(status.st_dev):\(status.st_ino)" else {
            return nil
        }
        self.init(address: Self.address)
    }

    /// A journal that a test makes.
    init(address: String) {
        self.address = address
    }

    /// Hands one entry over; false when the journal is not there, or the entry is too long for it.
    package func write(_ fields: [(name: String, value: String)]) -> Bool {
        let text = Self.text(fields)
        return clinux_send_datagram(address, text, text.utf8.count) == 0
    }

    /// A line for each field; a value with a line end would begin another one. [Native Journal Protocol]
    static func text(_ fields: [(name: String, value: String)]) -> String {
        fields.map { field in "\(field.name)=\(field.value.map { $0.isNewline ? " " : String($0) }.joined())\n" }
            .joined()
    }
}
