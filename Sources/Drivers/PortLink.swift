import LinuxIO
import Profiles
import Serial
import Settings

/// An open way to devices: a serial port, or a TCP connection to a serial server or a Modbus TCP device.
struct PortLink: ~Copyable, Sendable {
    private enum Way: ~Copyable, Sendable {
        case serial(SerialPort)
        case tcp(OwnedDescriptor)
    }

    private let way: Way
    private let port: String

    /// Opens the port; throws `SerialError`, `SystemError` or `ResolveError`, which all read as a sentence.
    ///
    /// `simulated` is the path of the virtual device, for a port with `simulate`.
    static func open(
        _ settings: PortSettings, _ line: LineSettings, simulated: String?, on loop: EventLoop
    ) async throws -> PortLink {
        switch settings.place {
        case .tcp(let host, let port):
            let deadline = ContinuousClock.now + .seconds(5)
            let socket = try await loop.connect(host: host, port: port, until: deadline)
            return PortLink(way: .tcp(socket), port: settings.key)
        case .usb(let vendorProduct, let serial, let path, let interface):
            let identity = PortIdentity(usb: vendorProduct, serial: serial, path: path, interface: interface)
            return try await openSerial(.matching(identity), settings, line, on: loop)
        case .device(let path): return try await openSerial(.device(path), settings, line, on: loop)
        case .simulate(let profile):
            guard let simulated else {
                throw SerialError(port: "simulated \(profile)", reason: .missing)
            }
            return try await openSerial(.device(simulated), settings, line, on: loop)
        }
    }

    private static func openSerial(
        _ address: PortAddress, _ settings: PortSettings, _ line: LineSettings, on loop: EventLoop
    ) async throws -> PortLink {
        let serial = try await loop.blocking("open \(settings.key)") { () throws(SerialError) in
            try SerialPort(opening: address, line)
        }
        return PortLink(way: .serial(serial), port: settings.key)
    }

    /// For the event loop.
    var descriptor: CInt {
        switch way {
        case .serial(let serial): serial.descriptor
        case .tcp(let socket): socket.rawValue
        }
    }

    /// The node that is open; nil for a connection.
    var path: String? {
        switch way {
        case .serial(let serial): serial.path
        case .tcp: nil
        }
    }

    /// What a log says once the port is open: also what could be better.
    var openingText: String {
        let heldBack: Int? =
            switch way {
            case .serial(let serial): serial.heldBack
            case .tcp: nil
            }
        guard let held = heldBack else { return "\(port) is open" }
        return
            "\(port) is open; its adapter holds bytes back for \(held) ms, which makes polls slower: let the gateway's user "
            + "write its latency_timer (docs/ports.md)"
    }

    /// Whether the node is there no more: the adapter was pulled out.
    var isGone: Bool { path.map { !File.exists($0) } ?? false }

    /// Sets the line anew; a connection has none.
    func set(_ line: LineSettings, on loop: EventLoop) async throws {
        guard let path else { return }
        let (descriptor, port) = (descriptor, port)
        try await loop.blocking("set \(port)") { () throws(SerialError) in
            try SerialPort.set(descriptor, line, port: path)
        }
    }

    enum Received: Equatable {
        case bytes(Int)
        case nothing
        /// The port or connection is gone; the sentence says why.
        case lost(String)
    }

    func receive(into buffer: inout [UInt8]) -> Received {
        switch way {
        case .serial(let serial):
            switch serial.receive(into: &buffer) {
            case .bytes(let count): .bytes(count)
            case .wouldBlock: .nothing
            case .lost(let error): .lost("\(error)")
            }
        case .tcp(let socket):
            switch Socket.receive(socket.rawValue, into: &buffer) {
            case .bytes(let count): .bytes(count)
            case .wouldBlock: .nothing
            case .closed: .lost("the other side closed the connection")
            case .failed(let error): .lost("\(error)")
            }
        }
    }

    enum Sent: Equatable {
        case count(Int)
        case lost(String)
    }

    func send(_ bytes: Span<UInt8>) -> Sent {
        switch way {
        case .serial(let serial):
            switch serial.send(bytes) {
            case .sent(let count): .count(count)
            case .wouldBlock: .count(0)
            case .lost(let error): .lost("\(error)")
            }
        case .tcp(let socket):
            switch Socket.send(socket.rawValue, bytes, more: false) {
            case .sent(let count): .count(count)
            case .wouldBlock: .count(0)
            case .failed(let error): .lost("\(error)")
            }
        }
    }
}

extension LineSettings {
    /// The line as the port's entry says it, and the profile where the port is silent.
    init(_ port: PortSettings, _ bus: ProfileBus) {
        let format = port.format ?? bus.format
        self.init(baud: port.baudrate ?? bus.baudrate)
        dataBits = format.dataBits
        parity =
            switch format.parity {
            case .none: .none
            case .even: .even
            case .odd: .odd
            }
        stopBits = format.stopBits
        flow =
            switch port.flow {
            case .none: .none
            case .rtscts: .rtscts
            case .xonxoff: .xonxoff
            }
        rs485 =
            switch port.rs485 {
            case .auto: .automatic
            case .off: .off
            case .on(let rtsOnSend, let before, let after):
                .required(rtsOnSend: rtsOnSend, delayBefore: before, delayAfter: after)
            }
        dtr =
            switch port.dtr {
            case .keep: .keep
            case .on: .on
            case .off: .off
            }
    }
}
