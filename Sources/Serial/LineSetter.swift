import LinuxIO

/// Sets an open line and checks that the driver took what it was given: many drop silently what they can't do.
struct LineSetter {
    let descriptor: CInt
    /// For errors.
    let port: String

    func apply(_ line: LineSettings) throws(SerialError) {
        guard let baud = UInt32(exactly: line.baud), baud > 0 else {
            throw SerialError(port: port, reason: .baudRefused(asked: line.baud, got: 0))
        }
        let wanted = TTY.Line(
            baud: baud, dataBits: UInt8(clamping: line.dataBits), parity: line.parity,
            stopBits: UInt8(clamping: line.stopBits), flow: line.flow, dropsDTR: false)
        let taken = try set(wanted, line.dtr)
        // A pty keeps the speed but forces eight bits without parity, and nothing depends on it.
        if !TTY.isPseudo(descriptor) { try check(line, taken) }
        try setRS485(line.rs485)
    }

    /// Sets the line, throws away what it received with other settings, and reads the settings back.
    private func set(_ wanted: TTY.Line, _ dtr: LineSettings.DTR) throws(SerialError) -> TTY.Line {
        do throws(SystemError) {
            try TTY.set(descriptor, wanted)
            if dtr != .keep { try TTY.setDTR(descriptor, dtr == .on) }
            try TTY.discardInput(descriptor)
            return try TTY.settings(descriptor)
        } catch {
            throw SerialError(port: port, reason: error.kind == .notATerminal ? .notATerminal : .failed(error))
        }
    }

    private func check(_ line: LineSettings, _ taken: TTY.Line) throws(SerialError) {
        let got = Int(taken.baud)
        // Two UARTs understand each other up to about 3 % apart: half a bit within one byte, shared by both.
        guard abs(got - line.baud) * 100 <= 3 * line.baud else {
            throw SerialError(port: port, reason: .baudRefused(asked: line.baud, got: got))
        }
        var real = line
        (real.dataBits, real.parity, real.stopBits) = (Int(taken.dataBits), taken.parity, Int(taken.stopBits))
        guard real.format == line.format else {
            throw SerialError(port: port, reason: .formatRefused(asked: line.format, got: real.format))
        }
        guard taken.flow == line.flow else { throw SerialError(port: port, reason: .flowRefused) }
    }

    private func setRS485(_ mode: LineSettings.RS485) throws(SerialError) {
        do throws(SystemError) {
            switch mode {
            case .automatic: return
            case .off:
                try TTY.setRS485(
                    descriptor, isOn: false, rtsOnSend: false, delayBefore: .zero, delayAfter: .zero)
            case .required(let rtsOnSend, let before, let after):
                try TTY.setRS485(
                    descriptor, isOn: true, rtsOnSend: rtsOnSend, delayBefore: before, delayAfter: after)
            }
        } catch {
            // Without such a mode it is off already.
            if error.kind == .notATerminal, mode == .off { return }
            throw SerialError(port: port, reason: error.kind == .notATerminal ? .noRS485 : .failed(error))
        }
    }
}
