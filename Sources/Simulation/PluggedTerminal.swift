import LinuxIO
import Synchronization

/// A virtual device's end of its line while it is plugged in.
final class PluggedTerminal: Sendable {
    private let pty: Mutex<PseudoTerminal?>
    let path: String
    /// For waiting only; everything else goes through the lock, which knows whether it is closed.
    let descriptor: CInt

    init(link: String?) throws(SystemError) {
        let opened = try PseudoTerminal(link: link)
        path = opened.path
        descriptor = opened.descriptor
        pty = Mutex(opened)
    }

    /// What the program has written; empty when there is nothing, or nobody any more.
    func receive(into buffer: inout [UInt8]) -> Int {
        pty.withLock { pty in
            if case .bytes(let count) = pty?.receive(into: &buffer) { count } else { 0 }
        }
    }

    /// Writes what fits; the rest is lost, as on a wire that nobody listens to.
    func send(_ bytes: [UInt8]) {
        pty.withLock { pty in _ = pty?.send(bytes.span) }
    }

    /// At the speed that the program has set; at 9600 baud before any has.
    var pace: Pace {
        Pace(baud: pty.withLock { $0?.baud } ?? 9600)
    }

    func close() {
        pty.withLock { pty in pty = nil }
    }
}
