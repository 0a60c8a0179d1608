import Testing

@testable import LinuxIO

@Suite struct PollerTests {
    @Test func `a wake-up from another thread is an event until it is cleared`() throws {
        var poller = try Poller()
        let wakeUp = try WakeUp()
        var ready: [PollEvent] = []
        try poller.add(wakeUp.descriptor, token: 7, reading: true, writing: false)
        let thread = try NamedThread.start("waker") { wakeUp.signal() }
        try poller.wait(until: nil, into: &ready)
        #expect(ready == [PollEvent(token: 7, isReadable: true, isWritable: false, isHangUp: false)])
        thread.join()
        wakeUp.clear()
        try poller.wait(until: ContinuousClock.now, into: &ready)
        #expect(ready.isEmpty)
    }

    @Test func `a wait lasts to its deadline in one turn`() throws {
        var poller = try Poller()
        var ready: [PollEvent] = []
        let deadline = ContinuousClock.now + .microseconds(2500)
        try poller.wait(until: deadline, into: &ready)
        #expect(ContinuousClock.now >= deadline)
    }

    @Test func `a terminal is writable, then readable, then hung up`() throws {
        var poller = try Poller()
        var ready: [PollEvent] = []
        let pty = try PseudoTerminal()
        let port = try TTY.open(pty.path)
        try poller.add(port.rawValue, token: 1, reading: true, writing: true)
        try poller.wait(until: ContinuousClock.now, into: &ready)
        #expect(ready.map(\.isWritable) == [true])
        try poller.modify(port.rawValue, token: 2, reading: true, writing: false)
        try poller.wait(until: ContinuousClock.now, into: &ready)
        #expect(ready.isEmpty)
        _ = pty.send([1, 2].span)
        try poller.wait(until: ContinuousClock.now + .seconds(5), into: &ready)
        #expect(ready.map(\.token) == [2])
        #expect(ready.map(\.isReadable) == [true])
        _ = consume pty
        try poller.wait(until: ContinuousClock.now + .seconds(5), into: &ready)
        #expect(ready.map(\.isHangUp) == [true])
        try poller.remove(port.rawValue)
    }

    @Test func `an unknown descriptor is an error that says so`() throws {
        var poller = try Poller()
        let error = #expect(throws: SystemError.self) { try poller.remove(-1) }
        #expect(error?.description == "epoll_ctl: Bad file descriptor")
    }
}
