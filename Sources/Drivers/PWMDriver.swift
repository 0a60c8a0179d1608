import Control
import LinuxIO
import Readings
import Settings

/// Runs one output whose level is a part of the time: a dimmer, a fan, a valve.
///
/// It is off when the gateway takes it and when it lets go.
actor PWMDriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private static let retold: Duration = .seconds(60)
    /// How often it is asked whether its chip is still there: nobody tells.
    private static let lookedAfter: Duration = .seconds(1)
    /// How long udev may take to give the files of a channel to their group.
    private static let udevTakes: Duration = .seconds(2)

    private let device: GPIODeviceSettings
    private let settings: PWMSettings
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var keeper: StatusKeeper
    private var channel: PWMChannel?
    private var tellAt = ContinuousClock.now
    private var deniedSince: ContinuousClock.Instant?

    init(
        _ device: GPIODeviceSettings, _ settings: PWMSettings, on loop: EventLoop,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.device = device
        self.settings = settings
        self.loop = loop
        self.report = report
        self.log = log
        keeper = StatusKeeper(device: device.key)
    }

    /// Runs until its task is cancelled; the output is off then.
    func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do throws(PWMChannel.Fault) {
                channel = try PWMChannel(
                    chip: settings.chip, channel: settings.channel, frequency: settings.frequency,
                    isInverted: settings.isInverted)
                (backoff, deniedSince) = (Backoff(), nil)
                tell(.online)
                try tellLevel()
                try await serve()
            } catch {
                if case .noPermission = error, !isDeniedForLong() {
                    try? await loop.sleep(for: .milliseconds(100))
                    continue
                }
                let (reason, words) = Self.words(error)
                tell(.offline(reason, detail: words))
            }
            channel?.release()
            channel = nil
            guard !Task.isCancelled else { break }
            try? await loop.sleep(for: backoff.next())
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    private func isDeniedForLong() -> Bool {
        let since = deniedSince ?? .now
        deniedSince = since
        return ContinuousClock.now - since >= Self.udevTakes
    }

    private func serve() async throws(PWMChannel.Fault) {
        while !Task.isCancelled {
            try? await loop.sleep(for: Self.lookedAfter)
            guard let channel else { return }
            _ = try channel.part()
            if ContinuousClock.now >= tellAt { try tellLevel() }
        }
    }

    /// Sets the level, and reads back what the kernel has.
    func write(_ word: String, to point: String) -> WriteOutcome {
        guard let channel else {
            return .failed(Refusal(.deviceOffline, "\(device.key) does not have its PWM channel"))
        }
        guard let percent = Double(word) else {
            return .failed(Refusal(.notAllowedValue, "'\(word)' is no number"))
        }
        do throws(PWMChannel.Fault) {
            try channel.set(percent / 100)
            let level = try channel.part() * 100
            // After the answer.
            Task {
                try? await self.loop.sleep(for: .milliseconds(2))
                try? self.tellLevel()
            }
            guard abs(level - percent) < 0.5 else {
                return .failed(Refusal(.verifyFailed, "set, but the kernel has \(level) %"))
            }
            return .done(readBack: .text(word))
        } catch {
            let (reason, words) = Self.words(error)
            if reason == .portMissing { return .failed(Refusal(.deviceOffline, words)) }
            return .failed(Refusal(.timeout, "\(words); whether it is set is not known"))
        }
    }

    // MARK: telling

    private func tellLevel() throws(PWMChannel.Fault) {
        guard let channel, let point = device.points.first else { return }
        let percent = (try channel.part() * 1_000).rounded() / 10
        tellAt = .now + Self.retold
        let value: Value = percent == percent.rounded() ? .integer(Int64(percent)) : .number(percent)
        report(
            .readings([
                Reading(
                    device: device.key, point: point.name, value: value, unit: point.unit, measuredAt: .noticed(.now))
            ]))
    }

    private static func words(_ fault: PWMChannel.Fault) -> (OfflineReason, String) {
        switch fault {
        case .missing(let path): (.portMissing, "\(path) is not there: is the PWM's driver loaded?")
        case .ambiguous(let paths):
            (.portFailed, "\(paths.count) chips match, and one must: \(paths.prefix(3).joined(separator: ", "))")
        case .noSuchChannel(let count, let chip): (.portFailed, "\(chip) has \(count) channels, numbered from 0")
        case .noPermission(let path):
            (.portFailed, "\(path) can't be written: docs/gpio.md says what a service needs for PWM")
        case .failed(let error): (.portFailed, "\(error)")
        }
    }

    private func tell(_ status: DeviceStatus) {
        keeper.tell(status, found: "has its PWM channel", report, log)
    }
}
