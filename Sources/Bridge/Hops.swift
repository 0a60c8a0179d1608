import MQTTCodec

/// The gateways that a message came through, in a user property of MQTT 5: what has been here before is not sent again.
///
/// `martlet-hops: a,b:in` says that gateway a sent it to its server, and that gateway b took it from its server. `?` says
/// that it came over MQTT 3.1.1, which can't tell what was before.
struct Hops {
    /// Which way a message crosses the bridge.
    enum Direction {
        case out, into
    }

    static let property = Array("martlet-hops".utf8)
    private static let comma = UInt8(ascii: ",")
    private static let taken = Array(":in".utf8)
    private static let unknown = [UInt8(ascii: "?")]
    /// A list that grows for ever would be a loop of its own.
    private static let most = 8

    private var entries: [[UInt8]] = []

    init(of message: Publish) {
        for property in message.properties.userProperties where property.name == Self.property {
            entries += property.value.split(separator: Self.comma).map { Array($0) }
        }
    }

    /// Whether it may have come through gateways that are not in the list.
    var isIncomplete: Bool { entries.contains(Self.unknown) }

    /// It came over a link that can't tell where it was.
    mutating func cameUnmarked() {
        if !isIncomplete { entries.append(Self.unknown) }
    }

    /// Whether a message may cross the bridge of `gateway`: it did not before, or just came in and goes on.
    func allow(_ direction: Direction, _ gateway: [UInt8]) -> Bool {
        let cameIn = gateway + Self.taken
        let before = direction == .out && entries.last == cameIn ? entries.dropLast() : entries[...]
        return entries.count < Self.most && !before.contains { $0 == gateway || $0 == cameIn }
    }

    /// Puts the list on a message, with this gateway behind it.
    func mark(_ message: inout Publish, _ direction: Direction, _ gateway: [UInt8]) {
        let cameIn = gateway + Self.taken
        let before = direction == .out && entries.last == cameIn ? entries.dropLast() : entries[...]
        let list = before + [direction == .out ? gateway : cameIn]
        message.properties.userProperties.removeAll { $0.name == Self.property }
        message.properties.userProperties.append(
            Properties.UserProperty(name: Self.property, value: Array(list.joined(separator: [Self.comma]))))
    }
}
