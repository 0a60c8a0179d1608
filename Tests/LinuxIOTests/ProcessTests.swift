import Foundation
import Readings
import Synchronization
import Testing

@testable import LinuxIO

@Suite struct ProcessTests {
    @Test func `the kernel has room for descriptors before they come`() throws {
        DescriptorLimit.raise()
        let before = try Set(File.names(in: "/proc/self/fd"))
        DescriptorLimit.makeRoom(for: 900)
        let status = String(decoding: try File.read("/proc/self/status"), as: UTF8.self)
        let size = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
        #expect(try #require(Int(size.dropFirst(7).trimmingCharacters(in: .whitespaces))) >= 900)
        // The descriptor that asked for it is closed again; other tests have theirs.
        #expect(try !File.names(in: "/proc/self/fd").contains { !before.contains($0) && (Int($0) ?? 0) >= 899 })
    }

    @Test func `a thread has its name, cut to what the kernel keeps`() throws {
        let name = Mutex("")
        let gate = try WakeUp()
        let thread = try NamedThread.start("a-long-thread-name") {
            // The name is given from outside, after the start.
            var poller = try? Poller()
            var ready: [PollEvent] = []
            try? poller?.add(gate.descriptor, token: 0, reading: true, writing: false)
            try? poller?.wait(until: nil, into: &ready)
            let text = (try? File.read("/proc/thread-self/comm")) ?? []
            name.withLock { $0 = String(decoding: text, as: UTF8.self) }
        }
        gate.signal()
        thread.join()
        #expect(name.withLock { $0 } == "a-long-thread-n\n")
    }

    @Test func `a signal is read, and none is none`() throws {
        let seen = Mutex<[Signal?]>([])
        let thread = try NamedThread.start("signals") {
            guard let signals = try? SignalFD([.hangUp, .terminate]) else { return }
            let none = try? signals.next()
            let alsoNone = try? signals.wait(until: ContinuousClock.now + .milliseconds(2))
            raise(SIGHUP)
            let hangUp = try? signals.wait()
            raise(SIGTERM)
            let terminate = try? signals.next()
            seen.withLock { $0 = [none ?? nil, alsoNone ?? nil, hangUp ?? nil, terminate ?? nil] }
        }
        thread.join()
        #expect(seen.withLock { $0 } == [nil, nil, .hangUp, .terminate])
    }

    @Test func `the wall clock agrees with Foundation's`() {
        let before = Int64(Date().timeIntervalSince1970 * 1000) - 1
        let now = WallClock.now
        #expect(now.milliseconds >= before)
        #expect(now.milliseconds <= before + 5000)
    }

    @Test func `a time is shown as the local clock shows it`() {
        let shown = WallClock.local(Timestamp(milliseconds: 1_483_382_402_250))
        let parts = Calendar.current.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: 1_483_382_402))
        #expect([shown.year, shown.month, shown.day] == [parts.year, parts.month, parts.day])
        #expect([shown.hour, shown.minute, shown.second] == [parts.hour, parts.minute, parts.second])
        #expect(shown.millisecond == 250)
    }

    @Test func `seeds differ`() {
        #expect(Entropy.seed() != Entropy.seed())
    }

    @Test func `an error has its call, its subject and the system's sentence`() {
        let error = SystemError(code: EACCES, call: "open", subject: "/dev/ttyUSB0")
        #expect(error.description == "open /dev/ttyUSB0: Permission denied")
        #expect(error.kind == .noPermission)
        #expect(SystemError(code: ENODEV, call: "read").description == "read: No such device")
    }
}
