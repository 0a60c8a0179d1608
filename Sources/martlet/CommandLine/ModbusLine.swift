import ArgumentParser
import LinuxIO
import Modbus
import Profiles
import Serial

/// Where a Modbus command finds its units.
struct ModbusOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The serial port.", valueName: "PATH"))
    var port: String?

    @Option(
        help: ArgumentHelp("A device or a serial server on the network, instead of a port.", valueName: "HOST:PORT"))
    var tcp: String?

    @Flag(help: "Speak RTU over TCP, as behind a serial server.")
    var rtu = false

    @Flag(help: "Speak Modbus ASCII; its lines are usually 7E1.")
    var ascii = false

    @Option(help: "Bits a second.")
    var baudrate = 9_600

    @Option(help: "Data bits, parity and stop bits.")
    var format = "8N1"

    @Option(help: ArgumentHelp("How long a unit may take to answer.", valueName: "MS"))
    var timeout = 300

    /// The line with what was asked for; throws what is wrong, as a sentence.
    func open() throws(CommandFailure) -> ModbusLine {
        var settings = MasterSettings()
        settings.timeout = .milliseconds(max(1, timeout))
        settings.retries = 0
        // Every unit is asked each time.
        settings.offlineAfter = .max
        switch (port, tcp) {
        case (let port?, nil):
            let line = try line()
            settings.mode = ascii ? .ascii : .rtu
            settings.byteTime = line.byteTime
            return try ModbusLine(.serial(Self.serial(port, line)), settings)
        case (nil, let place?):
            settings.mode = ascii ? .ascii : rtu ? .rtu : .tcp
            return try ModbusLine(.socket(Self.connect(place)), settings)
        default: throw CommandFailure("say where the unit is: with --port PATH or --tcp HOST:PORT", status: .usage)
        }
    }

    private func line() throws(CommandFailure) -> LineSettings {
        guard let format = LineFormat(format) else {
            throw CommandFailure("--format is data bits, parity and stop bits, like 8N1 or 8E1", status: .usage)
        }
        return LineSettings(baud: baudrate, format)
    }

    static func serial(_ path: String, _ line: LineSettings) throws(CommandFailure) -> SerialPort {
        do throws(SerialError) {
            return try SerialPort(opening: .device(path), line)
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    static func connect(_ place: String) throws(CommandFailure) -> OwnedDescriptor {
        guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
            throw CommandFailure("--tcp is HOST:PORT, like 192.168.1.20:502", status: .usage)
        }
        let host = place[..<colon].trimmingBrackets
        do {
            guard let address = try Socket.resolve(host).first else { throw CommandFailure("\(host) has no address") }
            let socket = try Socket.connect(address: address, port: port)
            var poller = try Poller()
            try poller.add(socket.rawValue, token: 0, reading: false, writing: true)
            var ready: [PollEvent] = []
            try poller.wait(until: .now + .seconds(5), into: &ready)
            guard !ready.isEmpty else { throw CommandFailure("\(place) does not answer") }
            if let code = Socket.connectError(socket.rawValue) {
                throw SystemError(code: code, call: "connect", subject: place)
            }
            return socket
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("can't connect to \(place): \(error)")
        }
    }
}

extension Substring {
    /// `[fd00::1]` without the brackets.
    fileprivate var trimmingBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : String(self)
    }
}

extension LineSettings {
    /// As people give it on a command line.
    init(baud: Int, _ format: LineFormat) {
        self.init(baud: baud)
        dataBits = format.dataBits
        stopBits = format.stopBits
        parity =
            switch format.parity {
            case .none: .none
            case .even: .even
            case .odd: .odd
            }
    }
}

/// A bus, on the thread of the command that uses it.
struct ModbusLine: ~Copyable {
    enum Way: ~Copyable {
        case serial(SerialPort)
        case socket(OwnedDescriptor)

        var descriptor: CInt {
            switch self {
            case .serial(let port): port.descriptor
            case .socket(let socket): socket.rawValue
            }
        }
    }

