import Bytes
import LinuxIO
import Modbus
import Synchronization

/// A Modbus TCP device on loopback whose answers the test gives: function code and data, or nil for silence.
actor ModbusServer {
    typealias Answer = @Sendable (Request) -> [UInt8]?

    nonisolated let port: UInt16
    nonisolated let requests = Mutex<[Request]>([])
    private let loop: EventLoop
    private let listener: OwnedDescriptor
    private let answer: Answer
    private var running: Task<Void, Never>?
    private var connection: Task<Void, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(on loop: EventLoop, answer: @escaping Answer) throws {
        self.loop = loop
        self.answer = answer
        listener = try Socket.listen(address: "127.0.0.1", port: 0)
        port = Socket.localPort(listener.rawValue) ?? 0
    }

    func start() {
        running = Task { await run() }
    }

    func stop() async {
        running?.cancel()
        connection?.cancel()
        await running?.value
    }

    /// Closes the connection; the next one is accepted.
    func cut() {
        connection?.cancel()
    }

    private func run() async {
        while !Task.isCancelled {
            guard case .ready = await loop.readable(listener.rawValue) else { return }
            guard case .connection(let socket, _) = Socket.accept(listener.rawValue) else { continue }
            let raw = socket.rawValue
            let task = Task { await serve(raw) }
            connection = task
            await task.value
            connection = nil
        }
    }

    private func serve(_ socket: CInt) async {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 300)
        while case .ready = await loop.readable(socket) {
            guard case .bytes(let count) = Socket.receive(socket, into: &buffer) else { return }
            received += buffer[..<count]
            while received.count >= 7, received.count >= 6 + Int(received[5]) {
                reply(to: Array(received[..<(6 + Int(received[5]))]), socket)
                received.removeFirst(6 + Int(received[5]))
            }
        }
    }

    private func reply(to frame: [UInt8], _ socket: CInt) {
        let pdu = Array(frame[7...])
        guard let request = Request(pdu: pdu.span) else { return }
        requests.withLock { $0.append(request) }
        guard let answered = answer(request) else { return }
        let transaction = UInt16(frame[0]) << 8 | UInt16(frame[1])
        let bytes = TCPFrame.encode(transaction: transaction, unit: frame[6], pdu: answered)
        _ = Socket.send(socket, bytes.span, more: false)
    }
}
