@testable import MQTTCodec

// A macro can't hold a span, so the tests ask with arrays.

extension FixedHeader {
    static func parse(_ bytes: [UInt8], at start: Int = 0) throws(DecodeError) -> FixedHeader? {
        try parse(bytes.span, at: start)
    }
}

extension Topic {
    static func isName(_ bytes: [UInt8], _ range: Range<Int>? = nil) -> Bool {
        isValidName(bytes.span, range ?? bytes.indices)
    }

    static func isFilter(_ bytes: [UInt8], _ range: Range<Int>? = nil) -> Bool {
        isValidFilter(bytes.span, range ?? bytes.indices)
    }
}
