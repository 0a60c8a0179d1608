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

    func run() {
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
        if let holder = PortHolder.find(port.path) { lines.append("    in use by \(holder)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
