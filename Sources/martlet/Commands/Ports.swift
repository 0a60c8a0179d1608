import ArgumentParser
import LinuxIO
import Serial

/// `martlet ports`: the serial ports of this machine, as a configuration names them.
struct Ports: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the serial ports of this machine, and how to write each into a configuration.",
        discussion: """
            /dev/ttyUSB0 may be another device after the next boot; what stands after 'match' stays the same.
            """)

    @Flag(help: "Stay, and tell what is plugged in and pulled out.")
    var watch = false

    func run() throws {
        list()
        if watch { try follow() }
    }

    private func follow() throws {
        guard let watch = PortWatch() else {
            throw CommandFailure("the kernel does not tell here when ports come and go")
        }
        StandardOutput.write("Ports that come and go are told here; Ctrl-C ends that.\n")
        var poller = try Poller()
        try poller.add(watch.descriptor, token: 0, reading: true, writing: false)
        var ready: [PollEvent] = []
        while true {
            try poller.wait(until: nil, into: &ready)
            while let change = watch.next() { StandardOutput.write(text(of: change)) }
        }
    }

    private func text(of change: PortWatch.Change) -> String {
        switch change {
        case .removed(let path): return "\(path) went\n"
        case .added(let path):
            let ports = PortFinder.ports()
            let told = ports.first { $0.path == path }.map { text(of: $0, among: ports) } ?? ""
            return "\(path) came\n\(told)"
        }
    }

    private func list() {
        let ports = PortFinder.ports()
        guard !ports.isEmpty else {
            StandardOutput.write(
                "No serial port is there. Plug the adapter in, and look into `dmesg` if none appears.\n")
            return
        }
        for port in ports { StandardOutput.write(text(of: port, among: ports)) }
    }

    private func text(of port: PortInfo, among ports: [PortInfo]) -> String {
        let product = [port.maker, port.product].compactMap { $0 }.joined(separator: " ")
        var lines = [product.isEmpty ? port.path : "\(port.path)  \(product)"]
        if let match = PortMatch(port, among: ports) {
            lines.append("    match: \(match.text)")
        } else {
            lines.append("    device: \(port.path)")
        }
        if let stable = port.stablePath { lines.append("    device: \(stable)") }
        if let driver = port.driver { lines.append("    driver \(driver)") }
        if let holder = PortHolder.find(port.path) { lines.append("    in use by \(holder)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
