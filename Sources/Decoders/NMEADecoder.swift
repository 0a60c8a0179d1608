package import Readings

/// Reads the fixes of satellite receivers: NMEA 0183, of any talker.
///
/// Sentences of one moment are put together; a moment is told when the next one begins or the line falls silent.
/// Without a fix there is no position, whatever the receiver still says.
package struct NMEADecoder: Sendable {
    private var lines: TextLineDecoder
    private let notBefore: Timestamp
    private var moment: NMEAMoment?

    /// `notBefore` is a time that lies in the past for sure: receivers count 1024 weeks and begin again.
    package init(longestPause: Duration, notBefore: Timestamp = Timestamp(milliseconds: 1_767_225_600_000)) {
        var format = TextLineFormat(.columns(separator: [UInt8(ascii: ",")], names: []))
        format.start = [UInt8(ascii: "$")]
        format.checksum = .nmea
        lines = TextLineDecoder(format, longestPause: longestPause)
        self.notBefore = notBefore
    }

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ new: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        put(lines.received(new, at: now))
    }

    /// Tells the moment that was begun: nothing more came.
    package mutating func fellSilent() -> [StreamEvent] {
        var events = put(lines.fellSilent())
        close(&events)
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? {
        lines.takeSkipped()
    }

    private mutating func put(_ found: [StreamEvent]) -> [StreamEvent] {
        var events: [StreamEvent] = []
        for event in found {
            guard case .record(let record) = event else {
                events.append(event)
                continue
            }
            read(NMEASentence(record.fields.map(\.text)), record.startedAt, &events)
        }
        return events
    }

    private mutating func read(
        _ sentence: NMEASentence, _ startedAt: ContinuousClock.Instant, _ events: inout [StreamEvent]
    ) {
        guard sentence.isKnown else { return }
        if let time = sentence.time, let known = moment?.time, time != known { close(&events) }
        var current = moment ?? NMEAMoment(startedAt: startedAt)
        current.add(sentence)
        moment = current
    }

    private mutating func close(_ events: inout [StreamEvent]) {
        guard let moment else { return }
        events.append(.record(moment.record(notBefore: notBefore)))
        self.moment = nil
    }
}

/// One sentence, without `$` and sum.
struct NMEASentence {
    private let cells: [String]
    let kind: Substring

    init(_ cells: [String]) {
        self.cells = cells
        kind = cells.first.map { $0.count == 5 ? $0.suffix(3) : "" } ?? ""
    }

    var isKnown: Bool { ["GGA", "RMC", "GLL", "GSA", "ZDA"].contains(kind) }

    /// A cell; nil where it is empty or not there.
    subscript(index: Int) -> String? {
        index < cells.count && !cells[index].isEmpty ? cells[index] : nil
    }

    /// The time of day in milliseconds: `hhmmss.sss`.
    var time: Int64? {
        let text: String? =
            switch kind {
            case "GGA", "RMC", "ZDA": self[1]
            case "GLL": self[5]
            default: nil
            }
        guard let text, let number = FieldNumber.parse(text)?.value, text.prefix(6).count == 6,
            let whole = Int64(text.prefix(6))
        else { return nil }
        let (hour, minute, second) = (whole / 10_000, whole / 100 % 100, whole % 100)
        guard hour < 24, minute < 60, second <= 60, number >= 0 else { return nil }
        let fraction = Int64(((number - Double(whole)) * 1_000).rounded())
        return ((hour * 60 + minute) * 60 + second) * 1_000 + fraction
    }

    /// Degrees from `ddmm.mmmm` and a letter.
    func degrees(_ index: Int, _ positive: String, _ negative: String, limit: Double) -> Double? {
        guard let text = self[index], let number = FieldNumber.parse(text)?.value, number >= 0,
            let side = self[index + 1], side == positive || side == negative
        else { return nil }
        let whole = (number / 100).rounded(.down)
        let minutes = number - whole * 100
        guard minutes < 60 else { return nil }
        let degrees = ((whole + minutes / 60) * 1e8).rounded() / 1e8
        guard degrees <= limit else { return nil }
        return side == positive ? degrees : -degrees
    }
}

