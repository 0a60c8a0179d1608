import Readings

/// What a meter behind the smart meter counts; the raw value is its M-Bus type in `0-n:24.1.0`.
package enum SubMeter: Int64, CaseIterable, Sendable {
    case gas = 3
    case heat = 4
    case water = 7
    case cooling = 10
}

extension Telegram {
    /// The last reading of the first sub-meter of this kind that has one.
    ///
    /// A channel may be announced without ever having been read: no `24.2.x` line, or one with the time of an unset
    /// clock and no unit. Such a channel is passed over.
    package func reading(of kind: SubMeter) -> TelegramEntry? {
        for announced in entries where announced.code.isSubMeterType && announced.value == .integer(kind.rawValue) {
            if let reading = reading(ofChannel: announced.code.channel) { return reading }
        }
        return nil
    }

    /// The last reading of the sub-meter on this channel (`0-n:24.2.1`, in Belgium `0-n:24.2.3` for gas).
    package func reading(ofChannel channel: UInt8) -> TelegramEntry? {
        entries.first { entry in
            entry.code.channel == channel && entry.code.isSubMeterReading && entry.unit != nil && entry.time != .invalid
        }
    }
}

extension OBISCode {
    fileprivate var isSubMeterType: Bool { medium == 0 && quantity == 24 && processing == 1 && tariff == 0 }

    fileprivate var isSubMeterReading: Bool { medium == 0 && quantity == 24 && processing == 2 }
}
