import Bytes
import Decoders
import LinuxIO
import Modbus
import Profiles
import Readings

/// Recorded bytes of a line.
struct Recording {
    /// What was found in it.
    struct Result {
        var lines: [String] = []
        /// Telegrams or answered requests.
        var count = 0
        var skippedBytes = 0
        var unit: String

        var summary: String {
            "\(count) \(unit)\(count == 1 ? "" : "s"), \(skippedBytes) byte\(skippedBytes == 1 ? "" : "s") skipped"
        }
    }

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// What a device that speaks unasked said.
    func telegrams(of profile: Profile, _ bus: SerialBus) -> Result {
        var result = Result(unit: "telegram")
        var decoder = StreamDecoder(bus.decoder, longestPause: bus.longestPause)
        for event in decoder.received(bytes.span, at: .now) {
            switch event {
            case .telegram(let telegram):
                result.count += 1
                result.lines.append("telegram of \(telegram.identification)")
                result.lines += profile.values(in: telegram).map { Self.line($0.point, $0.value, $0.unit, $0.time) }
            case .frame, .record:
                result.count += 1
                result.lines.append("message")
                result.lines += profile.values(in: event).map { Self.line($0.point, $0.value, $0.unit, $0.time) }
            case .skipped(let skipped):
                result.skippedBytes += skipped.count
                result.lines.append("skipped \(skipped.count) bytes: \(skipped.reason)")
            }
        }
        return result
    }

    /// What a master asked and a device answered.
    func exchanges(of profile: Profile) -> Result {
        var result = Result(unit: "exchange")
        var start = 0
        while start < bytes.count {
            guard let exchange = exchange(at: start) else {
                result.skippedBytes += 1
                start += 1
                continue
            }
            result.count += 1
            result.lines += ["unit \(exchange.unit): \(Hex.text(exchange.request.pdu))"]
            result.lines += lines(exchange, profile)
            start += exchange.length
        }
        return result
    }

    private struct Exchange {
        var unit: UInt8
        var request: Request
        var response: Response
        var length: Int
    }

    /// The request and its answer that begin at an offset; requests have 8 to 256 bytes, and the checksum says how many.
    private func exchange(at start: Int) -> Exchange? {
        guard let (unit, request, length) = intactRequest(at: start) else { return nil }
        let answerStart = start + length
        for count in 5...256 where answerStart + count <= bytes.count {
            let frame = Array(bytes[answerStart..<answerStart + count])
            guard RTUFrame.isIntact(frame.span) else { continue }
            guard let response = RTUFrame.response(frame.span, to: request, unit: unit) else { return nil }
            return Exchange(unit: unit, request: request, response: response, length: length + count)
        }
        return nil
    }

    private func intactRequest(at start: Int) -> (unit: UInt8, request: Request, length: Int)? {
        for count in 8...256 where start + count <= bytes.count {
            let frame = Array(bytes[start..<start + count])
            guard RTUFrame.isIntact(frame.span), let (unit, request) = RTUFrame.request(frame.span) else { continue }
            return (unit, request, count)
        }
        return nil
    }

    private func lines(_ exchange: Exchange, _ profile: Profile) -> [String] {
        switch exchange.response {
        case .exception(let code): return ["    refused: \(code)"]
        case .written: return ["    written"]
        case .bits, .registers: break
        }
        guard let range = exchange.request.readRange else { return [] }
        let block = ReadPlan.Block(table: range.table, start: range.start, count: range.count, members: [])
        return profile.points.compactMap { point in
            guard case .register(let source) = point.source, source.point.table == range.table,
                let raw = block.value(of: source.point, in: exchange.response), let value = point.value(of: raw)
            else { return nil }
            return Self.line(point.name, value, point.unit)
        }
    }

    private static func line(_ point: String, _ value: Value, _ unit: String?, _ time: Timestamp? = nil) -> String {
        let measured = time.map { "  measured \(ISOTime.text(WallClock.local($0)))" } ?? ""
        return "    \(point) \(value)\(unit.map { " " + $0 } ?? "")\(measured)"
    }
}
