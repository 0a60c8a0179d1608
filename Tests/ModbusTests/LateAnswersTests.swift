import Bytes
import Testing

@testable import Modbus

/// A master whose other end is played by the test, with a clock that only moves when told.
private struct Line {
    var master: MasterState
    var now = ContinuousClock.now
    var finished: [MasterState.Finished] = []

    init(_ settings: MasterSettings = MasterSettings()) {
        master = MasterState(settings)
    }

    mutating func read(_ id: Int, start: UInt16, count: UInt16 = 1, unit: UInt8 = 1) {
        master.submit(.init(id: id, unit: unit, request: .readCoils(start: start, count: count)))
    }

    mutating func write(_ id: Int, _ value: UInt16, notAfter: ContinuousClock.Instant? = nil) {
        let request = Request.writeSingleCoil(address: 0, value: value)
        master.submit(.init(id: id, unit: 1, request: request, notAfter: notAfter))
    }

    /// Lets time pass until a frame is sent; nil if none is within `limit`.
    mutating func nextFrame(within limit: Duration = .seconds(2)) -> [UInt8]? {
        let end = now + limit
        while now < end {
            switch master.nextAction(at: now) {
            case .send(let frame):
                master.sent(at: now)
                finished += master.takeFinished()
                return frame
            case .wait(let until): now = min(until ?? end, end)
            }
            finished += master.takeFinished()
        }
        return nil
    }

    mutating func hear(_ bytes: [UInt8], after delay: Duration = .milliseconds(10)) {
        now += delay
        master.bytesReceived(bytes.span, at: now)
        finished += master.takeFinished()
    }

    func outcome(_ id: Int) -> MasterState.Outcome? {
        finished.last { $0.job.id == id }?.outcome
    }
}

private func bits(_ byte: UInt8, unit: UInt8 = 1) -> [UInt8] {
    RTUFrame.encode(unit: unit, pdu: [1, 1, byte])
}

@Suite struct LateAnswersTests {
    @Test func `a state from before a write is not taken for the state after it`() throws {
        var line = Line()
        line.read(1, start: 0)
        while line.outcome(1) == nil { _ = line.nextFrame(within: .milliseconds(400)) }
        line.write(2, 0xFF00)
        let sent = line.nextFrame()
        let command = try #require(sent)
        let writtenAt = line.now
        line.hear(command)
        #expect(line.outcome(2) == .answered(.written, firstByteAt: line.now))
        line.read(3, start: 0)
        let nothing = line.nextFrame(within: MasterSettings().timeout)
        #expect(nothing == nil)
        // The old answer arrives and finds nobody; then the request goes out.
        line.hear(bits(0))
        let readBack = line.nextFrame()
        #expect(readBack != nil)
        #expect(line.now - writtenAt >= MasterSettings().timeout)
        line.hear(bits(1))
        #expect(line.outcome(3) == .answered(.bits([true]), firstByteAt: line.now))
    }

    @Test func `an answer that came late owes another one`() {
        var line = Line()
        line.read(1, start: 0)
        _ = line.nextFrame()
        line.now += .milliseconds(300)
        _ = line.nextFrame()
        line.hear(bits(1))
        #expect(line.outcome(1) == .answered(.bits([true]), firstByteAt: line.now))
        line.read(2, start: 5)
        let tooEarly = line.nextFrame(within: .milliseconds(300))
        #expect(tooEarly == nil)
    }

    @Test func `a command does not wait for late answers, for its own repeats it in full`() {
        var line = Line()
        line.write(1, 0xFF00)
        _ = line.nextFrame()
        line.now += .milliseconds(300)
        line.write(2, 0)
        let frame = line.nextFrame(within: .milliseconds(50))
        #expect(frame == RTUFrame.encode(unit: 1, pdu: [5, 0, 0, 0, 0]))
        // The late confirmation of ON is none of OFF.
        line.hear(RTUFrame.encode(unit: 1, pdu: [5, 0, 0, 0xFF, 0]))
        #expect(line.outcome(2) == nil)
    }

