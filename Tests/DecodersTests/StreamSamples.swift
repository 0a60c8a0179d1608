import Decoders
import Foundation
import Testing

/// A stream of known-good messages and the format that reads it.
struct StreamSample: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var format: StreamFormat
    var bytes: [UInt8]
    /// Whether a checksum proves the messages, so that no damage of one byte can give other values.
    var isProven: Bool

    init(_ name: String, _ format: StreamFormat, _ bytes: [UInt8], isProven: Bool) {
        testDescription = name
        self.format = format
        self.bytes = bytes
        self.isProven = isProven
    }

    static func file(_ path: String) -> [UInt8] {
        let url = Bundle.module.resourceURL?.appending(path: "Captures/\(path)")
        return url.flatMap { try? Data(contentsOf: $0) }.map { [UInt8]($0) } ?? []
    }

    func decode(portion: Int = .max) -> [StreamEvent] {
        decode(bytes, portion: portion)
    }

    func decode(_ bytes: [UInt8], portion: Int = .max) -> [StreamEvent] {
        var decoder = StreamDecoder(format)
        var events: [StreamEvent] = []
        // All at one instant: the cuts are tested, not the pauses.
        let now = ContinuousClock.now
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(portion))
            events += decoder.received(part.span, at: now).map(\.withoutTime)
            rest = rest.dropFirst(part.count)
        }
        return events
    }
}

/// The formats that the tests use, as a profile would write them.
enum Formats {
    static let sds011 = frame("data", "AA C0", 10, "AB", FrameChecksum(.sum8, from: 2, through: 7, at: 8))
    static let sds198 = frame("data", "AA CF", 10, "AB", FrameChecksum(.sum8, from: 2, through: 7, at: 8))
    static let plantower = frame("data", "42 4D 00 1C", 32, "", FrameChecksum(.sum16be, from: 0, through: -3, at: -2))
    static let mhz19 = frame("answer", "FF 86", 9, "", FrameChecksum(.negatedSum8, from: 1, through: 7, at: 8))

    static func frame(
        _ name: String, _ start: String, _ length: Int, _ end: String, _ checksum: FrameChecksum
    ) -> FrameFormat {
        var format = FrameFormat(name: name, start: hex(start), length: .fixed(length))
        format.end = hex(end)
        format.checksums = [checksum]
        return format
    }

    static func hex(_ text: String) -> [UInt8] {
        text.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }
}

extension StreamSample {
    static let all: [StreamSample] = {
        let telegrams = Capture.withChecksum.flatMap(\.bytes)
        return air + lines + [
            StreamSample("dsmr-p1", .known(.dsmrP1), telegrams, isProven: true),
            StreamSample("sml", .known(.sml), SMLSamples.all.flatMap(\.self), isProven: true),
            // Its check character is over the values, and not over the identification.
            StreamSample("iec-62056-21", .known(.iec62056), MeterSamples.readout, isProven: false),
            StreamSample("iec-62056-21 push", .known(.iec62056), MeterSamples.push, isProven: false),
            StreamSample("jk-bms", .known(.jkBMS), [1, 2, 3].flatMap { _ in MeterSamples.jk }, isProven: true),
            StreamSample("bu353s4", .known(.nmea0183), file("nmea/bu353s4.log"), isProven: false),
            StreamSample("bvm702", .known(.veDirect), file("vedirect/bvm702.dump"), isProven: true),
            StreamSample("smartsolar_1.39", .known(.veDirect), file("vedirect/smartsolar_1.39.dump"), isProven: true),
        ]
    }()

    static let air = [
        StreamSample("SDS01x", .frames([Formats.sds011]), file("air/SDS01x.bin"), isProven: true),
        StreamSample("SDS198", .frames([Formats.sds198]), file("air/SDS198.bin"), isProven: true),
        StreamSample("PMSx003", .frames([Formats.plantower]), file("air/PMSx003.bin"), isProven: true),
        StreamSample("PMS5003T", .frames([Formats.plantower]), file("air/PMS5003T.bin"), isProven: true),
        StreamSample("MHZ19B", .frames([Formats.mhz19]), file("air/MHZ19B.bin"), isProven: true),
    ]

    static let lines: [StreamSample] = {
        let greenhouse = try? LinePattern(#"T=(?<temp>-?\d+\.\d+);H=(?<hum>\d+);PUMP=(?<pump>[01])"#)
        var nmea = TextLineFormat(.columns(separator: Array(",".utf8), names: []))
        nmea.checksum = .nmea
        nmea.start = Array("$".utf8)
        return [
            StreamSample(
                "pattern", .lines(TextLineFormat(.patterns([greenhouse].compactMap(\.self)))),
                Array("T=21.5;H=40;PUMP=0\r\nhello\r\nT=-3.25;H=41;PUMP=1\r\n".utf8), isProven: false),
            StreamSample(
                "columns", .lines(TextLineFormat(.columns(separator: Array(";".utf8), names: ["a", "b", ""]))),
                Array("1;2;3\n4; 5 ;\"6;7\"\n8;9\n".utf8), isProven: false),
            StreamSample(
                "pairs", .lines(TextLineFormat(.pairs(between: Array(" ".utf8), equals: Array("=".utf8)))),
                Array("t=21.5 h=40  p=1013\nt= x=1\n\n".utf8), isProven: false),
            StreamSample(
                "json", .lines(TextLineFormat(.json)),
                Array(#"{"t":21.5,"wind":{"speed":3,"gusts":[4,5.5]},"on":true,"none":null}"#.utf8) + [10],
                isProven: false),
            StreamSample(
                "lines with a checksum", .lines(nmea),
                Array("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n".utf8), isProven: true),
        ]
    }()
}

extension StreamEvent {
    /// Where one byte at a time is compared with all at once, the time of the first byte differs by right.
    var withoutTime: StreamEvent {
        switch self {
        case .frame(var frame):
            frame.startedAt = Self.epoch
            return .frame(frame)
        case .record(var record):
            record.startedAt = Self.epoch
            return .record(record)
        case .telegram(var telegram):
            telegram.startedAt = Self.epoch
            return .telegram(telegram)
        case .skipped: return self
        }
    }

    private static let epoch = ContinuousClock.now

    var isMessage: Bool { if case .skipped = self { false } else { true } }
}
