package import Readings

/// One message of a smart meter, neutral: codes, not points; which point is which code is the profile's business.
package struct Telegram: Equatable, Sendable {
    /// The line after `/`, for example `ISk5\2MT382-1000`.
    package var identification: String
    /// The meter's own clock (0-0:1.0.0).
    ///
    /// Not sent by version 2.2.
    package var time = MeterTime.notSent
    /// In the order they were sent.
    package var entries: [TelegramEntry]
    package var checksum: ChecksumState
    /// When its first byte arrived.
    package var startedAt: ContinuousClock.Instant
    /// From `/` to the end of line after `!`.
    package var lengthInBytes: Int
    /// Lines that are not `code(value)`; their neighbours are still good when the checksum is.
    package var unreadableLines: Int

    /// Whether the bytes were proven.
    package enum ChecksumState: Equatable, Sendable {
        case matched
        /// Versions 2.2 and 3 have none: a flipped digit cannot be noticed.
        case absent
    }

    /// The first entry with this code.
    package func entry(_ code: OBISCode) -> TelegramEntry? {
        entries.first { $0.code == code }
    }
}

/// One line of a telegram.
package struct TelegramEntry: Equatable, Sendable {
    package var code: OBISCode
    /// The value's characters exactly as sent, without the unit: `000004.426`, `0002`, `4B3845…`.
    package var text: String
    /// The value as sent: a number where there is a unit, a whole number for short runs of digits, else text.
    ///
    /// Nil where the brackets are empty.
    package var value: Value?
    /// The unit exactly as sent: `kWh`, `Wh`, `m3`.
    package var unit: String?
    /// The time that the line itself carries: when a gas meter was read, when a peak was reached.
    package var time: MeterTime

    package init(code: OBISCode, text: String, value: Value?, unit: String? = nil, time: MeterTime = .notSent) {
        self.code = code
        self.text = text
        self.value = value
        self.unit = unit
        self.time = time
    }
}
