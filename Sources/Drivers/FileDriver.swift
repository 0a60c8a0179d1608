import Decoders
import LinuxIO
import Profiles
import Readings
import Settings

/// Runs one device whose values the kernel has in files: reads them again and again, each on a thread that may wait.
///
/// A file that does not answer (a hanging I²C bus holds its reader) makes its own device offline, and delays no other and
/// no stop.
actor FileDriver {
    /// Why one file gave no value.
    private struct Fault: Error {
        var reason: OfflineReason
        var detail: String
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let device: SysfsDeviceSettings
    /// After so long without an answer a device is offline.
    private let patience: Duration
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var keeper: StatusKeeper
    private var readingSince: ContinuousClock.Instant?
    private var hasEnded = false
    /// The points that gave no value the last time, and why: each is told once.
    private var failing: [String: String] = [:]

    init(
        _ device: SysfsDeviceSettings, on loop: EventLoop, report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.device = device
        self.loop = loop
        self.report = report
        self.log = log
        patience = max(.seconds(5), device.poll)
        keeper = StatusKeeper(device: device.key)
    }

    /// Runs until its task is cancelled.
    func run() async {
        var next = ContinuousClock.now
        while !Task.isCancelled {
            let now = ContinuousClock.now
            if let since = readingSince {
                if now - since >= patience {
                    let seconds = (now - since).components.seconds
                    tell(.offline(.timeout, detail: "its files have been read for \(seconds) s without an end"))
                }
            } else {
                readingSince = now
                Task(executorPreference: loop) { await self.readAll() }
            }
            next = max(now, next + device.poll)
            try? await loop.sleep(for: next - now)
        }
        hasEnded = true
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    private func readAll() async {
        var readings: [Reading] = []
        var first: Fault?
        for point in device.points {
            guard !hasEnded else { return }
            do throws(Fault) {
                readings.append(try await read(point))
                if failing.removeValue(forKey: point.name) != nil, device.points.count > 1 {
                    log(DriverLog(level: .info, text: "\(device.key)/\(point.name) can be read again"))
                }
            } catch {
                if first == nil { first = error }
                tell(error, of: point)
            }
        }
        readingSince = nil
        guard !hasEnded else { return }
        if !readings.isEmpty {
            tell(.online)
            report(.readings(readings))
        } else if let first {
            tell(.offline(first.reason, detail: first.detail))
        }
    }

    private func read(_ point: SysfsPointSettings) async throws(Fault) -> Reading {
        let path = point.path
        let bytes: [UInt8]
        do {
            bytes = try await loop.blocking("sensor-file") { () throws(SensorFile.Fault) in try SensorFile.read(path) }
        } catch {
            throw Self.fault(error)
        }
        let readAt = ContinuousClock.now
        let number: Double
        do throws(SensorText.Fault) {
            number = try SensorText.number(bytes)
        } catch {
            throw Fault(reason: .garbled, detail: "\(path) \(Self.words(error))")
        }
        let value = ProfilePoint.rounded(number * point.scale + point.offset, digits: 12)
        if let range = point.range, !range.contains(value) {
            throw Fault(
                reason: .garbled,
                detail: "\(path) says \(number), which is \(value) and outside the range of what can be believed")
        }
        guard let value = Value.measured(value) else {
            throw Fault(reason: .garbled, detail: "\(path) says \(number), which is too much for a number")
        }
        return Reading(
            device: device.key, point: point.name, value: value, unit: point.unit, measuredAt: .noticed(readAt))
    }

    // MARK: telling

    private static func fault(_ error: any Error) -> Fault {
        switch error as? SensorFile.Fault {
        case .missing(let path):
            let advice = path.contains("*") ? "no file matches it" : "there is no such file"
            return Fault(reason: .portMissing, detail: "\(path): \(advice); is the sensor's driver loaded?")
        case .ambiguous(let paths):
            let some = paths.prefix(3).joined(separator: ", ")
            return Fault(
                reason: .portFailed, detail: "\(paths.count) files match, and one must: \(some); write more of its path"
            )
        case .notAFile(let path):
            return Fault(reason: .portFailed, detail: "\(path) is no plain file")
        case .failed(let error):
            switch error.kind {
            case .noPermission:
                return Fault(
                    reason: .portFailed, detail: "\(error); the gateway's user must be allowed to read it")
            case .deviceGone: return Fault(reason: .timeout, detail: "\(error): the sensor does not answer its driver")
            default: return Fault(reason: .portFailed, detail: "\(error)")
            }
        case nil: return Fault(reason: .portFailed, detail: "\(error)")
        }
    }

    private static func words(_ fault: SensorText.Fault) -> String {
        switch fault {
        case .empty: "has nothing in it"
        case .checksum: "has a wrong check sum: the sensor's wire is disturbed"
        case .noNumber(let text): "says '\(text)', which is no number"
        }
    }

    /// One of several that fails; where all do, the device is offline, and that says it.
    private func tell(_ fault: Fault, of point: SysfsPointSettings) {
        guard failing.updateValue(fault.detail, forKey: point.name) == nil, device.points.count > 1 else { return }
        log(DriverLog(level: .warning, text: "\(device.key)/\(point.name) gives no value: \(fault.detail)"))
    }

    private func tell(_ status: DeviceStatus) {
        keeper.tell(status, found: "can be read", report, log)
    }
}