/// What the sentences of one moment say together.
struct NMEAMoment: Sendable {
    private(set) var time: Int64?
    private var date: Int64?
    private let startedAt: ContinuousClock.Instant
    private var position: (latitude: Double, longitude: Double)?
    /// Any sentence that says no is believed.
    private var isLost = false
    private var isEstimated = false
    private var dimensions: Int?
    private var others: [FieldRecord.Field] = []

    init(startedAt: ContinuousClock.Instant) {
        self.startedAt = startedAt
    }

    mutating func add(_ sentence: NMEASentence) {
        time = sentence.time ?? time
        switch sentence.kind {
        case "GGA":
            if sentence[6] == nil || sentence[6] == "0" { isLost = true }
            if sentence[6] == "6" { isEstimated = true }
            place(sentence, 2)
            keep("satellites", sentence[7])
            keep("hdop", sentence[8])
            keep("altitude", sentence[9])
        case "RMC":
            if sentence[2] != "A" { isLost = true }
            place(sentence, 3)
            keep("speed", sentence[7])
            keep("track", sentence[8])
            date = sentence[9].flatMap { NMEADate.days($0) } ?? date
        case "GLL":
            if sentence[6] != "A" { isLost = true }
            place(sentence, 1)
        case "GSA":
            dimensions = sentence[2].flatMap { Int($0) }
            if dimensions == 1 { isLost = true }
        case "ZDA":
            if let day = sentence[2], let month = sentence[3], let year = sentence[4], year.count == 4 {
                date = NMEADate.days(day, month, Int64(year)) ?? date
            }
        default: break
        }
    }

    private mutating func place(_ sentence: NMEASentence, _ index: Int) {
        guard let latitude = sentence.degrees(index, "N", "S", limit: 90),
            let longitude = sentence.degrees(index + 2, "E", "W", limit: 180)
        else { return }
        position = (latitude, longitude)
    }

    private mutating func keep(_ name: String, _ text: String?) {
        guard let text, !others.contains(where: { $0.name == name }) else { return }
        others.append(FieldRecord.Field(name, text))
    }

    func record(notBefore: Timestamp) -> FieldRecord {
        var fields: [FieldRecord.Field] = []
        let hasFix = !isLost && position != nil
        let fix = !hasFix ? "none" : isEstimated ? "estimated" : dimensions == 3 ? "3d" : dimensions == 2 ? "2d" : "yes"
        fields.append(FieldRecord.Field("fix", fix))
        if hasFix, let position {
            fields.append(FieldRecord.Field("latitude", "\(position.latitude)"))
            fields.append(FieldRecord.Field("longitude", "\(position.longitude)"))
            fields += others
        } else {
            fields += others.filter { $0.name == "satellites" }
        }
        return FieldRecord(fields: fields, startedAt: startedAt, time: meterTime(notBefore, hasFix))
    }

    /// A receiver without a fix has a clock that nobody set.
    private func meterTime(_ notBefore: Timestamp, _ hasFix: Bool) -> MeterTime {
        guard let time, let date else { return .notSent }
        guard hasFix else { return .invalid }
        var milliseconds = date * 86_400_000 + time
        while milliseconds < notBefore.milliseconds { milliseconds += 1_024 * 7 * 86_400_000 }
        return .at(Timestamp(milliseconds: milliseconds))
    }
}

/// Dates as receivers write them.
enum NMEADate {
    /// Days since 1970 of `ddmmyy`; years from 80 on are of the last century.
    static func days(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 6, let all = Digits.integer(bytes[...]) else { return nil }
        let year = all % 100
        return days("\(all / 10_000)", "\(all / 100 % 100)", year + (year >= 80 ? 1_900 : 2_000))
    }

    static func days(_ day: String, _ month: String, _ year: Int64?) -> Int64? {
        guard let day = Int64(day), let month = Int64(month), let year, (1...12).contains(month),
            (1...31).contains(day), (1_980...2_200).contains(year)
        else { return nil }
        // Years are counted from March, so that the leap day is the last one.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear
        return days - 719_468
    }
}
