import Bytes

/// One bus with one master: whose turn it is, what to send, which answer belongs to what.
///
/// Events go in (a job, bytes, the time), what to do comes out (`nextAction`) and finished jobs (`takeFinished`).
/// Only one request is under way at a time. A silent unit costs its neighbours one time-out per cycle until it is
/// set aside, then one per `probeEvery`. Writes go before reads and are sent once: a write whose answer is missing
/// may have been carried out.
package struct MasterState: Sendable {
    package typealias Instant = ContinuousClock.Instant

    private struct Unit {
        var failedCycles = 0
        /// The last request was not answered: the next gets one attempt only.
        var isSuspect = false
        var nextProbeAt: Instant?
        var lateAnswers = LateAnswers()
    }

    private struct Outstanding {
        var job: Job
        var attempts: Int
        var frame: [UInt8]
        var isWritten = false
        /// When its turn began, with the silence before it and all attempts.
        var begunAt: Instant
        var sentAt: Instant?
        var deadline: Instant
        /// Whatever arrives, the wait ends then: a babbling unit must not stop the bus.
        var lastDeadline: Instant
        var firstByteAt: Instant?
        var sawGarbage = false
        var sawEcho = false
    }

    /// A line that is never silent is written to nevertheless; what comes of it is told as garbled.
    private static let longestSilenceWait: Duration = .seconds(1)

    private let settings: MasterSettings
    private var writes = Ring<Job>()
    private var reads = Ring<Job>()
    private var units: [UInt8: Unit] = [:]
    private var outstanding: Outstanding?
    private var received: [UInt8] = []
    private var finished: [Finished] = []
    private var lastUnit: UInt8?
    private var quietSince: Instant?
    private var wantsSilenceSince: Instant?
    /// The adapter hands back what it sends.
    private var lineEchoes = false
    private var transaction: UInt16 = 0
    /// Until when reading is no use: the answer has begun, and at least half of its rest is still on the line.
    ///
    /// A line that hands over byte by byte would else wake its reader for each of them.
    package private(set) var restIsDueAt: Instant?
    package private(set) var counters = Counters()

    package init(_ settings: MasterSettings) {
        self.settings = settings
    }

    // MARK: events

    /// Queues a job.
    ///
    /// Reads keep their order; writes overtake reads.
    package mutating func submit(_ job: Job) {
        if job.request.isWrite { writes.append(job) } else { reads.append(job) }
    }

    /// The bytes of `.send` are on their way; from now the unit has its time to answer.
    package mutating func sent(at now: Instant) {
        guard var waiting = outstanding else { return }
        waiting.isWritten = true
        waiting.sentAt = now
        let patience = isForAll(waiting.job) ? MasterSettings.broadcastPause : settings.timeout
        waiting.deadline = now + patience + settings.byteTime * waiting.frame.count
        waiting.lastDeadline = waiting.deadline + settings.timeout + settings.time(forAnswerTo: waiting.job.request) * 3
        outstanding = waiting
    }

    package mutating func bytesReceived(_ bytes: Span<UInt8>, at now: Instant) {
        quietSince = now
        restIsDueAt = nil
        received.append(copying: bytes)
        guard let waiting = outstanding, !isForAll(waiting.job) else {
            // Nobody waits: noise or a late answer.
            counters.garbageBytes += received.count
            received.removeAll(keepingCapacity: true)
            return
        }
        if outstanding?.firstByteAt == nil { outstanding?.firstByteAt = now }
        search(now)
    }

    /// The port is gone: every job fails, nothing is remembered of the line.
    package mutating func portLost() {
        if let waiting = outstanding { fail(waiting.job, waiting.isWritten ? .portLostMeanwhile : .portLost) }
        outstanding = nil
        while let job = writes.popFirst() ?? reads.popFirst() { fail(job, .portLost) }
        received.removeAll()
        units.removeAll()
        lastUnit = nil
        lineEchoes = false
    }

    /// What to do now.
    package mutating func nextAction(at now: Instant) -> Action {
        if let waiting = outstanding {
            guard waiting.isWritten else { return .send(waiting.frame) }
            if now < waiting.deadline { return .wait(until: waiting.deadline) }
            timedOut(waiting, now)
            if let again = outstanding { return .send(again.frame) }
        }
        return startNext(now)
    }

    /// The jobs that have ended since the last call.
    package mutating func takeFinished() -> [Finished] {
        guard !finished.isEmpty else { return [] }
        defer { finished = [] }
        return finished
    }

    /// Whether a unit has been set aside.
    package func isSetAside(_ unit: UInt8) -> Bool {
        units[unit]?.nextProbeAt != nil
    }

    // MARK: sending

    private mutating func startNext(_ now: Instant) -> Action {
        var earliest: Instant?
        // Each job is looked at once: what can't go yet stays, behind those that can.
        for _ in 0..<(writes.count + reads.count) {
            guard let job = writes.popFirst() ?? reads.popFirst() else { break }
            if let refusal = refusal(of: job, now) {
                fail(job, refusal)
            } else if let until = ambiguousUntil(job, now) {
                earliest = min(earliest ?? until, until)
                submit(job)
            } else if let until = silence(before: job, now) {
                putBack(job)
                wantsSilenceSince = wantsSilenceSince ?? now
                return .wait(until: until)
            } else {
                start(job, now)
                return .send(outstanding?.frame ?? [])
            }
        }
        return .wait(until: earliest)
    }

    /// Back to the front, where it came from.
    private mutating func putBack(_ job: Job) {
        var queue = Ring<Job>()
        queue.append(job)
        if job.request.isWrite {
            while let next = writes.popFirst() { queue.append(next) }
            writes = queue
        } else {
            while let next = reads.popFirst() { queue.append(next) }
            reads = queue
        }
    }

    private mutating func start(_ job: Job, _ now: Instant) {
        restIsDueAt = nil
        transaction &+= 1
        let pdu = job.request.pdu
        let frame =
            switch settings.mode {
            case .rtu: RTUFrame.encode(unit: job.unit, pdu: pdu)
            case .ascii: ASCIIFrame.encode(unit: job.unit, pdu: pdu)
            case .tcp: TCPFrame.encode(transaction: transaction, unit: job.unit, pdu: pdu)
            }
        received.removeAll(keepingCapacity: true)
        let deadline = now + settings.timeout
        outstanding = Outstanding(
            job: job, attempts: 1, frame: frame, begunAt: wantsSilenceSince ?? now, deadline: deadline,
            lastDeadline: deadline)
        if job.request.isWrite { units[job.unit]?.lateAnswers.writeStarted() }
        lastUnit = job.unit
        wantsSilenceSince = nil
        counters.requests += 1
    }

    /// Whether it is said to all units of a line at once; over TCP, 0 is the device itself.
    private func isForAll(_ job: Job) -> Bool {
        settings.mode != .tcp && job.unit == 0 && job.request.isWrite && job.request.functionCode != 23
    }

    /// A unit that was set aside gets one read per `probeEvery`; the rest fails at once.
    private mutating func refusal(of job: Job, _ now: Instant) -> Failure? {
        if let limit = job.notAfter, now > limit { return .expired }
        // Nobody answers a question that is put to all.
        if settings.mode != .tcp, job.unit == 0, !isForAll(job) { return .noAnswer }
        guard let probeAt = units[job.unit]?.nextProbeAt else { return nil }
        guard !job.request.isWrite, now >= probeAt else { return .setAside }
        return nil
    }

    /// Until when a late answer could be taken for this job's.
    ///
    /// Transactions over TCP have numbers and can't be mixed up.
    private func ambiguousUntil(_ job: Job, _ now: Instant) -> Instant? {
        guard settings.mode != .tcp else { return nil }
        return units[job.unit]?.lateAnswers.ambiguousUntil(for: job.request, at: now)
    }

    private func silence(before job: Job, _ now: Instant) -> Instant? {
        guard settings.mode != .tcp, let quietSince else { return nil }
        if let wantsSilenceSince, now - wantsSilenceSince >= Self.longestSilenceWait { return nil }
        // 3.5 characters between frames, 1.75 ms above 19200 baud, more before another unit. [Modbus over serial line V1.02, section 2.5.1.1]
        let gap = BusLoad.silence(settings.byteTime)
        let until = quietSince + (job.unit == lastUnit ? gap : max(gap, settings.pause))
        return now < until ? until : nil
    }

    // MARK: answers

    private mutating func search(_ now: Instant) {
        var position = 0
        while let waiting = outstanding {
            switch find(waiting, from: position) {
            case .answer(let response, let length):
                position += length
                answered(waiting, response, now)
            case .stranger(let length):
                if isEcho(position, length) { outstanding?.sawEcho = true } else { counters.strangers += 1 }
                position += length
                outstanding?.firstByteAt = position < received.count ? now : nil
            case .garbage:
                position += 1
                counters.garbageBytes += 1
                outstanding?.sawGarbage = true
            case .needMore:
                received.removeFirst(position)
                if !received.isEmpty { expectRest(waiting, now) }
                return
            }
        }
        received.removeAll(keepingCapacity: true)
    }

    private func find(_ waiting: Outstanding, from position: Int) -> RTUFrame.Found {
        let rest = received.span.extracting(position..<received.count)
        if settings.mode == .tcp {
            return TCPFrame.find(rest, request: waiting.job.request, unit: waiting.job.unit, transaction: transaction)
        }
        if let echo = findEcho(waiting, position) { return echo }
        let (request, unit) = (waiting.job.request, waiting.job.unit)
        return settings.mode == .ascii
            ? ASCIIFrame.find(rest, request: request, unit: unit) : RTUFrame.find(rest, request: request, unit: unit)
    }

    /// What the adapter hands back of our own request, or of its beginning.
    ///
    /// The answer to a single write looks just the same; whether the line echoes is known from the last read.
    private func findEcho(_ waiting: Outstanding, _ position: Int) -> RTUFrame.Found? {
        guard !waiting.sawEcho, lineEchoes || !waiting.job.request.isWrite else { return nil }
        let rest = received[position...]
        if rest.count < waiting.frame.count { return waiting.frame.starts(with: rest) ? .needMore : nil }
        return isEcho(position, waiting.frame.count) ? .stranger(length: waiting.frame.count) : nil
    }

    private func isEcho(_ position: Int, _ length: Int) -> Bool {
        settings.mode != .tcp && position + length <= received.count
            && outstanding.map { received[position..<(position + length)].elementsEqual($0.frame) } ?? false
    }

    /// What has begun may end: the line needs its time for the rest of the frame.
    private mutating func expectRest(_ waiting: Outstanding, _ now: Instant) {
        // The function tells a refusal, which is short.
        let isRTU = settings.mode == .rtu
        let isShort = isRTU ? received.count < 2 || received[1] & 0x80 != 0 : received.count < 5 || received[3] != 0x30
        let missing = settings.mode.length(ofPDU: isShort ? 2 : waiting.job.request.responseLength) - received.count
        if settings.byteTime > .zero, missing > 3 { restIsDueAt = now + settings.byteTime * missing / 2 }
        let end = (waiting.firstByteAt ?? now) + settings.time(forAnswerTo: waiting.job.request)
        outstanding?.deadline = max(waiting.deadline, min(end, waiting.lastDeadline))
    }

    private mutating func answered(_ waiting: Outstanding, _ response: Response, _ now: Instant) {
        outstanding = nil
        let (number, request) = (waiting.job.unit, waiting.job.request)
        let outcome = Outcome.answered(response, firstByteAt: waiting.firstByteAt ?? now)
        finished.append(
            Finished(job: waiting.job, outcome: outcome, sentAt: waiting.sentAt, busy: now - waiting.begunAt))
        if !request.isWrite { lineEchoes = waiting.sawEcho }
        var unit = units[number] ?? Unit()
        // The answers to earlier attempts may still be on their way, or this was one of them.
        if waiting.attempts > 1 || unit.lateAnswers.isExpected(to: request, at: now) {
            unit.lateAnswers.mayCome(to: request, until: now + settings.longestLateness, at: now)
        }
        if case .exception(let code) = response, code.isUnitMissing {
            // A gateway speaks for a unit that does not.
            if !request.isWrite { unitFailed(&unit, number, now) }
        } else {
            unit.failedCycles = 0
            unit.isSuspect = false
            unit.nextProbeAt = nil
        }
        units[number] = unit
    }

    private mutating func timedOut(_ waiting: Outstanding, _ now: Instant) {
        quietSince = now
        received.removeAll(keepingCapacity: true)
        if isForAll(waiting.job) {
            outstanding = nil
            finished.append(
                Finished(
                    job: waiting.job, outcome: .toldAll, sentAt: waiting.sentAt, busy: now - waiting.begunAt))
            return
        }
        counters.timeouts += 1
        let (number, request) = (waiting.job.unit, waiting.job.request)
        var unit = units[number] ?? Unit()
        let attempts = request.isWrite || unit.isSuspect ? 1 : settings.retries + 1
        unit.lateAnswers.mayCome(to: request, until: now + settings.longestLateness, at: now)
        guard waiting.attempts >= attempts else {
            units[number] = unit
            retry(waiting, now)
            return
        }
        outstanding = nil
        let failure = waiting.sawGarbage ? Failure.garbled : .noAnswer
        finished.append(
            Finished(
                job: waiting.job, outcome: .failed(failure), sentAt: waiting.sentAt, busy: now - waiting.begunAt))
        if !request.isWrite { unitFailed(&unit, number, now) }
        units[number] = unit
    }

    private mutating func retry(_ waiting: Outstanding, _ now: Instant) {
        start(waiting.job, now)
        outstanding?.begunAt = waiting.begunAt
        outstanding?.attempts = waiting.attempts + 1
        outstanding?.sawGarbage = waiting.sawGarbage
    }

    /// The rest of the unit's cycle would time out as well: it fails now, so that the neighbours get their turn.
    private mutating func unitFailed(_ unit: inout Unit, _ number: UInt8, _ now: Instant) {
        unit.isSuspect = true
        unit.failedCycles += 1
        if unit.failedCycles >= settings.offlineAfter { unit.nextProbeAt = now + settings.probeEvery }
        for _ in 0..<reads.count {
            guard let job = reads.popFirst() else { return }
            if job.unit == number { fail(job, .setAside) } else { reads.append(job) }
        }
    }

    private mutating func fail(_ job: Job, _ failure: Failure) {
        finished.append(Finished(job: job, outcome: .failed(failure)))
    }
}
