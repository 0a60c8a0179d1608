import Foundation
import Testing

@testable import LinuxIO

@Suite struct NotifyTests {
    /// A datagram socket that systemd would listen on; a name that begins with '@' is abstract.
    private func listen(_ name: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.utf8.enumerated() { path[index] = byte == UInt8(ascii: "@") ? 0 : byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(result == 0)
        return descriptor
    }

    private func next(_ descriptor: CInt) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test(arguments: ["/tmp/martlet-notify-", "@martlet-notify-"])
    func `what happens is told to the service manager`(prefix: String) throws {
        let name = prefix + String(Entropy.seed())
        let descriptor = try listen(name)
        defer {
            close(descriptor)
            unlink(name)
        }
        let notify = try #require(Notify { $0 == "NOTIFY_SOCKET" ? name : nil })
        #expect(notify.watchdogTimeout == nil)
        try notify.ready(status: "3 devices\nand a line")
        #expect(next(descriptor) == "READY=1\nSTATUS=3 devices and a line\n")
        try notify.watchdog()
        #expect(next(descriptor) == "WATCHDOG=1\n")
        try notify.status("one device offline")
        #expect(next(descriptor) == "STATUS=one device offline\n")
        try notify.stopping()
        #expect(next(descriptor) == "STOPPING=1\n")
    }

    @Test func `nobody is told where nobody listens`() {
        #expect(Notify { _ in nil } == nil)
        #expect(Notify { $0 == "NOTIFY_SOCKET" ? "" : nil } == nil)
        #expect(Notify { $0 == "NOTIFY_SOCKET" ? "vsock:2:1" : nil } == nil)
        let gone = Notify { $0 == "NOTIFY_SOCKET" ? "/nowhere/socket" : nil }
        #expect(throws: SystemError.self) { try gone?.watchdog() }
    }

    @Test func `the watchdog's time is ours only if it names our process`() {
        func timeout(_ process: String?) -> Duration? {
            let variables = ["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": process]
            return Notify { variables[$0] ?? nil }?.watchdogTimeout
        }
        #expect(timeout(nil) == .seconds(30))
        #expect(timeout(String(getpid())) == .seconds(30))
        #expect(timeout("1") == nil)
    }
}
