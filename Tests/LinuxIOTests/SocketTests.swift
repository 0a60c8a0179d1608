import Testing

@testable import LinuxIO

@Suite struct SocketTests {
    private func waitUntilReadable(_ descriptor: CInt) throws {
        var poller = try Poller()
        var ready: [PollEvent] = []
        try poller.add(descriptor, token: 0, reading: true, writing: false)
        try poller.wait(until: ContinuousClock.now + .seconds(10), into: &ready)
        #expect(ready.count == 1)
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `bytes go both ways over TCP, and the end is seen`(address: String) throws {
        let listener = try Socket.listen(address: address, port: 0)
        let port = try #require(Socket.localPort(listener.rawValue))
        let client = try Socket.connect(address: address, port: port)
        try waitUntilReadable(listener.rawValue)
        guard case .connection(let server, let peer) = Socket.accept(listener.rawValue) else {
            Issue.record("no connection")
            return
        }
        Socket.setNoDelay(server.rawValue)
        #expect(peer.isLoopback)
        #expect(peer.description.hasPrefix(address == "::1" ? "[::1]:" : "127.0.0.1:"))
        #expect(Socket.connectError(client.rawValue) == nil)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(Socket.receive(server.rawValue, into: &buffer) == .wouldBlock)
        #expect(Socket.send(client.rawValue, [1, 2, 3].span, more: false) == .sent(3))
        try waitUntilReadable(server.rawValue)
        #expect(Socket.receive(server.rawValue, into: &buffer) == .bytes(3))
        #expect(buffer.prefix(3) == [1, 2, 3])
        Socket.shutDownWriting(client.rawValue)
        try waitUntilReadable(server.rawValue)
        #expect(Socket.receive(server.rawValue, into: &buffer) == .closed)
        #expect(Socket.send(server.rawValue, [4].span, more: true) == .sent(1))
    }

    @Test func `a full socket says would block, a closed one fails without a signal`() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let port = try #require(Socket.localPort(listener.rawValue))
        let client = try Socket.connect(address: "127.0.0.1", port: port)
        try waitUntilReadable(listener.rawValue)
        guard case .connection(let server, _) = Socket.accept(listener.rawValue) else {
            Issue.record("no connection")
            return
        }
        let block = [UInt8](repeating: 0, count: 1 << 20)
        var outcome = Socket.Sent.sent(0)
        while case .sent = outcome { outcome = Socket.send(client.rawValue, block.span, more: false) }
        #expect(outcome == .wouldBlock)
        try server.close()
        // The reset has come when the client's end has something to say.
        try waitUntilReadable(client.rawValue)
        outcome = .sent(0)
        while case .sent = outcome { outcome = Socket.send(client.rawValue, [1].span, more: false) }
        guard case .failed = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a Unix socket has its mode, refuses a second owner and replaces a stale one`() throws {
        let path = "/tmp/martlet-socket-\(Entropy.seed())"
        defer { Socket.removePath(path) }
        let first = try Socket.listen(path: path, mode: 0o640)
        #expect(try TestFolder.mode(path) == 0o640)
        let error = #expect(throws: SystemError.self) { _ = try Socket.listen(path: path, mode: 0o600) }
        #expect(error?.kind == .inUse)
        // Closed without removing the file, as after a crash.
        try first.close()
        let second = try Socket.listen(path: path, mode: 0o600)
        let client = try Socket.connect(path: path)
        guard case .connection(_, let peer) = Socket.accept(second.rawValue) else {
            Issue.record("no connection")
            return
        }
        #expect(peer.description == "local" && peer.isLoopback && peer.host.isEmpty)
        #expect(client.rawValue >= 0)
    }

    @Test func `what can't be listened on says what and why`() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let port = try #require(Socket.localPort(listener.rawValue))
        let taken = #expect(throws: SystemError.self) { _ = try Socket.listen(address: "127.0.0.1", port: port) }
        #expect(taken?.description == "bind 127.0.0.1 port \(port): Address already in use")
        let wrong = #expect(throws: SystemError.self) { _ = try Socket.listen(address: "localhost", port: 0) }
        #expect(wrong?.description == "bind localhost port 0: Invalid argument")
        let long = String(repeating: "x", count: 200)
        #expect(throws: SystemError.self) { _ = try Socket.listen(path: "/tmp/\(long)", mode: 0o600) }
    }

    @Test func `an address resolves to itself`() throws {
        #expect(try Socket.resolve("127.0.0.1") == ["127.0.0.1"])
        #expect(try Socket.resolve("::1") == ["::1"])
    }
}