    private let way: Way
    private var settings: MasterSettings
    private var master: MasterState
    private var poller: Poller
    // Without values of their own: Swift 6.2 can't compile an initializer that throws before it has used them.
    private var buffer: [UInt8]
    private var nextJob: Int

    init(_ way: consuming Way, _ settings: MasterSettings) throws(CommandFailure) {
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(way.descriptor, token: 0, reading: true, writing: false)
            self.poller = poller
        } catch {
            throw CommandFailure("\(error)")
        }
        self.way = way
        self.settings = settings
        (buffer, nextJob) = ([UInt8](repeating: 0, count: 4_096), 0)
        master = MasterState(settings)
    }

    /// Sets the line anew; a connection has none.
    mutating func set(_ line: LineSettings) throws(CommandFailure) {
        let path: String? =
            switch way {
            case .serial(let port): port.path
            case .socket: nil
            }
        guard let path else { return }
        do throws(SerialError) {
            try SerialPort.set(way.descriptor, line, port: path)
        } catch {
            throw CommandFailure("\(error)")
        }
        settings.byteTime = line.byteTime
        master = MasterState(settings)
    }

    /// Sends bytes that are no Modbus frame.
    func put(_ bytes: [UInt8]) throws(CommandFailure) { try send(bytes) }

    /// What comes until then; empty if nothing does.
    mutating func hear(until deadline: ContinuousClock.Instant) throws(CommandFailure) -> [UInt8] {
        var ready: [PollEvent] = []
        do throws(SystemError) {
            try poller.wait(until: deadline, into: &ready)
        } catch {
            throw CommandFailure("\(error)")
        }
        return ready.isEmpty ? [] : Array(buffer[..<(try read())])
    }

    /// Sends a request and waits for its answer.
    mutating func ask(_ unit: UInt8, _ request: Request) throws(CommandFailure) -> MasterState.Outcome {
        nextJob += 1
        master.submit(MasterState.Job(id: nextJob, unit: unit, request: request))
        var ready: [PollEvent] = []
        while true {
            if let finished = master.takeFinished().first { return finished.outcome }
            switch master.nextAction(at: .now) {
            case .send(let frame):
                try send(frame)
                master.sent(at: .now)
            case .wait(let until):
                if let finished = master.takeFinished().first { return finished.outcome }
                do throws(SystemError) {
                    try poller.wait(until: until, into: &ready)
                } catch {
                    throw CommandFailure("\(error)")
                }
                if !ready.isEmpty { try receive() }
            }
        }
    }

    private func send(_ frame: [UInt8]) throws(CommandFailure) {
        // A frame fits into the kernel's buffer.
        switch way {
        case .serial(let port):
            guard case .sent(frame.count) = port.send(frame.span) else { throw CommandFailure("the port is gone") }
        case .socket(let socket):
            guard case .sent(frame.count) = Socket.send(socket.rawValue, frame.span, more: false) else {
                throw CommandFailure("the connection is gone")
            }
        }
    }

    private mutating func receive() throws(CommandFailure) {
        let count = try read()
        if count > 0 { Self.received(&master, buffer, count) }
    }

    /// Reads into the buffer; returns how many bytes.
    private mutating func read() throws(CommandFailure) -> Int {
        switch way {
        case .serial(let port):
            switch port.receive(into: &buffer) {
            case .bytes(let received): received
            case .wouldBlock: 0
            case .lost(let error): throw CommandFailure("\(error)")
            }
        case .socket(let socket):
            switch Socket.receive(socket.rawValue, into: &buffer) {
            case .bytes(let received): received
            case .wouldBlock: 0
            case .closed, .failed: throw CommandFailure("the other side closed the connection")
            }
        }
    }

    /// Apart, because a span of one stored property and a change of another don't go together in one expression.
    private static func received(_ master: inout MasterState, _ buffer: [UInt8], _ count: Int) {
        master.bytesReceived(buffer.span.extracting(0..<count), at: .now)
    }
}
