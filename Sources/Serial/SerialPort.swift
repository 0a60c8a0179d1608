import LinuxIO

/// An open serial port, or the program's end of a pseudo-terminal.
///
/// One owner; nobody else can open it meanwhile. When a read or write says `lost`, drop it at once: a descriptor held
/// over an unplug keeps the minor number, and the same adapter comes back under another name.
package struct SerialPort: ~Copyable, Sendable {
    package enum Received: Equatable, Sendable {
        case bytes(Int)
        case wouldBlock
        case lost(SerialError)
    }

    package enum Sent: Equatable, Sendable {
        case sent(Int)
        case wouldBlock
        case lost(SerialError)
    }

    private let owned: OwnedDescriptor
    /// The device's node, with every link followed.
    package let path: String
    /// For how many milliseconds the adapter collects bytes before it hands them over, where that could not be shortened.
    package let heldBack: Int?

    /// Opens and sets a port; call it on a thread of its own, for it may block while the driver starts.
    package init(opening address: PortAddress, _ line: LineSettings) throws(SerialError) {
        let located = try address.locate()
        // What libudev found is a node, and no link to one.
        let isFound = if case .matching = address { true } else { false }
        let node = isFound ? located : File.resolved(located) ?? located
        let opened = try Self.open(node, named: located)
        try Self.claim(opened.rawValue, node)
        try LineSetter(descriptor: opened.rawValue, port: located).apply(line)
        heldBack = LatencyTimer.lower(node)
        owned = opened
        path = node
    }

    /// For a poller or an event loop.
    package var descriptor: CInt { owned.rawValue }

    /// How many bytes came with a wrong parity or without a stop bit; nil where the driver does not count.
    package var lineErrors: Int? { TTY.lineErrors(descriptor) }

    /// Reads what has arrived into the buffer, whose count is its size.
    package func receive(into buffer: inout [UInt8]) -> Received {
        do throws(SystemError) {
            let count = try TTY.read(descriptor, into: &buffer)
            return count > 0 ? .bytes(count) : .lost(SerialError(port: path, reason: .lost))
        } catch {
            return error.kind == .tryAgain ? .wouldBlock : .lost(ended(error))
        }
    }

    /// Writes as much as the driver takes.
    package func send(_ bytes: Span<UInt8>) -> Sent {
        do throws(SystemError) {
            return .sent(try TTY.write(descriptor, bytes))
        } catch {
            return error.kind == .tryAgain ? .wouldBlock : .lost(ended(error))
        }
    }

    /// Throws away what has arrived and was not read.
    package func discardInput() throws(SerialError) {
        do throws(SystemError) {
            try TTY.discardInput(descriptor)
        } catch {
            throw ended(error)
        }
    }

    /// Sets an open line anew, and throws away what has arrived meanwhile; call it on a thread of its own.
    package static func set(_ descriptor: CInt, _ line: LineSettings, port: String) throws(SerialError) {
        try LineSetter(descriptor: descriptor, port: port).apply(line)
    }

    /// The settings as the driver took them.
    func settings() throws(SystemError) -> TTY.Line {
        try TTY.settings(descriptor)
    }

    private func ended(_ error: SystemError) -> SerialError {
        SerialError(port: path, reason: error.kind == .deviceGone ? .lost : .failed(error))
    }

    deinit {
        // Where somebody else holds the terminal open (a simulation its pty), exclusiveness would outlive us. It fails
        // when the device is gone, and then there is nothing to give back.
        try? TTY.setExclusive(owned.rawValue, false)
    }

    // MARK: opening

    private static func open(_ node: String, named port: String) throws(SerialError) -> OwnedDescriptor {
        do throws(SystemError) {
            return try TTY.open(node)
        } catch {
            switch error.kind {
            case .notFound: throw SerialError(port: port, reason: .missing)
            case .noPermission: throw SerialError(port: port, reason: .noPermission(group: File.group(of: node)))
            case .inUse: throw SerialError(port: port, reason: .inUse(by: PortHolder.find(node)))
            case .deviceGone: throw SerialError(port: port, reason: .missing)
            default: throw SerialError(port: port, reason: .failed(error))
            }
        }
    }

    /// Both ways of claiming a port: TIOCEXCL does not stop root, and not every program looks at the lock.
    private static func claim(_ descriptor: CInt, _ node: String) throws(SerialError) {
        do throws(SystemError) {
            try TTY.lock(descriptor)
            try TTY.setExclusive(descriptor, true)
        } catch {
            switch error.kind {
            case .tryAgain: throw SerialError(port: node, reason: .inUse(by: PortHolder.find(node)))
            case .notATerminal: throw SerialError(port: node, reason: .notATerminal)
            default: throw SerialError(port: node, reason: .failed(error))
            }
        }
        // A program that had it open before, without either, is found in /proc. The other end of a pseudo-terminal is none.
        guard !TTY.isPseudo(descriptor), let holder = PortHolder.find(node) else { return }
        try? TTY.setExclusive(descriptor, false)
        throw SerialError(port: node, reason: .inUse(by: holder))
    }
}
