package import Readings

/// Turns what devices report into messages: which topic, which payload, and whether it is worth a message at all.
///
/// It owns no clock: call `tick` at `wakeAt`, which may change with every call.
package struct Mapper: Sendable {
    /// Where the sequence numbers go on; to be kept over restarts, with a gap rather than a repetition.
    package private(set) var nextSequenceNumber: UInt64
    /// When `tick` has something to do; nil while nothing is due.
    package private(set) var wakeAt: ContinuousClock.Instant?
    /// Readings of points that the settings don't know; they are dropped.
    package private(set) var unknownReadings = 0

    var availability: Availability
    var points: [MappedPointState] = []
    private var indices: [PointKey: Int] = [:]
    private var pointsOfDevice: [String: [Int]] = [:]
    var statuses: [String: DeviceStatus] = [:]

    package init(_ settings: MappingSettings, nextSequenceNumber: UInt64 = 1) {
        self.nextSequenceNumber = nextSequenceNumber
        let plan = TopicPlan(settings)
        availability = Availability(plan)
        setPoints(plan.points.map(MappedPointState.init))
    }

    mutating func setPoints(_ new: [MappedPointState]) {
        (points, indices, pointsOfDevice) = (new, [:], [:])
        for (index, point) in new.enumerated() {
            indices[PointKey(point.planned)] = index
            pointsOfDevice[point.planned.device, default: []].append(index)
        }
        wakeAt = points.compactMap(\.report.dueAt).min()
    }

    /// The will of the connection that publishes: the gateway was lost without goodbye.
    package var will: Publication { availability.will }

    /// The first messages: the gateway is online, every device is not heard of yet.
    package mutating func start(at time: Timestamp) -> [Publication] {
        var publications = [availability.gateway(.online, since: time)]
        for device in availability.devices where statuses[device] == nil {
            publications += changed(device, .offline(.starting, detail: "not heard of since the gateway started"), time)
        }
        return publications
    }

    /// Goes on with this number, or with the next one if that is higher.
    mutating func skipNumbers(to number: UInt64) {
        nextSequenceNumber = max(nextSequenceNumber, number)
    }

    /// What a device reported; its times are times of day.
    package mutating func received(_ report: DeviceReport, at now: ContinuousClock.Instant) -> [Publication] {
        switch report {
        case .readings(let readings): readings.compactMap { received($0, at: now) }
        case .status(let device, .online, .at(let since)): changed(device, .online, since)
        case .status(let device, let status, .at(let since)): lost(device, status, since, at: now)
        case .status(_, _, .noticed): []  // `ClockGate` lets none pass
        }
    }

    /// What is due by now: values held back, repeated, or stale.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Publication] {
        guard let wakeAt, wakeAt <= now else { return [] }
        var publications: [Publication] = []
        for index in points.indices {
            guard let reading = points[index].report.tick(at: now) else { continue }
            if let publication = publication(of: reading, index, at: now) { publications.append(publication) }
        }
        self.wakeAt = points.compactMap(\.report.dueAt).min()
        return publications
    }

    /// The last messages: from here on values are stale, devices and gateway offline because the gateway stops.
    package mutating func stop(at time: Timestamp, now: ContinuousClock.Instant) -> [Publication] {
        let stopping = DeviceStatus.offline(.stopping, detail: "the gateway is stopping")
        var publications: [Publication] = []
        for device in availability.devices {
            publications += lost(device, stopping, time, at: now)
        }
        wakeAt = nil
        return publications + [availability.gateway(stopping, since: time)]
    }

    private mutating func received(_ reading: Reading, at now: ContinuousClock.Instant) -> Publication? {
        guard let index = indices[PointKey(device: reading.device, point: reading.point)] else {
            unknownReadings += 1
            return nil
        }
        let due = points[index].report.received(reading, at: now)
        wakeEarlier(points[index].report.dueAt)
        return due.flatMap { publication(of: $0, index, at: now) }
    }

    /// Values first, then the word that the device is gone: who acts on the word finds the values marked.
    private mutating func lost(
        _ device: String, _ status: DeviceStatus, _ since: Timestamp, at now: ContinuousClock.Instant
    ) -> [Publication] {
        var publications: [Publication] = []
        for index in pointsOfDevice[device] ?? [] {
            guard let reading = points[index].report.becameStale(at: now) else { continue }
            if let publication = publication(of: reading, index, at: now) { publications.append(publication) }
        }
        return publications + changed(device, status, since)
    }

    mutating func changed(_ device: String, _ status: DeviceStatus, _ since: Timestamp) -> [Publication] {
        guard statuses[device] != status, let publication = availability.device(device, status, since: since) else {
            return []
        }
        statuses[device] = status
        return [publication]
    }

    mutating func publication(
        of reading: Reading, _ index: Int, at now: ContinuousClock.Instant
    ) -> Publication? {
        guard let publication = points[index].publication(of: reading, number: nextSequenceNumber, at: now) else {
            return nil
        }
        nextSequenceNumber += 1
        return publication
    }

    private mutating func wakeEarlier(_ dueAt: ContinuousClock.Instant?) {
        guard let dueAt else { return }
        wakeAt = wakeAt.map { min($0, dueAt) } ?? dueAt
    }
}

/// Which point of which device.
struct PointKey: Hashable {
    var device: String
    var point: String

    init(device: String, point: String) {
        self.device = device
        self.point = point
    }

    init(_ planned: PlannedPoint) {
        self.init(device: planned.device, point: planned.point.name)
    }
}