    @Test func `a command whose time is over is not sent`() {
        var line = Line()
        line.write(1, 0xFF00, notAfter: line.now + .seconds(1))
        line.now += .milliseconds(1_001)
        let frame = line.nextFrame()
        #expect(frame == nil)
        #expect(line.outcome(1) == .failed(.expired))
    }

    @Test func `a port lost after a command was sent leaves open what it did`() {
        var line = Line()
        line.write(1, 0xFF00)
        _ = line.nextFrame()
        line.write(2, 0xFF00)
        line.master.portLost()
        #expect(line.master.takeFinished().map(\.outcome) == [.failed(.portLostMeanwhile), .failed(.portLost)])
    }
}

@Suite struct UnrulyLineTests {
    @Test(arguments: [true, false])
    func `an echo is not taken for the confirmation of a command`(drips: Bool) throws {
        var line = Line()
        func hear(_ bytes: [UInt8]) {
            guard drips else { return line.hear(bytes) }
            for byte in bytes { line.hear([byte], after: .milliseconds(1)) }
        }
        line.read(1, start: 0)
        let request = line.nextFrame()
        hear(try #require(request) + bits(0))
        #expect(line.outcome(1) != nil)
        line.write(2, 0xFF00)
        let sent = line.nextFrame()
        let command = try #require(sent)
        hear(command)
        #expect(line.outcome(2) == nil)
        hear(command)
        guard case .answered(.written, _)? = line.outcome(2) else {
            Issue.record("\(line.finished)")
            return
        }
    }

    @Test func `a line that is never silent does not keep its devices waiting for ever`() {
        var line = Line()
        let start = line.now
        line.read(1, start: 0)
        line.hear([0x55])
        var sentAt: ContinuousClock.Instant?
        while sentAt == nil, line.now - start < .seconds(5) {
            if line.nextFrame(within: .milliseconds(1)) != nil { sentAt = line.now }
            line.hear([0x55], after: .milliseconds(1))
        }
        #expect(sentAt != nil)
        while line.outcome(1) == nil, line.now - start < .seconds(20) {
            _ = line.nextFrame(within: .milliseconds(1))
            line.hear([0x55], after: .milliseconds(1))
        }
        #expect(line.outcome(1) == .failed(.garbled))
    }

    @Test func `a unit that babbles whole frames does not keep its neighbour waiting for ever`() {
        var line = Line()
        let start = line.now
        line.read(1, start: 0)
        let babble = bits(0, unit: 9)
        while line.outcome(1) == nil, line.now - start < .seconds(20) {
            _ = line.nextFrame(within: .milliseconds(1))
            line.hear(babble + babble.prefix(2), after: .milliseconds(5))
        }
        #expect(line.outcome(1) != nil)
    }

    @Test func `a gateway that can't reach a unit does not count as the unit`() {
        var settings = MasterSettings()
        settings.mode = .tcp
        var line = Line(settings)
        for id in 0..<3 {
            line.read(id, start: 0, unit: 7)
            guard let frame = line.nextFrame() else { continue }
            let transaction = UInt16(frame[0]) << 8 | UInt16(frame[1])
            line.hear(TCPFrame.encode(transaction: transaction, unit: 7, pdu: [0x81, 11]))
        }
        #expect(line.finished.count == 3)
        #expect(line.master.isSetAside(7))
    }

    // Noise that looks like the beginning of a long answer must not swallow the short exception behind it.
    @Test func `noise that looks like our answer is given up at its third byte`() {
        var line = Line()
        line.master.submit(.init(id: 1, unit: 1, request: .readInputRegisters(start: 0, count: 80)))
        _ = line.nextFrame()
        line.hear([1, 4, 0x77] + RTUFrame.encode(unit: 1, pdu: [0x84, 2]))
        #expect(line.outcome(1) == .answered(.exception(.illegalDataAddress), firstByteAt: line.now))
    }
}
