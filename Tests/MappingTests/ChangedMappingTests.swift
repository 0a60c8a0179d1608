import Readings
import Testing

@testable import Mapping

@Suite struct ChangedMappingTests {
    private let start = ContinuousClock.now
    private let noon = Timestamp(milliseconds: 9)

    private func device(_ key: String, _ points: String...) -> MappedDevice {
        MappedDevice(key: key, points: points.map { MappedPoint(name: $0) })
    }

    private func settings(_ devices: MappedDevice...) -> MappingSettings {
        MappingSettings(gateway: "pi", devices: devices)
    }

    private func reading(_ device: String, _ point: String) -> DeviceReport {
        .readings([
            Reading(
                device: device, point: point, value: .number(5), unit: nil,
                measuredAt: .at(Timestamp(milliseconds: 7)))
        ])
    }

    private func texts(_ publications: [Publication]) -> [String] {
        publications.map {
            String(decoding: $0.topic, as: UTF8.self) + " " + String(decoding: $0.payload, as: UTF8.self)
        }
    }

    /// Two meters that are online and have said something.
    private func busy() -> Mapper {
        var mapper = Mapper(settings(device("a", "power"), device("b", "power")))
        _ = mapper.start(at: noon)
        for key in ["a", "b"] {
            _ = mapper.received(.status(device: key, .online, since: .at(noon)), at: start)
            _ = mapper.received(reading(key, "power"), at: start)
        }
        return mapper
    }

    @Test func `a device that stays as it is notices nothing, and a new one is not heard of yet`() {
        var mapper = busy()
        let added = settings(device("a", "power"), device("b", "power"), device("c", "level"))
        let sent = mapper.apply(added, at: noon, now: start + .seconds(1))
        #expect(
            texts(sent) == [
                #"pi/c/$online {"state":"offline","since":9,"reason":"starting","#
                    + #""detail":"not heard of since it was configured"}"#
            ])
        // What was sent before is known: the same value is no news.
        #expect(mapper.received(reading("a", "power"), at: start + .seconds(2)).isEmpty)
        #expect(mapper.received(reading("c", "level"), at: start + .seconds(2)).count == 1)
    }

    @Test func `a device that is gone says that its values are stale, and why it is offline`() {
        var mapper = busy()
        let sent = mapper.apply(settings(device("b", "power")), at: noon, now: start + .seconds(1))
        #expect(
            texts(sent) == [
                #"pi/a/power {"v":5,"t":7,"q":"stale","n":3}"#,
                #"pi/a/$online {"state":"offline","since":9,"reason":"removed","#
                    + #""detail":"the configuration has no such device any more"}"#,
            ])
        #expect(mapper.received(reading("a", "power"), at: start + .seconds(2)).isEmpty)
        #expect(mapper.apply(settings(device("b", "power")), at: noon, now: start).isEmpty)
    }

    @Test func `a point that goes to another topic is stale on the old one`() {
        var mapper = busy()
        var moved = settings(device("a", "power"), device("b", "power"))
        moved.topics.state = "{gateway}/new/{device}/{point}"
        let sent = mapper.apply(moved, at: noon, now: start + .seconds(1))
        #expect(
            texts(sent) == [
                #"pi/a/power {"v":5,"t":7,"q":"stale","n":3}"#, #"pi/b/power {"v":5,"t":7,"q":"stale","n":4}"#,
            ])
        let next = mapper.received(reading("a", "power"), at: start + .seconds(2))
        #expect(texts(next) == [#"pi/new/a/power {"v":5,"t":7,"q":"good","n":5}"#])
    }

    @Test func `a device whose availability goes to another topic is said there, and gone on the old one`() {
        var mapper = busy()
        var moved = settings(device("a", "power"), device("b", "power"))
        moved.topics.availability = "{gateway}/there/{device}"
        let topics = texts(mapper.apply(moved, at: noon, now: start)).map { $0.prefix { $0 != " " } }
        #expect(topics == ["pi/a/$online", "pi/there/a", "pi/b/$online", "pi/there/b"])
    }

    @Test func `the gateway's own topic stays, because its will does`() {
        var mapper = busy()
        var moved = settings(device("a", "power"), device("b", "power"))
        moved.topics.gateway = "{gateway}/elsewhere"
        #expect(mapper.apply(moved, at: noon, now: start).isEmpty)
        let last = mapper.stop(at: noon, now: start).last
        #expect(last.map { String(decoding: $0.topic, as: UTF8.self) } == "pi/$online")
    }
}
