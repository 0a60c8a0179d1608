import Documents
import Modbus

/// `modbus:` of a port: how its bus is run.
enum ModbusSection {
    /// Words for `mode` that a later version knows.
    private static let laterModes = ["rtu-over-tcp"]

    static func read(_ section: Section, into port: inout PortSettings) {
        if let mode = mode(section) { port.modbus.mode = mode }
        if let timeout = section.duration("timeout", 10...60_000) { port.modbus.timeout = timeout }
        if let pause = section.duration("pause", 0...60_000) { port.modbus.pause = pause }
        if let retries = section.integer("retries", 0...20) { port.modbus.retries = retries }
        if let offlineAfter = section.integer("offline_after", 1...1000) { port.modbus.offlineAfter = offlineAfter }
        if let probeEvery = section.duration("probe_every", 1_000...86_400_000) { port.modbus.probeEvery = probeEvery }
        port.maximumRegisters = section.integer("max_registers", 1...125)
        if let hole = section.integer("max_hole", 0...124) { port.maximumHole = hole }
        // Answers end by their length and checksum; USB adapters break the pauses of the standard.
        _ = section.value("gap", wanted: "auto") { $0 == "auto" ? $0 : nil }
        checkMode(section, port)
        section.spelled([
            "response_timeout": "timeout", "delay_before_command": "pause", "command_throttle": "pause",
            "max_cmd_retries": "retries", "busy_retries": "retries", "protocol": "mode", "type": "mode",
        ])
        section.finish()
    }

    private static func mode(_ section: Section) -> MasterSettings.Mode? {
        if let text = section.node("mode")?.text, laterModes.contains(text) {
            section.problems.error(
                "'\(text)' is not available in this version yet", at: section.mark(of: "mode"),
                hint: "allowed: rtu, ascii, tcp; rtu on a 'tcp:' port speaks RTU frames over the network")
            return nil
        }
        return section.word("mode", MasterSettings.Mode.self)
    }

    private static func checkMode(_ section: Section, _ port: PortSettings) {
        if case .tcp = port.place { return }
        guard port.modbus.mode == .tcp else { return }
        section.problems.error(
            "'mode: tcp' needs a port on the network", at: section.mark(of: "mode"),
            hint: "write tcp: \"host:502\" in the port, or 'mode: rtu'")
    }
}

extension Section {
    /// A time within bounds, which are in milliseconds.
    func duration(_ key: String, _ milliseconds: ClosedRange<Int>) -> Duration? {
        guard let time = duration(key) else { return nil }
        let lowest = Duration.milliseconds(milliseconds.lowerBound)
        let highest = Duration.milliseconds(milliseconds.upperBound)
        guard time >= lowest, time <= highest else {
            problems.error(
                "\(time.words) is not allowed for '\(key)'", at: mark(of: key),
                hint: "write a time from \(lowest.words) to \(highest.words)")
            return nil
        }
        return time
    }
}
