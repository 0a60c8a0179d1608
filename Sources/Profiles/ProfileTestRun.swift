import Bytes
import Decoders
import Documents
package import Modbus
import Readings

/// Runs the tests that a profile carries.
package enum ProfileTestRun {
    /// What is wrong, a sentence each; empty when all is well.
    ///
    /// `now` is any time.
    package static func failures(of profile: Profile, at now: ContinuousClock.Instant) -> [String] {
        profile.tests.flatMap { test in
            failures(of: test, profile, now).map { "line \(test.mark.line): \($0)" }
        }
    }

    private static func failures(
        of test: ProfileTest, _ profile: Profile, _ now: ContinuousClock.Instant
    ) -> [String] {
        switch profile.bus {
        case .modbus: modbus(test, profile)
        case .serial(let bus): stream(test, profile, bus, now)
        }
    }

    private static func modbus(_ test: ProfileTest, _ profile: Profile) -> [String] {
        guard let (unit, request) = RTUFrame.request(test.send.span) else {
            return ["'send' is not a Modbus request with a good checksum: \(Hex.text(test.send))"]
        }
        guard let response = RTUFrame.response(test.receive.span, to: request, unit: unit) else {
            return ["'recv' is not the answer to 'send', or its checksum is wrong: \(Hex.text(test.receive))"]
        }
        return gives(test, profile, request, response) + writes(test, profile, unit)
    }

    private static func gives(
        _ test: ProfileTest, _ profile: Profile, _ request: Request, _ response: Response
    ) -> [String] {
        test.gives.compactMap { expected in
            guard let point = profile.point(expected.point), case .register(let source) = point.source,
                let range = request.readRange, range.table == source.point.table
            else { return "\(expected.point) is not what 'send' asks for" }
            let block = ReadPlan.Block(table: range.table, start: range.start, count: range.count, members: [])
            guard let value = block.value(of: source.point, in: response).flatMap({ point.value(of: $0) }) else {
                return "\(expected.point): nothing in the answer, expected \(expected.value)"
            }
            return difference(expected, value)
        }
    }

    private static func writes(_ test: ProfileTest, _ profile: Profile, _ unit: UInt8) -> [String] {
        guard let expected = test.writes else { return [] }
        guard let request = profile.point(expected.point)?.request(for: expected.value) else {
            return ["\(expected.point) does not take '\(expected.value)'"]
        }
        let frame = RTUFrame.encode(unit: unit, pdu: request.pdu)
        guard frame != test.send else { return [] }
        return ["\(expected.point) = \(expected.value) sends \(Hex.text(frame)), expected \(Hex.text(test.send))"]
    }

    private static func stream(
        _ test: ProfileTest, _ profile: Profile, _ bus: SerialBus, _ now: ContinuousClock.Instant
    ) -> [String] {
        if !test.send.isEmpty, !bus.requests.contains(where: { $0.bytes == test.send }) {
            return ["no request sends \(Hex.text(test.send))"]
        }
        var decoder = StreamDecoder(bus.decoder, longestPause: bus.longestPause)
        // Several messages may say different things; each counts.
        var values: [PointValue] = []
        var events = decoder.received(test.receive.span, at: now)
        // The last moment of a receiver is told when nothing more comes.
        if !events.contains(where: { $0.startedAt != nil }) { events += decoder.fellSilent() }
        if let rest = decoder.takeSkipped() { events.append(.skipped(rest)) }
        for event in events {
            if case .skipped(let skipped) = event { return ["\(skipped.count) bytes skipped: \(skipped.reason)"] }
            values += profile.values(in: event)
        }
        guard !events.isEmpty else { return ["no whole message in it"] }
        return test.gives.compactMap { expected in
            guard let found = values.last(where: { $0.point == expected.point }) else {
                return "\(expected.point): not in the message, expected \(expected.value)"
            }
            return difference(expected, found.value)
        }
    }

    /// Numbers are compared to the digits that the test gives: 230.2 is also 230.20001.
    private static func difference(_ expected: ProfileTest.Expected, _ value: Value) -> String? {
        let told = "\(expected.point) is \(value), expected \(expected.value)"
        guard let wanted = Double(expected.value), let number = value.asNumber else {
            return value.description == expected.value ? nil : told
        }
        let decimals = expected.value.split(separator: ".").dropFirst().first?.count ?? 0
        let tolerance = (0..<decimals).reduce(0.5) { tolerance, _ in tolerance / 10 }
        return abs(number - wanted) <= tolerance * 1.000001 && (decimals > 0 || number == wanted) ? nil : told
    }
}

extension ProfilePoint {
    /// The request that carries out a command; nil if the point does not take the word.
    package func request(for word: String) -> Request? {
        guard let command, case .register(let source) = source,
            let value = command.values.first(where: { $0.word == word })
        else { return nil }
        let address = command.address ?? source.point.address
        switch command.function {
        case .writeSingleCoil: return .writeSingleCoil(address: address, value: value.raw)
        case .writeSingleRegister: return .writeSingleRegister(address: address, value: value.raw)
        }
    }
}
