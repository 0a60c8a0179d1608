import Documents
import Modbus
import Profiles

/// A port with the places where it is written.
struct ReadPort {
    var settings: PortSettings
    var mark: Mark
    /// False where the file does not say what it is connected to; that is complained of already.
    var isPlaced: Bool
}

/// `ports:` the wires.
struct PortsSection {
    var profiles: [String: Profile]

    func read(_ root: Section) -> [ReadPort] {
        guard let section = root.section("ports") else { return [] }
        return section.sections.compactMap { name, section in
            Key.check(name, "a port", section)
            return port(name, section)
        }
    }

    private func port(_ key: String, _ section: Section) -> ReadPort {
        let place = PortPlace(profiles: profiles, section: section).read()
        var settings = PortSettings(key: key, place: place ?? .device(path: ""))
        settings.baudrate = section.integer("baudrate", 50...4_000_000)
        settings.format =
            section.value(
                "format", wanted: "data bits, parity and stop bits, like 8N1, 8E1 or 7E1", LineFormat.init)?.value
        if let flow = section.word("flow", PortSettings.Flow.self) { settings.flow = flow }
        if let dtr = section.word("dtr", PortSettings.DTR.self) { settings.dtr = dtr }
        if let rs485 = rs485(section) { settings.rs485 = rs485 }
        if let modbus = section.section("modbus") { ModbusSection.read(modbus, into: &settings) }
        section.spelled([
            "baud_rate": "baudrate", "baud": "baudrate", "speed": "baudrate", "bps": "baudrate", "path": "device",
            "tty": "device", "port": "device", "url": "tcp", "host": "tcp", "comset": "format", "parity": "format",
            "data_bits": "format", "stop_bits": "format", "databits": "format", "stopbits": "format",
            "bytesize": "format", "rtscts": "flow", "mode": "modbus", "timeout": "modbus", "usb": "match",
            "serial": "match",
        ])
        section.finish()
        return ReadPort(settings: settings, mark: section.mark, isPlaced: place != nil)
    }

    private func rs485(_ section: Section) -> PortSettings.RS485? {
        switch section.node("rs485")?.text {
        case "auto": return .auto
        case let word? where Scalar.bool(word) == false: return .off
        case let word?:
            section.problems.error(
                "'\(word)' is not allowed for 'rs485'", at: section.mark(of: "rs485"),
                hint: "write auto, off, or { rts_on_send: true, delay_before: 0ms, delay_after: 0ms }")
            return nil
        case nil: return section.section("rs485").map(rs485Keys)
        }
    }

    private func rs485Keys(_ section: Section) -> PortSettings.RS485 {
        let rtsOnSend = section.bool("rts_on_send") ?? true
        let before = section.duration("delay_before") ?? .zero
        let after = section.duration("delay_after") ?? .zero
        section.finish()
        return .on(rtsOnSend: rtsOnSend, delayBefore: before, delayAfter: after)
    }
}

/// Names that people choose.
enum Key {
    /// They become parts of topics.
    static func check(_ name: String, _ whose: String, _ section: Section) {
        let isGood =
            (1...64).contains(name.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        guard !isGood else { return }
        section.problems.error(
            "'\(name)' can't be the key of \(whose)", at: section.mark,
            hint: "use letters, digits, '-' and '_', at most 64 of them")
    }
}
