import Bytes
import MQTTCodec
import Testing

@testable import Broker

/// A disk, and clients of the brokers that are on it one after the other.
class JournalBench {
    let disk = TestDisk()

    func client(
        _ broker: TestBroker, _ id: String, _ version: ProtocolVersion = .v5, clean: Bool = false,
        expiry: UInt32 = 3_600
    ) throws -> (client: TestClient, connack: Connack, after: [Seen]) {
        let client = try #require(broker.open())
        let seen = client.connect(id, version, clean: clean, expiry: version == .v5 ? expiry : nil)
        guard case .connack(let connack)? = seen.first else {
            Issue.record("no CONNACK: \(seen)")
            return (client, Connack(reasonCode: .unspecifiedError), [])
        }
        return (client, connack, Array(seen.dropFirst()))
    }

    /// A session whose client is away, and which is on the disk.
    func absent(_ broker: TestBroker, _ id: String, _ filter: String, _ qos: QoS = .atLeastOnce) throws {
        let away = try client(broker, id).client
        away.subscribe(filter, qos)
        broker.commit()
        _ = away.seen()
        away.lose()
        broker.commit()
    }

    /// The broker of another process, with what was on the disk.
    func restarted(after wall: Int64 = 0) -> TestBroker {
        disk.cut(keepingWhatIsUnderWay: false)
        return TestBroker(on: disk, wall: 1_772_346_600_000 + wall)
    }

    func acknowledgements(_ seen: [Seen], _ type: PacketType) -> [UInt16] {
        seen.compactMap { seen in
            guard case .acknowledgement(type, let packet) = seen else { return nil }
            return packet.packetID
        }
    }

    func publishes(_ seen: [Seen]) -> [Publish] {
        seen.compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return publish
        }
    }
}
