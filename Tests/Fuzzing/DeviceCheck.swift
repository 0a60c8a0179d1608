import Bytes
import Decoders

/// What must hold for the readers of what serial devices send.
enum DeviceCheck {
    /// A format and a stream of good messages in it.
    struct Sample {
        var format: StreamFormat
        var bytes: [UInt8]
    }

    /// The first byte of an input chooses one.
    static let samples: [Sample] = [
        Sample(format: .known(.dsmrP1), bytes: telegram),
        Sample(format: .known(.sml), bytes: sml),
        Sample(format: .known(.iec62056), bytes: readout),
        Sample(format: .known(.veDirect), bytes: block("\r\nV\t12065\r\nI\t-7625") + block("\r\nH1\t-1")),
        Sample(format: .known(.nmea0183), bytes: fix),
        Sample(format: .known(.jkBMS), bytes: battery),
        Sample(format: .frames([dust]), bytes: dustFrame + dustFrame),
        Sample(
            format: .lines(TextLineFormat(.json)), bytes: Array(#"{"t":21.5,"w":{"g":[4,5.5]},"on":true}"#.utf8) + [10]),
        Sample(
            format: .lines(TextLineFormat(.pairs(between: [0x20], equals: [0x3D]))), bytes: Array("t=21.5 h=40\n".utf8)),
    ]

    static func check(_ sample: Sample, _ bytes: [UInt8], portion: Int) throws(Finding) {
        let whole = messages(sample, bytes, portion: max(1, bytes.count))
        let cut = messages(sample, bytes, portion: max(1, portion))
        try expect(whole == cut, "cut by \(portion) other messages come out of \(sample.format.name)")
        // A message takes two bytes at the least.
        try expect(whole.count <= bytes.count, "\(whole.count) messages in \(bytes.count) bytes")
    }

    /// All at one instant: the cuts are tried, not the pauses.
    private static func messages(_ sample: Sample, _ bytes: [UInt8], portion: Int) -> [StreamEvent] {
        var decoder = StreamDecoder(sample.format)
        var events: [StreamEvent] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + portion)
            events += decoder.received(bytes.span.extracting(start..<end), at: epoch)
            start = end
        }
        events += decoder.fellSilent()
        return events.filter { event in if case .skipped = event { false } else { true } }
    }

    private static let epoch = ContinuousClock.now

    // MARK: good messages

    private static let telegram: [UInt8] = {
        let text = Array(
            "/ISk5\\2MT382-1000\r\n\r\n0-0:1.0.0(170102192002W)\r\n1-0:1.8.1(000004.426*kWh)\r\n0-1:24.2.1(170102161005W)(00000.107*m3)\r\n!"
                .utf8)
        let sum = Checksum.arc(text.span)
        return text + Array(Hex.text([UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum)]).uppercased().utf8) + [13, 10]
    }()

    private static let readout: [UInt8] = {
        let data = Array("0.0.0(12345678)\r\n1.8.0(012345.678*kWh)\r\n1.6.0(05.123*kW)(2411010915)\r\n!\r\n".utf8) + [3]
        return Array("/LGZ4ZMF100AC.M26\r\n".utf8) + [2] + data + [data.reduce(0) { $0 ^ $1 }]
    }()

    private static func block(_ lines: String) -> [UInt8] {
        let bytes = Array(lines.utf8) + Array("\r\nChecksum\t".utf8)
        return bytes + [0 &- bytes.reduce(0 as UInt8) { $0 &+ $1 }]
    }

    private static let fix = Array(
        ("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
            + "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n").utf8)

    private static let battery: [UInt8] = {
        let start: [UInt8] = [0x4E, 0x57, 0, 38, 0, 0, 0, 0, 6, 0, 1]
        let values: [UInt8] = [
            0x79, 3, 1, 0x0E, 0xD2, 0x80, 0, 28, 0x83, 0x0A, 0x62, 0x84, 0x81, 0x2C, 0x85, 90, 0xC0, 1,
        ]
        let bytes = start + values + [0, 0, 0, 0, 0x68]
        let length = UInt8(bytes.count + 2)
        let whole = bytes.enumerated().map { $0.offset == 3 ? length : $0.element }
        let sum = whole.reduce(0) { $0 + Int($1) }
        return whole + [0, 0, UInt8(truncatingIfNeeded: sum >> 8), UInt8(truncatingIfNeeded: sum)]
    }()

    private static let dustFrame: [UInt8] = [0xAA, 0xC0, 6, 0, 6, 0, 0x58, 0xD9, 0x3D, 0xAB]
    private static let dust: FrameFormat = {
        var format = FrameFormat(name: "data", start: [0xAA, 0xC0], length: .fixed(10))
        format.end = [0xAB]
        format.checksums = [FrameChecksum(.sum8, from: 2, through: 7, at: 8)]
        return format
    }()

    /// Of an Iskraemeco meter, from the tests of github.com/felixwrt/sml-rs.
    private static let sml =
        Hex.bytes(
            """
            1B1B1B1B010101017605006345516200620072630101760101050021171B0B0A0149534B00047A5544726201650021155A62\
            0163828E00760500634552620062007263070177010B0A0149534B00047A5544070100620AFFFF726201650021155A757707\
            010060320101010101010449534B0177070100600100FF010101010B0A0149534B00047A55440177070100010800FF650010\
            010401621E52FF65000C13610177070100020800FF0101621E52FF62000177070100100700FF0101621B5200530860010101\
            638E71007605006345536200620072630201710163AD55001B1B1B1B1A00D54B
            """) ?? []
}
