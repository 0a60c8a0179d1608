/// What a sensor measured or an actuator's state.
package enum Value: Equatable, Sendable {
    /// Prints as the shortest decimal that reads back the same; never NaN or infinite (`Value.measured` sees to it).
    case number(Double)
    case integer(Int64)
    case boolean(Bool)
    case text(String)

    /// A number as a value; nil where it is not finite, for no device measures NaN.
    package static func measured(_ number: Double) -> Value? {
        number.isFinite ? .number(number) : nil
    }

    /// The value as a number, where it is one; a boolean is 0 or 1.
    package var asNumber: Double? {
        switch self {
        case .number(let number): number
        case .integer(let integer): Double(integer)
        case .boolean(let boolean): boolean ? 1 : 0
        case .text: nil
        }
    }
}

extension Value: CustomStringConvertible {
    /// The value as the payload `value` shows it: 230.2, 5, true, ON.
    ///
    /// Whole numbers have no fraction.
    package var description: String {
        switch self {
        case .number(let number):
            if number == number.rounded(), abs(number) < 1e15 { String(Int64(number)) } else { "\(number)" }
        case .integer(let integer): String(integer)
        case .boolean(let boolean): boolean ? "true" : "false"
        case .text(let text): text
        }
    }
}
