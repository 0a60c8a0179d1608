package import LinuxIO

/// A serial port that could not be opened, set or used any more: which, why, and what to do about it.
package struct SerialError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// Nothing is at the path.
        case missing
        /// No port matches the identity; `near` lists the ports that are there.
        case noMatch(near: [PortInfo])
        /// Several ports match the identity.
        case ambiguous([PortInfo])
        /// `group` owns the device and may open it, where it has one.
        case noPermission(group: String?)
        case inUse(by: PortHolder?)
        case notATerminal
        case baudRefused(asked: Int, got: Int)
        case formatRefused(asked: String, got: String)
        case flowRefused
        case noRS485
        /// It was open and its device has gone.
        case lost
        case failed(SystemError)
    }

    /// The path, or the identity that was looked for.
    package var port: String
    package var reason: Reason

    package init(port: String, reason: Reason) {
        self.port = port
        self.reason = reason
    }

    /// Whether the port is not there, in contrast to one that is there and can't be used.
    package var isMissing: Bool {
        switch reason {
        case .missing, .noMatch, .lost: true
        default: false
        }
    }
}

extension SerialError: CustomStringConvertible {
    /// One sentence with the port, the reason and what to do.
    package var description: String {
        switch reason {
        case .missing: "no port at \(port): is the device plugged in? `martlet ports` lists what is there"
        case .noMatch(let near): "no port matches \(port)\(Self.list(near, after: "; there are"))"
        case .ambiguous(let candidates):
            "several ports match \(port): add \(Self.key(candidates)) to choose one"
                + Self.list(candidates, after: "; candidates are")
        case .noPermission(let group):
            "no permission to open \(port)\(group.map { ": add the user to the group \($0)" } ?? "")"
        case .inUse(let holder):
            "\(port) is in use by \(holder?.description ?? "another program"); stop it, or give Martlet another port"
        case .notATerminal: "\(port) is not a serial port"
        case .lost: "\(port) has gone: unplugged, or its driver failed"
        case .failed(let error): "\(port) can't be used: \(error)"
        default: settingsSentence
        }
    }

    private var settingsSentence: String {
        switch reason {
        case .baudRefused(let asked, let got):
            "\(port) can't do \(asked) baud, its driver gives \(got); set `baudrate` to a speed that both ends have"
        case .formatRefused(let asked, let got):
            "\(port) can't do \(asked), its driver gives \(got); set `format` to one that both ends have"
        case .flowRefused: "\(port) can't do that flow control; set `flow: none`"
        case .noRS485:
            "the driver of \(port) has no RS-485 mode; set `rs485: auto` if the adapter switches direction by itself"
        default: port
        }
    }

    /// The key of `match` in which all of them differ.
    private static func key(_ ports: [PortInfo]) -> String {
        if Set(ports.compactMap(\.serial)).count == ports.count { return "`serial:`" }
        let interfaces = ports.compactMap(\.interface)
        let isOneAdapter = Set(ports.map(\.serial)).count == 1 && ports.first?.serial != nil
        return isOneAdapter && Set(interfaces).count == ports.count ? "`interface:`" : "`path:`"
    }

    private static func list(_ ports: [PortInfo], after text: String) -> String {
        ports.isEmpty ? "; no serial port is there" : "\(text) " + ports.map(\.description).joined(separator: ", ")
    }
}
