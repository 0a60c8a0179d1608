import Decoders
import Testing

/// How many messages each captured stream holds, by name; what they say is compared in the decoders' own tests.
@Suite struct CaptureCountTests {
    struct Stream: CustomTestStringConvertible {
        var testDescription: String
        var format: StreamFormat
        var messages: Int
        /// Bytes of messages that are torn: BMV-702's last, the SmartSolar's first.
        var skipped: Int
    }

    static let captures = [
        Stream(testDescription: "air/SDS01x.bin", format: .frames([Formats.sds011]), messages: 10, skipped: 0),
        Stream(testDescription: "air/SDS198.bin", format: .frames([Formats.sds198]), messages: 6, skipped: 0),
        Stream(testDescription: "air/PMSx003.bin", format: .frames([Formats.plantower]), messages: 10, skipped: 0),
        Stream(testDescription: "air/PMS5003T.bin", format: .frames([Formats.plantower]), messages: 10, skipped: 0),
        Stream(testDescription: "air/MHZ19B.bin", format: .frames([Formats.mhz19]), messages: 10, skipped: 0),
        Stream(testDescription: "vedirect/bvm702.dump", format: .known(.veDirect), messages: 906, skipped: 104),
        Stream(
            testDescription: "vedirect/smartsolar_1.39.dump", format: .known(.veDirect), messages: 493, skipped: 157),
    ]

    @Test(arguments: captures)
    func `a capture holds as many messages as are known to be in it`(capture: Stream) {
        let sample = StreamSample("", capture.format, StreamSample.file(capture.testDescription), isProven: true)
        var decoder = StreamDecoder(capture.format)
        let bytes = sample.bytes
        let events = decoder.received(bytes.span, at: .now) + decoder.fellSilent()
        let rest = decoder.takeSkipped()?.count ?? 0
        #expect(events.count { $0.isMessage } == capture.messages)
        #expect(events.skipped.map(\.count).reduce(rest, +) == capture.skipped)
    }
}
