import Documents
import Profiles

/// What a port is connected to: exactly one of `match`, `device`, `tcp` and `simulate`.
struct PortPlace {
    private static let keys = ["match", "device", "tcp", "simulate"]

    var profiles: [String: Profile]
    var section: Section

    func read() -> PortSettings.Place? {
        let given = Self.keys.filter { section.node($0) != nil }
        guard let key = given.first else {
            section.problems.error(
                "'\(section.path)' does not say what it is connected to", at: section.mark,
                hint: "add one of match: { usb: \"0403:6001\" }, device: /dev/serial/by-id/…, tcp: \"host:port\", "
                    + "simulate: <profile>; 'martlet ports' lists what is plugged in")
            return nil
        }
        if given.count > 1 {
            section.problems.error(
                "'\(section.path)' has both '\(key)' and '\(given[1])'", at: section.mark(of: given[1]),
                hint: "a port is connected to one thing: keep one of them")
        }
        return switch key {
        case "match": section.section("match").flatMap(match)
        case "device": device()
        case "tcp": tcp()
        default: simulate()
        }
    }

    private func match(_ match: Section) -> PortSettings.Place? {
        let usb = match.value("usb", wanted: "vendor and product in hexadecimal, like \"0403:6001\"", vendorProduct)
        let serial = match.text("serial")?.value
        let path = match.text("path")?.value
        let interface = match.integer("interface", 0...255)
        if match.node("usb") == nil {
            match.missing("usb", hint: "write usb: \"0403:6001\"; 'martlet ports' shows it for what is plugged in")
        }
        match.spelled([
            "serial_number": "serial", "id": "usb", "vid": "usb", "pid": "usb", "socket": "path", "if": "interface",
        ])
        match.finish()
        return usb.map { .usb(vendorProduct: $0.value, serial: serial, path: path, interface: interface) }
    }

    private func vendorProduct(_ text: String) -> String? {
        let parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false)
        let isGood = parts.count == 2 && parts.allSatisfy { $0.count == 4 && $0.allSatisfy(\.isHexDigit) }
        return isGood ? text.lowercased() : nil
    }

    private func device() -> PortSettings.Place? {
        let wanted = "a path, like /dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"
        let path = section.value("device", wanted: wanted) { $0.hasPrefix("/") && $0.count > 1 ? $0 : nil }
        guard let path else { return nil }
        warnOfNumbered(path)
        return .device(path: path.value)
    }

    /// Linux numbers adapters in the order in which they are found.
    private func warnOfNumbered(_ path: Located<String>) {
        let name = path.value.split(separator: "/").last.map(String.init) ?? ""
        guard path.value.hasPrefix("/dev/tty"), name.last?.isNumber == true else { return }
        if name.hasPrefix("ttyUSB") || name.hasPrefix("ttyACM") {
            section.problems.warning(
                "\(path.value) can be another adapter after a restart or when one is plugged in", at: path.mark,
                hint: "'martlet ports' shows what stays: write match: { usb: \"…\", serial: \"…\" } instead, or the "
                    + "/dev/serial/by-id/… path")
        } else if name.hasPrefix("ttyAMA") || name.hasPrefix("ttyS") {
            section.problems.warning(
                "\(path.value) can be another port after a change of the boot configuration", at: path.mark,
                hint: "on a Raspberry Pi /dev/serial0 is always the one on the pins; 'martlet ports' lists all")
        }
    }

    private func tcp() -> PortSettings.Place? {
        let wanted = "host and port, like \"192.168.1.20:502\" or \"[fd00::20]:502\""
        return section.value("tcp", wanted: wanted) { text in
            HostAndPort(text, defaultPort: nil).map { .tcp(host: $0.host, port: $0.port) }
        }?.value
    }

    private func simulate() -> PortSettings.Place? {
        guard let name = section.text("simulate") else { return nil }
        guard profiles[name.value] != nil else {
            UnknownProfile.complain(name, profiles, section.problems)
            return nil
        }
        return .simulate(profile: name.value)
    }
}

/// `host:port`, with an IPv6 address in square brackets.
struct HostAndPort: Equatable {
    var host: String
    var port: UInt16

    /// Nil for anything else; without a default, the port must be there.
    init?(_ text: String, defaultPort: UInt16?) {
        var rest = Substring(text)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else { return nil }
        } else {
            host = String(rest.prefix { $0 != ":" })
            rest = rest.dropFirst(host.count)
            guard host.allSatisfy({ $0.isLetter || $0.isNumber || ".-_".contains($0) }) else { return nil }
        }
        guard !host.isEmpty else { return nil }
        if rest.isEmpty, let defaultPort {
            port = defaultPort
        } else {
            guard rest.first == ":", let number = Scalar.integer(String(rest.dropFirst())), number > 0,
                let port = UInt16(exactly: number)
            else { return nil }
            self.port = port
        }
    }
}

/// Complains of a profile that isn't there.
enum UnknownProfile {
    static func complain(_ name: Located<String>, _ profiles: [String: Profile], _ problems: ProblemList) {
        UnknownName.complain(name, "profile", among: profiles.keys.sorted(), problems)
    }
}

/// Complains of a name that is none of those there are.
enum UnknownName {
    static func complain(_ name: Located<String>, _ kind: String, among names: [String], _ problems: ProblemList) {
        let nearest = NearestWord.of(name.value, among: names).map { "did you mean '\($0)'? " } ?? ""
        problems.error("there is no \(kind) '\(name.value)'", at: name.mark, hint: nearest + known(kind, names))
    }

    /// More names than these are no help.
    private static let mostNames = 12

    static func known(_ kind: String, _ names: [String]) -> String {
        if names.isEmpty { return "there are no \(kind)s" }
        if names.count > mostNames, kind == "profile" {
            return "'martlet profile list' shows the \(names.count) there are"
        }
        return "there are: \(names.joined(separator: ", "))"
    }
}
