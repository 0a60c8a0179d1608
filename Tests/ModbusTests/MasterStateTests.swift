import Bytes
import Testing

@testable import Modbus

/// A bus with scripted units and a clock that only moves when told.
private struct Bus {
    var master: MasterState
    var now = ContinuousClock.now
    /// Frames written, with their time since the start.
    var written: [(at: Duration, frame: [UInt8])] = []
    /// What each unit answers to a request frame; nil is silence.
    var units: [UInt8: ([UInt8]) -> [UInt8]?] = [:]
    var finished: [MasterState.Finished] = []
    let start: ContinuousClock.Instant

    init(_ settings: MasterSettings = MasterSettings()) {
        master = MasterState(settings)
        start = now
    }

    /// Runs until nothing is left to do or `limit` has passed.
    mutating func run(_ limit: Duration = .seconds(100)) {
        let end = now + limit
        while now < end {
            switch master.nextAction(at: now) {
            case .send(let frame):
                written.append((now - start, frame))
                master.sent(at: now)
                now += .milliseconds(10)
                if let answer = units[frame[0]]?(frame) { master.bytesReceived(answer.span, at: now) }
            case .wait(let until):
                finished += master.takeFinished()
                guard let until else { return }
                now = min(until, end)
            }
            finished += master.takeFinished()
        }
    }

    mutating func read(_ unit: UInt8, id: Int = 0, start: UInt16 = 0) {
        master.submit(.init(id: id, unit: unit, request: .readInputRegisters(start: start, count: 1)))
    }

    func frames(to unit: UInt8) -> Int { written.count { $0.frame[0] == unit } }
}

/// A unit whose registers hold their own address.
private func wellUnit(_ frame: [UInt8]) -> [UInt8]? {
    RTUFrame.encode(unit: frame[0], pdu: [frame[1], 2, frame[2], frame[3]])
}

@Suite struct MasterStateTests {
    private let request = Request.readInputRegisters(start: 0, count: 1)

    @Test func `reading waits for half of the rest of an answer, and no longer than a refusal takes`() {
        var settings = MasterSettings()
        settings.byteTime = .milliseconds(1)
        var master = MasterState(settings)
        let now = ContinuousClock.now
        master.submit(.init(id: 1, unit: 1, request: .readInputRegisters(start: 0, count: 40)))
        _ = master.nextAction(at: now)
        master.sent(at: now)
        #expect(master.restIsDueAt == nil)
        master.bytesReceived([1].span, at: now)
        #expect(master.restIsDueAt == now + .milliseconds(2))
        master.bytesReceived([4].span, at: now)
        #expect(master.restIsDueAt == now + .microseconds(41_500))
        master.bytesReceived([UInt8](repeating: 80, count: 80).span, at: now)
        #expect(master.restIsDueAt == nil)
    }

    @Test func `what is told to all units is told once, and waits for nobody`() {
        var bus = Bus()
        bus.units[1] = wellUnit
        bus.master.submit(.init(id: 1, unit: 0, request: .writeSingleCoil(address: 3, value: 0)))
        bus.read(1, id: 2)
        bus.run()
        #expect(bus.finished.map(\.job.id) == [1, 2])
        #expect(bus.finished.first?.outcome == .toldAll)
        #expect(bus.frames(to: 0) == 1)
        // The units have 100 ms for it before the next frame.
        #expect(bus.written[1].at - bus.written[0].at >= .milliseconds(100))
        #expect(bus.master.counters.timeouts == 0)
    }

    @Test func `nobody is asked at unit 0 of a line`() {
        var bus = Bus()
        bus.read(0, id: 1)
        bus.run()
        #expect(bus.written.isEmpty)
        #expect(bus.finished.map(\.outcome) == [.failed(.noAnswer)])
    }

