import Client
import LinuxIO

/// One MQTT connection of a command, on the thread that uses it.
struct BrokerConnection: ~Copyable {
    /// What a turn ended with.
    enum Turn {
        case events([ClientEvent])
        case timedOut
        /// Ctrl-C, or a polite request to end.
        case interrupted
    }

    private enum Token: UInt64 {
        case socket
        case signals
    }

    private static let connectTimeout: Duration = .seconds(10)

    var client: ClientState
    private let descriptor: OwnedDescriptor
    private let signals: SignalFD
    private var poller: Poller
    // Without values of their own: Swift 6.2 can't compile an initializer that throws before it has used them.
    private var buffer: [UInt8]
    private var unsent: [UInt8]
    private var waitsToWrite: Bool

    /// Connects the socket and says CONNECT; `connected` comes with a later turn.
    init(_ options: BrokerOptions) throws(CommandFailure) {
        do {
            try self.init(Self.open(options), options)
        } catch {
            throw CommandFailure("can't connect to \(options.place): \(Self.sentence(error))")
        }
    }

    private init(_ descriptor: consuming OwnedDescriptor, _ options: BrokerOptions) throws(SystemError) {
        let signals = try SignalFD([.interrupt, .terminate])
        var poller = try Poller()
        try poller.add(descriptor.rawValue, token: Token.socket.rawValue, reading: true, writing: false)
        try poller.add(signals.descriptor, token: Token.signals.rawValue, reading: true, writing: false)
        self.descriptor = descriptor
        self.signals = signals
        self.poller = poller
        (buffer, unsent, waitsToWrite) = ([UInt8](repeating: 0, count: 65536), [], false)
        client = ClientState(options.clientSettings, now: .now)
        client.transportOpened(now: .now)
    }

    /// Goes on until something happens that the caller should know, or `deadline` has come.
    mutating func turn(until deadline: ContinuousClock.Instant?) throws(CommandFailure) -> Turn {
        var ready: [PollEvent] = []
        while true {
            try flush()
            let events = client.takeEvents()
            if !events.isEmpty { return .events(events) }
            if let deadline, ContinuousClock.now >= deadline { return .timedOut }
            do {
                try poller.wait(until: [deadline, client.wakeAt].compactMap(\.self).min(), into: &ready)
            } catch {
                throw CommandFailure("\(error)")
            }
            for event in ready {
                if event.token == Token.signals.rawValue { return .interrupted }
                if event.isReadable || event.isHangUp { read() }
            }
            client.tick(now: .now)
        }
    }

    /// Says goodbye.
    mutating func disconnect() {
        client.disconnect()
        try? flush()
        Socket.shutDownWriting(descriptor.rawValue)
    }

    // MARK: socket

    private mutating func flush() throws(CommandFailure) {
        unsent += client.takeOutput(now: .now)
        while !unsent.isEmpty {
            switch Socket.send(descriptor.rawValue, unsent.span, more: false) {
            case .sent(let count): unsent.removeFirst(count)
            case .wouldBlock: return try setWaitsToWrite(true)
            case .failed(let error):
                unsent = []
                client.transportClosed("\(error)")
            }
        }
        try setWaitsToWrite(false)
    }

    private mutating func setWaitsToWrite(_ waits: Bool) throws(CommandFailure) {
        guard waits != waitsToWrite else { return }
        waitsToWrite = waits
        do {
            try poller.modify(descriptor.rawValue, token: Token.socket.rawValue, reading: true, writing: waits)
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private mutating func read() {
        switch Socket.receive(descriptor.rawValue, into: &buffer) {
        case .bytes(let count):
            let received = Array(buffer[..<count])
            client.received(received.span, now: .now)
        case .wouldBlock: break
        case .closed: client.transportClosed("the broker closed the connection")
        case .failed(let error): client.transportClosed("\(error)")
        }
    }

    private static func open(_ options: BrokerOptions) throws -> OwnedDescriptor {
        if let path = options.unix { return try Socket.connect(path: path) }
        let deadline = ContinuousClock.now + connectTimeout
        var addresses = try Socket.resolve(options.host)[...]
        while let address = addresses.popFirst() {
            do {
                return try connected(address, options.port, until: deadline)
            } catch {
                // A name often has an IPv6 and an IPv4 address, and a broker on one of them.
                guard !addresses.isEmpty, ContinuousClock.now < deadline else { throw error }
            }
        }
        throw SystemError(code: SystemError.timedOut, call: "connect")
    }

    private static func connected(
        _ address: String, _ port: UInt16, until deadline: ContinuousClock.Instant
    ) throws(SystemError) -> OwnedDescriptor {
        let socket = try Socket.connect(address: address, port: port)
        var poller = try Poller()
        try poller.add(socket.rawValue, token: 0, reading: false, writing: true)
        var ready: [PollEvent] = []
        try poller.wait(until: deadline, into: &ready)
        guard !ready.isEmpty else { throw SystemError(code: SystemError.timedOut, call: "connect") }
        if let code = Socket.connectError(socket.rawValue) { throw SystemError(code: code, call: "connect") }
        Socket.setNoDelay(socket.rawValue)
        return socket
    }

    private static func sentence(_ error: any Error) -> String {
        guard let error = error as? SystemError else { return "\(error)" }
        return "\(SystemError.text(of: error.code)); does a broker run there? `martlet run` starts one"
    }
}
