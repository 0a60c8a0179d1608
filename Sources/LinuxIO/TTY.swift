import CLinux
import Glibc

/// The calls on serial lines; `Serial` makes ports of them.
package enum TTY {
    package enum Parity: UInt8, CaseIterable, Sendable {
        case none
        case even
        case odd
    }

    package enum Flow: UInt8, CaseIterable, Sendable {
        case none
        case rtscts
        case xonxoff
    }

    /// A line's settings as the driver takes them.
    package struct Line: Equatable, Sendable {
        package var baud: UInt32
        package var dataBits: UInt8
        package var parity: Parity
        package var stopBits: UInt8
        package var flow: Flow
        /// Whether DTR and RTS fall when the last program closes the port (HUPCL).
        package var dropsDTR: Bool

        package init(baud: UInt32, dataBits: UInt8, parity: Parity, stopBits: UInt8, flow: Flow, dropsDTR: Bool) {
            self.baud = baud
            self.dataBits = dataBits
            self.parity = parity
            self.stopBits = stopBits
            self.flow = flow
            self.dropsDTR = dropsDTR
        }
    }

    /// Opens without waiting for a carrier and without becoming its session's terminal.
    package static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
        try OwnedDescriptor(opening: path, O_RDWR | O_NOCTTY | O_NONBLOCK)
    }

    /// Sets the line raw, at any baud rate that the driver can divide to.
    package static func set(_ descriptor: CInt, _ line: Line) throws(SystemError) {
        var settings = clinux_line(
            baud: line.baud, data_bits: line.dataBits, parity: line.parity.rawValue, stop_bits: line.stopBits,
            flow: line.flow.rawValue, drops_dtr: line.dropsDTR ? 1 : 0)
        guard clinux_tty_set(descriptor, &settings) == 0 else { throw .last("TCSETS2") }
    }

    /// The settings as the driver took them, which may differ from those that it was given.
    package static func settings(_ descriptor: CInt) throws(SystemError) -> Line {
        var settings = clinux_line()
        guard clinux_tty_get(descriptor, &settings) == 0 else { throw .last("TCGETS2") }
        return Line(
            baud: settings.baud, dataBits: settings.data_bits, parity: Parity(rawValue: settings.parity) ?? .none,
            stopBits: settings.stop_bits, flow: Flow(rawValue: settings.flow) ?? .none,
            dropsDTR: settings.drops_dtr != 0)
    }

    /// Takes the advisory lock; EAGAIN says that another program has it.
    package static func lock(_ descriptor: CInt) throws(SystemError) {
        guard clinux_lock(descriptor) == 0 else { throw .last("flock") }
    }

    /// Refuses further opens by everybody but root.
    package static func setExclusive(_ descriptor: CInt, _ isExclusive: Bool) throws(SystemError) {
        guard clinux_tty_exclusive(descriptor, isExclusive ? 1 : 0) == 0 else {
            throw .last(isExclusive ? "TIOCEXCL" : "TIOCNXCL")
        }
    }

    /// Raises or drops DTR; a line without one (a pty) is left as it is.
    package static func setDTR(_ descriptor: CInt, _ isOn: Bool) throws(SystemError) {
        guard clinux_tty_dtr(descriptor, isOn ? 1 : 0) != 0, errno != ENOTTY, errno != EINVAL else { return }
        throw .last("TIOCMSET")
    }

    /// How many bytes came with a wrong parity or without a stop bit since the driver was loaded; nil where it does not
    /// count, as a pty.
    package static func lineErrors(_ descriptor: CInt) -> Int? {
        let count = clinux_tty_line_errors(descriptor)
        return count < 0 ? nil : Int(count)
    }

    /// Throws away what was received and not read.
    package static func discardInput(_ descriptor: CInt) throws(SystemError) {
        guard clinux_tty_flush_input(descriptor) == 0 else { throw .last("TCFLSH") }
    }

    /// Whether it is the program's end of a pseudo-terminal, which has neither speed nor parity.
    package static func isPseudo(_ descriptor: CInt) -> Bool {
        clinux_tty_is_pseudo(descriptor) != 0
    }

    /// Switches the driver's RS-485 mode; ENOTTY where it has none.
    package static func setRS485(
        _ descriptor: CInt, isOn: Bool, rtsOnSend: Bool, delayBefore: Duration, delayAfter: Duration
    ) throws(SystemError) {
        let result = clinux_tty_rs485(
            descriptor, isOn ? 1 : 0, rtsOnSend ? 1 : 0, milliseconds(delayBefore), milliseconds(delayAfter))
        guard result == 0 else { throw .last("TIOCSRS485") }
    }

    /// Reads once into the buffer, whose count is its size; 0 bytes mean that the device is gone.
    package static func read(_ descriptor: CInt, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .last("read") }
        return count
    }

    /// Writes once and says how many bytes were taken.
    package static func write(_ descriptor: CInt, _ bytes: Span<UInt8>) throws(SystemError) -> Int {
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .last("write") }
        return count
    }

    private static func milliseconds(_ duration: Duration) -> UInt32 {
        UInt32(clamping: duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
    }
}