    @Test func `an answer ends its job with the time of its first byte`() {
        var bus = Bus()
        bus.units[1] = wellUnit
        bus.read(1, id: 5, start: 9)
        bus.run()
        #expect(
            bus.finished == [
                .init(
                    job: .init(id: 5, unit: 1, request: .readInputRegisters(start: 9, count: 1)),
                    outcome: .answered(.registers([9]), firstByteAt: bus.start + .milliseconds(10)),
                    sentAt: bus.start, busy: .milliseconds(10))
            ])
    }

    @Test func `an answer that drips in byte by byte is the same answer`() throws {
        var master = MasterState(MasterSettings())
        let start = ContinuousClock.now
        master.submit(.init(id: 1, unit: 1, request: request))
        guard case .send(let frame) = master.nextAction(at: start) else {
            Issue.record("nothing to send")
            return
        }
        master.sent(at: start)
        let answer = try #require(wellUnit(frame))
        for (index, byte) in answer.enumerated() {
            #expect(master.takeFinished().isEmpty)
            master.bytesReceived([byte].span, at: start + .milliseconds(20 + index))
        }
        #expect(
            master.takeFinished().map(\.outcome) == [
                .answered(.registers([0]), firstByteAt: start + .milliseconds(20))
            ])
    }

    @Test func `a read without an answer is tried again and a write is not`() {
        var bus = Bus()
        bus.read(7)
        bus.run()
        #expect(bus.frames(to: 7) == 3)
        bus.master.submit(.init(id: 2, unit: 8, request: .writeSingleCoil(address: 0, value: 0xFF00)))
        bus.run()
        #expect(bus.frames(to: 8) == 1)
        #expect(bus.finished.map(\.outcome) == [.failed(.noAnswer), .failed(.noAnswer)])
    }

    @Test func `garbage before the answer is skipped`() {
        var bus = Bus()
        bus.units[1] = { [0xFF, 0x01, 0x04, 0x00] + (wellUnit($0) ?? []) }
        bus.read(1)
        bus.run()
        guard case .answered(.registers([0]), _)? = bus.finished.first?.outcome else {
            Issue.record("\(bus.finished)")
            return
        }
        #expect(bus.master.counters.garbageBytes == 4)
    }

    @Test func `an answer of another unit that comes late is thrown away`() {
        var bus = Bus()
        let late = RTUFrame.encode(unit: 9, pdu: [4, 2, 0x12, 0x34])
        bus.units[1] = { late + (wellUnit($0) ?? []) }
        bus.read(1)
        bus.run()
        guard case .answered(.registers([0]), _)? = bus.finished.first?.outcome else {
            Issue.record("\(bus.finished)")
            return
        }
        #expect(bus.master.counters.strangers == 1)
    }

    @Test func `an adapter that echoes what was sent does not disturb`() {
        var bus = Bus()
        bus.units[1] = { $0 + (wellUnit($0) ?? []) }
        bus.read(1, start: 3)
        bus.run()
        guard case .answered(.registers([3]), _)? = bus.finished.first?.outcome else {
            Issue.record("\(bus.finished)")
            return
        }
    }

    @Test func `another register of the same unit waits until a late answer can no longer be taken for it`() {
        var bus = Bus()
        bus.read(1, id: 1, start: 0)
        bus.run()
        let failedAt = bus.now
        bus.units[1] = wellUnit
        bus.read(1, id: 2, start: 5)
        bus.run()
        let last = bus.written.last.map { bus.start + $0.at } ?? bus.start
        #expect(last - failedAt >= MasterSettings().timeout)
    }

    @Test func `a silent unit costs its neighbours less than two percent once it is set aside`() {
        var bus = Bus()
        bus.units[1] = wellUnit
        var polls = 0
        let cycle = Duration.seconds(1)
        for number in 0..<600 {
            let due = bus.start + cycle * number
            bus.read(1, id: 1)
            bus.read(2, id: 2)
            bus.run(due + cycle - bus.now)
            polls = bus.finished.count { $0.job.id == 1 && $0.outcome != .failed(.noAnswer) }
        }
        #expect(polls == 600)
        #expect(bus.master.isSetAside(2))
        // Set aside after three cycles (three attempts, then one each), then one probe in thirty seconds.
        #expect(bus.frames(to: 2) <= 5 + 600 / 30)
    }

    @Test func `the rest of a silent unit's cycle fails without being sent`() {
        var bus = Bus()
        for start in 0..<10 { bus.read(2, id: start, start: UInt16(start) * 100) }
        bus.units[1] = wellUnit
        bus.read(1, id: 99)
        bus.run()
        #expect(bus.frames(to: 2) == 3)
        #expect(bus.finished.count { $0.outcome == .failed(.setAside) } == 9)
        #expect(bus.frames(to: 1) == 1)
    }

    @Test func `a unit that answers its probe is back at once`() {
        var bus = Bus()
        for _ in 0..<3 {
            bus.read(2)
            bus.run()
        }
        #expect(bus.master.isSetAside(2))
        bus.units[2] = wellUnit
        bus.read(2)
        bus.run()
        #expect(bus.finished.last?.outcome == .failed(.setAside))
        bus.now += .seconds(30)
        bus.read(2)
        bus.run()
        #expect(!bus.master.isSetAside(2))
    }

    @Test func `a unit that answers with exceptions is alive`() {
        var bus = Bus()
        bus.units[3] = { RTUFrame.encode(unit: 3, pdu: [$0[1] | 0x80, 2]) }
        for _ in 0..<10 {
            bus.read(3)
            bus.run()
        }
        #expect(!bus.master.isSetAside(3))
        #expect(bus.frames(to: 3) == 10)
    }

    @Test func `a write overtakes the reads that wait and is refused at once by a unit set aside`() {
        var bus = Bus()
        bus.units[1] = { frame in frame[1] == 5 ? frame : wellUnit(frame) }
        for id in 0..<3 { bus.read(1, id: id) }
        bus.master.submit(.init(id: 9, unit: 1, request: .writeSingleCoil(address: 0, value: 0xFF00)))
        bus.run()
        #expect(bus.finished.first?.job.id == 9)
        for _ in 0..<3 {
            bus.read(2)
            bus.run()
        }
        let before = bus.frames(to: 2)
        bus.master.submit(.init(id: 10, unit: 2, request: .writeSingleCoil(address: 0, value: 0xFF00)))
        bus.run()
        #expect(bus.finished.last?.outcome == .failed(.setAside))
        #expect(bus.frames(to: 2) == before)
    }

    @Test func `units are addressed with the pause between them`() {
        var settings = MasterSettings()
        settings.pause = .milliseconds(200)
        var bus = Bus(settings)
        bus.units[1] = wellUnit
        bus.units[2] = wellUnit
        bus.read(1)
        bus.read(2)
        bus.run()
        #expect(bus.written[1].at - bus.written[0].at >= .milliseconds(200))
    }

    @Test func `a lost port fails every job and forgets who was set aside`() {
        var bus = Bus()
        for _ in 0..<3 {
            bus.read(2)
            bus.run()
        }
        bus.read(1)
        bus.master.portLost()
        #expect(bus.master.takeFinished().map(\.outcome) == [.failed(.portLost)])
        #expect(!bus.master.isSetAside(2))
    }

    @Test func `over TCP a late answer is known by its transaction`() {
        var settings = MasterSettings()
        settings.mode = .tcp
        settings.retries = 0
        var master = MasterState(settings)
        var now = ContinuousClock.now
        var frames: [[UInt8]] = []
        for start in [0, 5] as [UInt16] {
            master.submit(.init(id: Int(start), unit: 1, request: .readInputRegisters(start: start, count: 1)))
            guard case .send(let frame) = master.nextAction(at: now) else { continue }
            frames.append(frame)
            master.sent(at: now)
            if start == 0 {
                now += .seconds(1)
                _ = master.nextAction(at: now)
            }
        }
        func answer(_ frame: [UInt8]) -> [UInt8] {
            TCPFrame.encode(
                transaction: UInt16(frame[0]) << 8 | UInt16(frame[1]), unit: 1, pdu: [4, 2, frame[8], frame[9]])
        }
        master.bytesReceived((answer(frames[0]) + answer(frames[1])).span, at: now)
        #expect(
            master.takeFinished().last?.outcome == .answered(.registers([5]), firstByteAt: now))
        #expect(master.counters.strangers == 1)
    }

    @Test func `nothing that arrives stops the bus`() {
        var random: UInt64 = 88_172_645_463_325_252
        func next() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random
        }
        for _ in 0..<2_000 {
            var bus = Bus()
            bus.units[1] = { frame in
                var answer = wellUnit(frame) ?? []
                for _ in 0..<(next() % 4) { answer[Int(next() % UInt64(answer.count))] = UInt8(next() & 0xFF) }
                let noise = (0..<(next() % 12)).map { _ in UInt8(next() & 0xFF) }
                return next() % 2 == 0 ? noise + answer : answer + noise
            }
            bus.read(1)
            bus.run()
            #expect(bus.finished.count == 1)
        }
    }
}
