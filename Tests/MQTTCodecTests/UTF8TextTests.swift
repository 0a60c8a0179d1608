import Testing

@testable import MQTTCodec

@Suite struct UTF8TextTests {
    @Test func `all that Swift calls UTF-8 but U+0000 is text, and nothing else`() {
        // Every pair, and every triple and quadruple around the borders of the table in Unicode 3.9, table 3-7.
        let borders: [UInt8] = [0x00, 0x01, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xED, 0xF4]
        let leads: [UInt8] =
            [0x61, 0x80, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF] + (0xF0...0xF5) + [0xFF]
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { expectAgreement([first, second]) }
        }
        for first in leads {
            for second in borders {
                for third in borders {
                    expectAgreement([first, second, third])
                    for fourth in borders { expectAgreement([first, second, third, fourth]) }
                }
            }
        }
    }

    private func expectAgreement(_ bytes: [UInt8]) {
        let isText = String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0)
        // One expectation per byte sequence would take longer than all the rest.
        if UTF8Text.isValid(bytes.span, bytes.indices) != isText { Issue.record("\(bytes)") }
    }
}
