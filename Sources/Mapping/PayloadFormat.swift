import Readings

/// How a reading is written; the raw value is the word of `payload:`.
package enum PayloadFormat: String, CaseIterable, Sendable {
    /// `{"v":1234.5,"u":"W","t":1780000000123,"q":"good","n":81723}`
    case json
    /// `1234.5`
    case value

    /// The payload of a reading, or nil where the format can't say it.
    func payload(of reading: Reading, number: UInt64) -> [UInt8]? {
        switch self {
        case .json: JSONFormat.payload(of: reading, number: number)
        case .value: ValueFormat.payload(of: reading)
        }
    }
}
