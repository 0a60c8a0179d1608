import Decoders
import Foundation
import Readings
import Testing

@Suite struct NMEATests {
    private func records(_ bytes: [UInt8], notBefore: Int64 = 0) -> [FieldRecord] {
        var decoder = NMEADecoder(longestPause: .seconds(5), notBefore: Timestamp(milliseconds: notBefore))
        let events = decoder.received(bytes.span, at: .now) + decoder.fellSilent()
        return events.compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    private struct Fix: Hashable {
        var time: String?
        var latitude: Int
        var longitude: Int
    }

    /// What gpsd made of a log, to a tenth of a metre.
    private func fixes(_ name: String) throws -> Set<Fix> {
        var fixes: Set<Fix> = []
        for line in StreamSample.file("nmea/\(name).log.chk").split(separator: UInt8(ascii: "\n"))
        where line.first == UInt8(ascii: "{") {
            guard let report = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                let latitude = report["lat"] as? Double, let longitude = report["lon"] as? Double
            else { continue }
            fixes.insert(
                Fix(time: report["time"] as? String, latitude: degrees(latitude), longitude: degrees(longitude)))
        }
        return fixes
    }

    private func degrees(_ number: Double) -> Int { Int((number * 1e6).rounded()) }

    @Test(arguments: ["bu353s4", "bu353-glonass", "mr-350p"])
    func `each moment has the position and the time that gpsd found`(name: String) throws {
        let expected = try fixes(name)
        let found = records(StreamSample.file("nmea/\(name).log")).filter { $0["fix"] != "none" }
        #expect(found.count >= 9)
        for record in found {
            let latitude = try #require(record["latitude"].flatMap(Double.init))
            let longitude = try #require(record["longitude"].flatMap(Double.init))
            let matching = expected.filter {
                abs($0.latitude - degrees(latitude)) <= 1 && abs($0.longitude - degrees(longitude)) <= 1
            }
            #expect(!matching.isEmpty, "\(latitude) \(longitude)")
            guard let time = record.time.timestamp?.textInUTC else { continue }
            #expect(matching.contains { $0.time == time || $0.time == nil }, "\(time)")
        }
        let times = Set(expected.compactMap(\.time))
        let foundTimes = Set(found.compactMap { $0.time.timestamp?.textInUTC })
        #expect(foundTimes.isSuperset(of: times))
    }

    @Test func `without a fix there is no position and no time`() {
        let text =
            "$GPRMC,143255.28,V,,S,,W,,,141102,,*12\r\n$GPGSA,A,1,,,,,,,,,,,,,,,,*32\r\n"
            + "$GPRMC,143256.28,V,,S,,W,,,141102,,*11\r\n"
        let found = records(Array(text.utf8))
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0["fix"] == "none" && $0["latitude"] == nil && $0["speed"] == nil })
        #expect(found.allSatisfy { $0.time.timestamp == nil })
    }

    // The receiver speaks SiRF's binary protocol, and has no fix.
    @Test func `a log in another language gives nothing`() {
        #expect(records(StreamSample.file("nmea/bu303-nofix.log")).isEmpty)
    }

    // On 6 April 2019 receivers began to count again, at 22 August 1999; one wrote 2208-1.
    @Test func `a receiver whose weeks began again has the right time`() {
        let found = records(StreamSample.file("nmea/april6_2019.log"), notBefore: 1_546_300_800_000)
        #expect(found.map { $0["fix"] } == ["none", "yes", "yes"] || found.map { $0["fix"] } == ["none", "yes"])
        #expect(found.last?.time.timestamp?.textInUTC == "2019-04-07T00:02:31.420Z")
        #expect(found.dropLast().allSatisfy { $0.time.timestamp == nil })
    }

    @Test func `the values are those of the example that everybody quotes`() {
        let text =
            "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
            + "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n"
        let found = records(Array(text.utf8))
        #expect(found.count == 1)
        #expect(found.first?["latitude"] == "48.1173")
        #expect(found.first?["altitude"] == "545.4")
        #expect(found.first?["speed"] == "022.4")
        #expect(found.first?.time.timestamp?.textInUTC == "1994-03-23T12:35:19.000Z")
    }
}
