package import Decoders
package import Modbus
package import Readings

/// A point's value as it came from the device.
package struct PointValue: Equatable, Sendable {
    package var point: String
    package var value: Value
    package var unit: String?
    /// The meter's own time for it, where it sent one.
    package var time: Timestamp?
}

extension ProfilePoint {
    /// The value of a decoded register; nil if the device says that there is none.
    package func value(of raw: RegisterValue) -> Value? {
        guard case .register(let source) = source else { return nil }
        switch raw {
        case .boolean(let boolean): return named(boolean ? 1 : 0) ?? .boolean(boolean)
        case .integer(let integer): return value(of: source.field(UInt64(bitPattern: integer)) ?? integer, source)
        case .unsigned(let unsigned):
            return (source.field(unsigned) ?? Int64(exactly: unsigned)).flatMap { value(of: $0, source) }
        case .number(let number):
            let isPlain = source.scale == .one && source.offset == 0
            return .measured(isPlain ? number : Self.rounded(number * source.scale.value + source.offset, digits: 12))
        case .text(let text): return .text(text)
        }
    }

    private func value(of integer: Int64, _ source: RegisterSource) -> Value? {
        guard !source.notAvailable.contains(integer) else { return nil }
        if let named = named(integer) { return named }
        guard source.scale != .one || source.offset != 0 else { return .integer(integer) }
        let scaled = Double(integer) * source.scale.value + source.offset
        guard source.scale.decimals > 0 else { return .measured(Self.rounded(scaled, digits: 15)) }
        // 2257 x 0.1 is 225.7 and not 225.70000000000002.
        let power = Self.power(source.scale.decimals + (source.offset == 0 ? 0 : 6))
        return .measured((scaled * power).rounded() / power)
    }

    func named(_ raw: Int64) -> Value? {
        map.first { $0.raw == raw }.map { .text($0.name) }
    }

    /// To so many significant digits: what a multiplication adds behind them is not measured.
    package static func rounded(_ number: Double, digits: Int) -> Double {
        guard number != 0, number.isFinite else { return number }
        let magnitude = digits - 1 - Int(abs(number).exponent) * 3 / 10
        guard magnitude > -20, magnitude < 20 else { return number }
        let power = Self.power(abs(magnitude))
        return magnitude >= 0 ? (number * power).rounded() / power : (number / power).rounded() * power
    }

    static func power(_ exponent: Int) -> Double {
        (0..<exponent).reduce(1.0) { power, _ in power * 10 }
    }
}

extension RegisterSource {
    /// The value of the bits that count, with their highest as the sign where the type has one; nil if all count.
    fileprivate func field(_ raw: UInt64) -> Int64? {
        guard let bits else { return nil }
        let unused = UInt64(64 - bits.count)
        let top = (raw >> UInt64(bits.lowerBound)) << unused
        return point.type.isSigned ? Int64(bitPattern: top) >> Int64(unused) : Int64(bitPattern: top >> unused)
    }
}

extension Profile {
    /// The values that a telegram holds, for the points of this profile.
    package func values(in telegram: Telegram) -> [PointValue] {
        points.compactMap { $0.value(in: telegram) }
    }
}

extension ProfilePoint {
    /// The value of this point in a telegram; nil if the meter did not send it.
    package func value(in telegram: Telegram) -> PointValue? {
        let entry: TelegramEntry?
        switch source {
        case .obis(let codes): entry = codes.lazy.compactMap { telegram.entry($0) }.first { $0.value != nil }
        case .subMeter(let kind): entry = telegram.reading(of: kind)
        case .register, .frame, .field: entry = nil
        }
        guard let entry else { return nil }
        let (sent, sentUnit) = entry.normalised
        guard let sent else { return nil }
        var value = sent
        if case .integer(let raw) = sent, let named = named(raw) { value = named }
        return PointValue(
            point: name, value: value, unit: sentUnit ?? unit, time: entry.time.timestamp ?? telegram.time.timestamp)
    }
}
