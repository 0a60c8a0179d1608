import MQTTCodec
import Readings
import Testing

@testable import Mapping

@Suite struct MapperTests {
    private let start = ContinuousClock.now

    private func mapper(_ change: (inout MappedPoint) -> Void = { _ in }) -> Mapper {
        var power = MappedPoint(name: "power", unit: "W")
        power.interval = .seconds(2)
        change(&power)
        var energy = MappedPoint(name: "energy", unit: "kWh")
        energy.interval = .seconds(30)
        return Mapper(
            MappingSettings(gateway: "pi", devices: [MappedDevice(key: "meter", points: [power, energy])]),
            nextSequenceNumber: 100)
    }

    private func reading(_ point: String, _ value: Double, _ milliseconds: Int64) -> Reading {
        Reading(
            device: "meter", point: point, value: .number(value), unit: "W",
            measuredAt: .at(Timestamp(milliseconds: milliseconds)))
    }

    private func texts(_ publications: [Publication]) -> [String] {
        publications.map {
            String(decoding: $0.topic, as: UTF8.self) + " " + String(decoding: $0.payload, as: UTF8.self)
        }
    }

    @Test func `at the start the gateway is online and its devices are not heard of yet`() {
        var mapper = mapper()
        let first = mapper.start(at: Timestamp(milliseconds: 5))
        #expect(
            texts(first) == [
                #"pi/$online {"state":"online","since":5}"#,
                #"pi/meter/$online {"state":"offline","since":5,"reason":"starting","#
                    + #""detail":"not heard of since the gateway started"}"#,
            ])
        #expect(first.allSatisfy { $0.retain && $0.qos == .atLeastOnce && $0.expirySeconds == nil })
    }

    @Test func `readings get numbers in the order in which they are published`() {
        var mapper = mapper()
        let sent = mapper.received(.readings([reading("power", 5, 10), reading("energy", 6, 11)]), at: start)
        #expect(
            texts(sent) == [
                #"pi/meter/power {"v":5,"u":"W","t":10,"q":"good","n":100}"#,
                #"pi/meter/energy {"v":6,"u":"W","t":11,"q":"good","n":101}"#,
            ])
        #expect(sent.map(\.expirySeconds) == [3600, 3600])
        #expect(mapper.nextSequenceNumber == 102)
    }

    @Test func `a reading that is held back takes no number`() {
        var mapper = mapper()
        _ = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        #expect(mapper.received(.readings([reading("power", 5, 20)]), at: start + .seconds(2)).isEmpty)
        #expect(mapper.nextSequenceNumber == 101)
    }

    @Test func `retain, qos and expiry are the point's own`() {
        var mapper = mapper { point in
            point.publish.retain = false
            point.publish.qos = .atMostOnce
            point.publish.expiry = nil
        }
        let sent = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        #expect(sent.first?.retain == false)
        #expect(sent.first?.qos == .atMostOnce)
        #expect(sent.first?.expirySeconds == .some(nil))
    }

    @Test func `it wakes for the value that waits, then for the one that gets stale`() {
        var mapper = mapper()
        _ = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        _ = mapper.received(.readings([reading("power", 6, 20)]), at: start + .milliseconds(500))
        #expect(mapper.wakeAt == start + .seconds(1))
        #expect(mapper.tick(at: start + .milliseconds(900)).isEmpty)
        #expect(texts(mapper.tick(at: start + .seconds(1))).map { $0.contains(#""v":6"#) } == [true])
        #expect(mapper.wakeAt == start + .milliseconds(6500))
        let stale = mapper.tick(at: start + .milliseconds(6500))
        #expect(texts(stale) == [#"pi/meter/power {"v":6,"u":"W","t":20,"q":"stale","n":102}"#])
        #expect(stale.first?.expirySeconds == 3594)  // 6 s older than when it came
        #expect(mapper.wakeAt == nil)
    }

    @Test func `an offline device's values are stale before the word is out, and only once`() {
        var mapper = mapper()
        _ = mapper.start(at: Timestamp(milliseconds: 0))
        #expect(
            texts(mapper.received(.status(device: "meter", .online, since: .at(Timestamp(milliseconds: 9))), at: start))
                == [#"pi/meter/$online {"state":"online","since":9}"#])
        _ = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        let offline = DeviceStatus.offline(.timeout, detail: "unit 1 on \"bus\": no answer 3x")
        let report = DeviceReport.status(device: "meter", offline, since: .at(Timestamp(milliseconds: 30)))
        #expect(
            texts(mapper.received(report, at: start + .seconds(1))) == [
                #"pi/meter/power {"v":5,"u":"W","t":10,"q":"stale","n":101}"#,
                #"pi/meter/$online {"state":"offline","since":30,"reason":"timeout","#
                    + #""detail":"unit 1 on \"bus\": no answer 3x"}"#,
            ])
        #expect(mapper.received(report, at: start + .seconds(2)).isEmpty)
    }

    @Test func `a value payload is silent about staleness and speaks again with the next reading`() {
        var mapper = mapper { $0.publish.payload = .value }
        _ = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        #expect(mapper.tick(at: start + .seconds(6)).isEmpty)
        #expect(
            texts(mapper.received(.readings([reading("power", 5, 20)]), at: start + .seconds(7))) == [
                "pi/meter/power 5"
            ])
    }

    @Test func `when the gateway stops, nothing it published looks fresh`() {
        var mapper = mapper()
        _ = mapper.received(.status(device: "meter", .online, since: .at(Timestamp(milliseconds: 9))), at: start)
        _ = mapper.received(.readings([reading("power", 5, 10)]), at: start)
        let last = texts(mapper.stop(at: Timestamp(milliseconds: 50), now: start + .seconds(1)))
        #expect(last.count == 3)
        #expect(last[0].contains(#""q":"stale""#))
        #expect(last[1].hasPrefix(#"pi/meter/$online {"state":"offline","since":50,"reason":"stopping""#))
        #expect(last[2].hasPrefix(#"pi/$online {"state":"offline","since":50,"reason":"stopping""#))
        #expect(mapper.wakeAt == nil)
    }

    @Test func `the will says that the gateway was lost`() {
        let will = mapper().will
        #expect(
            texts([will]) == [
                #"pi/$online {"state":"offline","reason":"lost","detail":"the gateway's connection ended without goodbye"}"#
            ])
        #expect(will.retain)
    }

    @Test func `a reading of a point nobody configured is counted and dropped`() {
        var mapper = mapper()
        #expect(mapper.received(.readings([reading("thd", 5, 10)]), at: start).isEmpty)
        #expect(
            mapper.received(.status(device: "toaster", .online, since: .at(Timestamp(milliseconds: 0))), at: start)
                .isEmpty)
        #expect(mapper.unknownReadings == 1)
    }
}
