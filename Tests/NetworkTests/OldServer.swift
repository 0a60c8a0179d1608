import Glibc
import LinuxIO
import Synchronization

/// A server from before MQTT 5: refuses its CONNECT in its own form, and takes one of 3.1.1.
final class OldServer: Sendable {
    let port: UInt16
    private let seen = Mutex<[UInt8]>([])

    /// The protocol levels of the CONNECTs that came.
    var levels: [UInt8] { seen.withLock { $0 } }

    init() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        port = Socket.localPort(listener.rawValue) ?? 0
        let descriptor = dup(listener.rawValue)
        _ = fcntl(descriptor, F_SETFL, 0)
        _ = try NamedThread.start("old server") { [self] in serve(descriptor) }
    }

    /// Ends when it has accepted one.
    private func serve(_ listener: CInt) {
        defer { close(listener) }
        var isAccepted = false
        while !isAccepted {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 1024)
            // The whole CONNECT comes at once on loopback; its level is behind the name.
            guard read(connection, &buffer, buffer.count) > 8 else { return }
            seen.withLock { $0.append(buffer[8]) }
            isAccepted = buffer[8] == 4
            let answer: [UInt8] = [0x20, 0x02, 0x00, isAccepted ? 0 : 1]
            _ = write(connection, answer, answer.count)
            if isAccepted { while read(connection, &buffer, buffer.count) > 0 {} }
            close(connection)
        }
    }
}
