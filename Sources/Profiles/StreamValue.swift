package import Decoders
import Readings

extension Profile {
    /// The values that a device said, for the points of this profile.
    package func values(in event: StreamEvent) -> [PointValue] {
        switch event {
        case .telegram(let telegram): values(in: telegram)
        case .frame(let frame): points.compactMap { $0.value(in: frame) }
        case .record(let record): points.compactMap { $0.value(in: record) }
        case .skipped: []
        }
    }
}

extension StreamEvent {
    /// When its first byte came; nil where it is no message.
    package var startedAt: ContinuousClock.Instant? {
        switch self {
        case .telegram(let telegram): telegram.startedAt
        case .frame(let frame): frame.startedAt
        case .record(let record): record.startedAt
        case .skipped: nil
        }
    }
}

extension ProfilePoint {
    fileprivate func value(in frame: BinaryFrame) -> PointValue? {
        guard case .frame(let source) = source, source.frame == nil || source.frame == frame.name,
            let content = source.field.content(in: frame.bytes)
        else { return nil }
        let value: Value?
        switch content {
        case .text(let text): value = .text(text)
        case .number(let number):
            value = Self.scaled(number, decimals: nil, source.scale, source.offset)
        case .integer(let integer):
            guard !source.notAvailable.contains(integer) else { return nil }
            let isPlain = source.scale == .one && source.offset == 0
            value =
                named(integer)
                ?? (isPlain
                    ? .integer(integer) : Self.scaled(Double(integer), decimals: 0, source.scale, source.offset))
        }
        return value.map { PointValue(point: name, value: $0, unit: unit) }
    }

    fileprivate func value(in record: FieldRecord) -> PointValue? {
        guard case .field(let source) = source, let text = record[source.name], !text.isEmpty,
            source.only.allSatisfy({ record[$0.key] == $0.value }), let value = Self.value(of: text, source)
        else { return nil }
        return PointValue(point: name, value: value, unit: unit, time: record.time.timestamp)
    }

    private static func value(of text: String, _ source: FieldSource) -> Value? {
        if let word = source.words[text] { return .text(word) }
        if let (number, decimals) = FieldNumber.parse(text) {
            let isPlain = source.scale == .one && source.offset == 0
            if isPlain, decimals == 0, let integer = Int64(exactly: number) { return .integer(integer) }
            return isPlain ? .measured(number) : scaled(number, decimals: decimals, source.scale, source.offset)
        }
        guard !source.isNumber else { return nil }
        return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .text(text)
    }

    /// With as many decimals as both together have: 12065 x 0.001 is 12.065.
    private static func scaled(_ number: Double, decimals: Int?, _ scale: DecimalFactor, _ offset: Double) -> Value? {
        let product = number * scale.value + offset
        guard let decimals, decimals + scale.decimals <= 12, abs(product) < 1e12 else {
            return .measured(rounded(product, digits: 12))
        }
        let power = power(decimals + scale.decimals + (offset == 0 ? 0 : 3))
        return .measured((product * power).rounded() / power)
    }
}
