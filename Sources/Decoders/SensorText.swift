/// What the kernel writes into a sensor's file.
///
/// One number in text: the attributes of hwmon and iio, and `temperature` of w1_therm. [kernel.org: Documentation/hwmon/
/// sysfs-interface, Documentation/ABI/testing/sysfs-bus-iio, Documentation/w1/slaves/w1_therm]
package enum SensorText {
    /// Why a text is no value.
    package enum Fault: Error, Equatable, Sendable {
        case empty
        /// The sensor's own check sum was wrong: the wire is disturbed.
        case checksum
        case noNumber(String)
    }

    /// The number in a file; of `w1_slave`, which has two lines, the one behind `t=` if its check sum was right.
    package static func number(_ bytes: [UInt8]) throws(Fault) -> Double {
        let lines = bytes.split { $0 == UInt8(ascii: "\n") }.map { String(decoding: $0, as: UTF8.self) }
        guard let first = lines.first.map(trimmed), !first.isEmpty else { throw .empty }
        if lines.count >= 2, first.contains(" : crc=") { return try oneWire(first, trimmed(lines[1])) }
        guard lines.count == 1 else { throw .noNumber(String(first.prefix(40))) }
        return try parsed(first)
    }

    private static func oneWire(_ check: String, _ value: String) throws(Fault) -> Double {
        guard check.hasSuffix("YES") else { throw .checksum }
        guard let equals = value.lastIndex(of: "=") else { throw .noNumber(String(value.prefix(40))) }
        return try parsed(String(value[value.index(after: equals)...]))
    }

    private static func parsed(_ text: String) throws(Fault) -> Double {
        let isPlain = text.utf8.allSatisfy { "+-.0123456789eE".utf8.contains($0) }
        guard isPlain, let number = Double(text), number.isFinite else { throw .noNumber(String(text.prefix(40))) }
        return number
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\0" }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }
}
