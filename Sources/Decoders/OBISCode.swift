/// The name of a value in a smart meter: medium, channel, and what is measured (`1-0:1.8.1`).
package struct OBISCode: Hashable, Sendable {
    /// A: 0 abstract, 1 electricity.
    package var medium: UInt8
    /// B: the channel; sub-meters are 1 to 4.
    package var channel: UInt8
    /// C: what is measured.
    package var quantity: UInt8
    /// D: how it is measured.
    package var processing: UInt8
    /// E: the tariff.
    package var tariff: UInt8

    package init(_ medium: UInt8, _ channel: UInt8, _ quantity: UInt8, _ processing: UInt8, _ tariff: UInt8) {
        self.medium = medium
        self.channel = channel
        self.quantity = quantity
        self.processing = processing
        self.tariff = tariff
    }
}

extension OBISCode {
    /// Reads `1-0:1.8.1`, also with a storage number behind (`1-0:1.8.0*255`), which is left out; nil for anything else.
    package init?(_ text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    init?(utf8 text: some Sequence<UInt8>) {
        var numbers: [UInt8] = []
        var current: UInt8?
        for byte in text {
            if let digit = Digits.value(byte) {
                let (tens, overflow) = (current ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(digit)
                guard !overflow, !carry else { return nil }
                current = sum
            } else {
                guard let number = current, byte == Self.separator(after: numbers.count) else { return nil }
                numbers.append(number)
                current = nil
            }
        }
        guard let last = current else { return nil }
        numbers.append(last)
        guard numbers.count == 5 || numbers.count == 6 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    }

    private static func separator(after count: Int) -> UInt8? {
        switch count {
        case 0: UInt8(ascii: "-")
        case 1: UInt8(ascii: ":")
        case 2, 3: UInt8(ascii: ".")
        case 4: UInt8(ascii: "*")
        default: nil
        }
    }
}

extension OBISCode: CustomStringConvertible {
    package var description: String { "\(medium)-\(channel):\(quantity).\(processing).\(tariff)" }
}
