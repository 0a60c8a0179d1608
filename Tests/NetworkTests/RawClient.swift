import Glibc
import LinuxIO

/// Bytes to and from a server, for tests of what stands around MQTT.
final class RawClient {
    private let descriptor: OwnedDescriptor
    private(set) var received: [UInt8] = []
    /// The server closed, or will send no more.
    private(set) var isEnded = false

    init(port: UInt16) throws {
        descriptor = try Socket.connect(address: "127.0.0.1", port: port)
        wait(for: POLLOUT)
    }

    /// Sends all of it, as the server takes it.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest)
            switch Socket.send(descriptor.rawValue, part.span, more: false) {
            case .sent(let count): rest = rest.dropFirst(count)
            case .wouldBlock: wait(for: POLLOUT)
            case .failed: return
            }
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Reads until `isEnough` or the end, or half a minute without a byte.
    @discardableResult
    func read(until isEnough: ([UInt8]) -> Bool = { _ in false }) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isEnough(received), !isEnded {
            guard wait(for: POLLIN) else { return received }
            switch Socket.receive(descriptor.rawValue, into: &buffer) {
            case .bytes(let count): received += buffer[..<count]
            case .wouldBlock: break
            case .closed, .failed: isEnded = true
            }
        }
        return received
    }

    /// Reads this many bytes and takes them.
    func take(_ count: Int) -> [UInt8] {
        read { $0.count >= count }
        defer { received.removeFirst(min(count, received.count)) }
        return Array(received.prefix(count))
    }

    /// Reads up to and with this text and takes it.
    func take(through text: String) -> String {
        let mark = Array(text.utf8)
        func end(_ bytes: [UInt8]) -> Int? {
            guard bytes.count >= mark.count else { return nil }
            return (mark.count...bytes.count).first { Array(bytes[($0 - mark.count)..<$0]) == mark }
        }
        read { end($0) != nil }
        return String(decoding: take(end(received) ?? received.count), as: UTF8.self)
    }

    @discardableResult
    private func wait(for event: Int32) -> Bool {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(event), revents: 0)
        return Glibc.poll(&poll, 1, 30_000) > 0
    }
}

/// Packets in bytes, for tests that write them themselves.
enum Packets {
    /// CONNECT of MQTT 3.1.1 without anything but a one-letter client id, or none.
    static func connect(_ name: Character?) -> [UInt8] {
        let name = name.map { Array("\($0)".utf8) } ?? []
        return [0x10, UInt8(12 + name.count), 0, 4] + Array("MQTT".utf8) + [4, 2, 0, 0, 0, UInt8(name.count)] + name
    }

    /// The request of a WebSocket client.
    static let upgrade = [
        "GET /mqtt HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt",
        "", "",
    ].joined(separator: "\r\n")

    static let connack: [UInt8] = [0x20, 2, 0, 0]

    /// QoS 0.
    static func publish(_ topic: String, _ payload: String) -> [UInt8] {
        let body = [0, UInt8(topic.utf8.count)] + Array((topic + payload).utf8)
        return [0x30, UInt8(body.count)] + body
    }

    /// To one topic, at QoS 0.
    static func subscribe(_ topic: String) -> [UInt8] {
        let body = [0, 1, 0, UInt8(topic.utf8.count)] + Array(topic.utf8) + [0]
        return [0x82, UInt8(body.count)] + body
    }
}
