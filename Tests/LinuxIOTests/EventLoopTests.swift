import Synchronization
import Testing

@testable import LinuxIO

@Suite struct EventLoopTests {
    /// Runs the body in a task on a loop, and ends the loop.
    private func onLoop<Result: Sendable>(
        _ body: @escaping @Sendable (EventLoop) async throws -> Result
    ) async throws -> Result {
        let loop = try EventLoop(name: "test-loop")
        let result = await Task(executorPreference: loop) { try await body(loop) }.result
        loop.stop()
        return try result.get()
    }

    @Test func `a task with the loop as its executor runs on its thread`() async throws {
        let isCurrent = try await onLoop { loop in
            try await loop.sleep(for: .milliseconds(1))
            return loop.isCurrent
        }
        #expect(isCurrent)
    }

    @Test func `an actor with the loop as its executor runs on its thread`() async throws {
        actor Counter {
            let loop: EventLoop
            nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
            init(_ loop: EventLoop) { self.loop = loop }
            func isOnLoop() -> Bool {
                loop.checkIsolated()
                return loop.isCurrent
            }
        }
        let loop = try EventLoop(name: "test-loop")
        #expect(await Counter(loop).isOnLoop())
        loop.stop()
    }

    @Test func `sleeping ends at its time and not before, the earlier sleeper first`() async throws {
        let order = try await onLoop { loop in
            let start = ContinuousClock.now
            return try await withThrowingTaskGroup(of: Int.self) { group in
                for milliseconds in [30, 10, 20] {
                    group.addTask {
                        let deadline = start + .milliseconds(milliseconds)
                        try await loop.sleep(until: deadline)
                        #expect(ContinuousClock.now >= deadline)
                        return milliseconds
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(order == [10, 20, 30])
    }

    @Test func `a cancelled sleeper wakes at once`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let sleeper = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        loop.stop()
    }

    @Test func `a task that is cancelled already does not sleep`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let late = Task(executorPreference: loop) { () async throws -> Void in
            withUnsafeCurrentTask { $0?.cancel() }
            try await loop.sleep(for: .seconds(3600))
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        loop.stop()
    }

    // Cancellation comes from other threads, before, while and after the loop ends the wait by itself.
    @Test func `every wait ends once, whoever is first to end it`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2000 {
                let sleeper = Task(executorPreference: loop) {
                    try? await loop.sleep(for: .microseconds(number % 50 * 100))
                }
                group.addTask {
                    if number % 3 > 0 { sleeper.cancel() }
                    await sleeper.value
                    return true
                }
            }
            return await group.reduce(into: 0) { count, _ in count += 1 }
        }
        #expect(outcomes == 2000)
        loop.stop()
    }

    @Test func `stopping ends every wait`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let pty = try PseudoTerminal()
        let descriptor = pty.descriptor
        let sleeper = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
        let reader = Task(executorPreference: loop) { await loop.readable(descriptor) }
        loop.stop()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(await reader.value == .cancelled)
    }

    @Test func `readable waits for bytes, and no longer than it may`() async throws {
        let pty = try PseudoTerminal()
        let port = try TTY.open(pty.path)
        let (near, far) = (pty.descriptor, port.rawValue)
        let outcomes = try await onLoop { loop in
            let early = await loop.readable(near, until: ContinuousClock.now + .milliseconds(5))
            loop.execute { _ = try? TTY.write(far, [UInt8]("a".utf8).span) }
            let later = await loop.readable(near, until: ContinuousClock.now + .seconds(10))
            return [early, later, await loop.writable(near)]
        }
        #expect(outcomes == [.timedOut, .ready, .ready])
    }

    @Test func `a reader learns that the other end is gone`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let pty = try PseudoTerminal()
        let port = try TTY.open(pty.path)
        let descriptor = port.rawValue
        let reader = Task(executorPreference: loop) { await loop.readable(descriptor) }
        try await loop.blocking("wait") { () throws(CancellationError) in }
        _ = consume pty
        #expect(await reader.value == .ready)
        loop.stop()
    }

    @Test func `a descriptor that can't be watched fails the wait`() async throws {
        let outcome = try await onLoop { loop in await loop.readable(-1) }
        guard case .failed = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `blocking calls run elsewhere and hand back what can't be copied`() async throws {
        try await onLoop { loop in
            let file = try await loop.blocking("open") { () throws(SystemError) in
                #expect(!loop.isCurrent)
                return try OwnedDescriptor(opening: "/dev/null", 0)
            }
            #expect(file.rawValue >= 0)
            await #expect(throws: SystemError.self) {
                _ = try await loop.blocking("open") { () throws(SystemError) in
                    try OwnedDescriptor(opening: "/nowhere", 0)
                }
            }
            #expect(loop.isCurrent)
        }
    }

    @Test func `a turn is counted even while nobody asks for anything`() async throws {
        let loop = try EventLoop(name: "test-loop", heartbeatInterval: .milliseconds(1))
        let before = loop.turns
        while loop.turns < before + 5 { try await loop.sleep(for: .milliseconds(1)) }
        loop.stop()
    }

    @Test func `an idle loop does not spin`() async throws {
        let loop = try EventLoop(name: "test-loop", heartbeatInterval: .seconds(60))
        let before = loop.turns
        try await loop.sleep(for: .milliseconds(50))
        #expect(loop.turns - before < 10)
        loop.stop()
    }

    @Test func `work from other threads runs in its order`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let seen = Mutex<[Int]>([])
        for number in 0..<1000 { loop.execute { seen.withLock { $0.append(number) } } }
        loop.stop()
        #expect(seen.withLock { $0 } == Array(0..<1000))
    }

    @Test func `connecting reaches a listener and says why it can't`() async throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let port = try #require(Socket.localPort(listener.rawValue))
        try await onLoop { loop in
            let deadline = ContinuousClock.now + .seconds(10)
            let socket = try await loop.connect(host: "localhost", port: port, until: deadline)
            #expect(socket.rawValue >= 0)
            await #expect(throws: ResolveError.self) {
                _ = try await loop.connect(host: "no host has this name", port: port, until: deadline)
            }
        }
        try listener.close()
        try await onLoop { loop -> Void in
            await #expect(throws: SystemError.self) {
                _ = try await loop.connect(host: "127.0.0.1", port: port, until: ContinuousClock.now + .seconds(10))
            }
        }
    }
}
