package import Readings

/// Other settings, while the gateway runs.
extension Mapper {
    /// Goes on with other settings: points that stay as they are notice nothing.
    ///
    /// What is not published any more as it was is marked stale before, and a device that is gone is offline. The
    /// gateway's own topic stays.
    package mutating func apply(
        _ settings: MappingSettings, at time: Timestamp, now: ContinuousClock.Instant
    ) -> [Publication] {
        let plan = TopicPlan(settings)
        let publications = replacePoints(plan, at: now)
        return publications + replaceDevices(plan, at: time)
    }

    private mutating func replacePoints(_ plan: TopicPlan, at now: ContinuousClock.Instant) -> [Publication] {
        let wanted = Dictionary(
            plan.points.map { (PointKey($0), $0) }, uniquingKeysWith: { first, _ in first })
        var staying: [PointKey: MappedPointState] = [:]
        var publications: [Publication] = []
        for index in points.indices {
            let planned = points[index].planned
            if wanted[PointKey(planned)] == planned {
                staying[PointKey(planned)] = points[index]
            } else if let reading = points[index].report.becameStale(at: now),
                let publication = publication(of: reading, index, at: now)
            {
                publications.append(publication)
            }
        }
        setPoints(plan.points.map { staying[PointKey($0)] ?? MappedPointState($0) })
        return publications
    }

    private mutating func replaceDevices(_ plan: TopicPlan, at time: Timestamp) -> [Publication] {
        let old = availability
        availability = Availability(plan, gatewayTopic: old.gatewayTopic)
        var publications: [Publication] = []
        for device in old.devices where availability.topics[device] != old.topics[device] {
            let gone = DeviceStatus.offline(.removed, detail: "the configuration has no such device any more")
            if let last = old.device(device, gone, since: time) { publications.append(last) }
            guard let status = statuses.removeValue(forKey: device) else { continue }
            publications += changed(device, status, time)
        }
        for device in availability.devices where statuses[device] == nil {
            let starting = DeviceStatus.offline(.starting, detail: "not heard of since it was configured")
            publications += changed(device, starting, time)
        }
        return publications
    }
}
