import Bytes
import Testing

@testable import Modbus

@Suite struct ASCIIFrameTests {
    private let request = Request.readHoldingRegisters(start: 0x6B, count: 3)
    private let sent = Array(":1103006B00037E\r\n".utf8)
    /// 11 03 06 AE 41 56 52 43 40 add up to 34 (hexadecimal), and CC to that makes a round sum.
    private let answer = Array(":110306AE4156524340CC\r\n".utf8)

    private func find(_ bytes: [UInt8]) -> RTUFrame.Found { ASCIIFrame.find(bytes.span, request: request, unit: 0x11) }

    @Test func `a request is a line of digits with its check`() {
        #expect(ASCIIFrame.encode(unit: 0x11, pdu: request.pdu) == sent)
        #expect(ASCIIFrame.content(sent.span) == [0x11] + request.pdu)
    }

    @Test func `an answer gives its registers, in small digits too`() {
        let expected = RTUFrame.Found.answer(.registers([0xAE41, 0x5652, 0x4340]), length: answer.count)
        #expect(find(answer) == expected)
        #expect(find(Array(String(decoding: answer, as: UTF8.self).lowercased().utf8)) == expected)
    }

    @Test func `an answer may come a byte at a time`() {
        for end in 1..<answer.count { #expect(find(Array(answer[..<end])) == .needMore) }
    }

    @Test func `another unit's line is a stranger, a refusal is an answer`() {
        let other = ASCIIFrame.encode(unit: 0x12, pdu: [3, 2, 0, 1])
        #expect(find(other) == .stranger(length: other.count))
        let refusal = ASCIIFrame.encode(unit: 0x11, pdu: [0x83, 2])
        #expect(find(refusal) == .answer(.exception(.illegalDataAddress), length: refusal.count))
    }

    @Test func `a line that lost its end does not take the next along`() {
        #expect(find(Array(answer[..<12]) + answer) == .garbage)
        #expect(
            find([UInt8](repeating: UInt8(ascii: ":"), count: 1) + [UInt8](repeating: 0x30, count: 600)) == .garbage)
    }

    @Test func `no damaged line gives a value`() {
        for place in answer.indices {
            for bit in 0..<8 {
                var damaged = answer
                damaged[place] ^= 1 << UInt8(bit)
                guard case .answer(let response, _) = find(damaged) else { continue }
                // Capital and small digits differ in one bit.
                #expect(response == .registers([0xAE41, 0x5652, 0x4340]), "byte \(place), bit \(bit)")
            }
        }
    }

    @Test func `a bus in ASCII asks, waits and takes its answer from among noise`() {
        var settings = MasterSettings()
        settings.mode = .ascii
        settings.byteTime = .milliseconds(1)
        var master = MasterState(settings)
        let now = ContinuousClock.now
        master.submit(.init(id: 1, unit: 0x11, request: request))
        #expect(master.nextAction(at: now) == .send(sent))
        master.sent(at: now)
        for byte in [0xFF, 0x3A, 0x31] + answer { master.bytesReceived([byte].span, at: now + .milliseconds(30)) }
        #expect(
            master.takeFinished().map(\.outcome) == [
                .answered(.registers([0xAE41, 0x5652, 0x4340]), firstByteAt: now + .milliseconds(30))
            ])
    }
}
