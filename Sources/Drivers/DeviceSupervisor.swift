package import Control
package import LinuxIO
package import Readings
import Serial
package import Settings

/// Runs all devices: one task for each port, and for each device on GPIO lines or in files, on the devices' loop.
///
/// A port that hangs or fails delays no other; what each driver tells goes through `report`, in order.
package actor DeviceSupervisor {
    /// What is to be run.
    package struct Settings: Sendable {
        package var ports: [PortSettings]
        package var devices: [DeviceSettings]
        package var gpio: [GPIODeviceSettings] = []
        package var sysfs: [SysfsDeviceSettings] = []
        /// The path of the virtual device for each port with `simulate`.
        package var simulated: [String: String] = [:]

        package init(ports: [PortSettings], devices: [DeviceSettings]) {
            self.ports = ports
            self.devices = devices
        }
    }

    /// One driver with its work.
    private final class Running: Sendable {
        let assignment: DriverAssignment
        let driver: Driver
        let reports: LeavingReports
        let task: Task<Void, Never>

        init(_ assignment: DriverAssignment, _ driver: Driver, _ reports: LeavingReports, on loop: EventLoop) {
            self.assignment = assignment
            self.driver = driver
            self.reports = reports
            task = Task(executorPreference: loop) { await driver.run() }
        }
    }

    private nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private let bell = PortBell()
    private let board: StatisticsBoard
    private let totals: KeptTotals
    private var wanted: [DriverAssignment]
    private var running: [Running] = []
    private var isRunning = false

    /// `report` and `log` are called on the loop; what is counted is on the `board`.
    package init(
        _ settings: Settings, on loop: EventLoop, board: StatisticsBoard = StatisticsBoard(),
        totals: KeptTotals = KeptTotals(), report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.loop = loop
        self.board = board
        self.report = report
        self.log = log
        self.totals = totals
        wanted = DriverAssignment.all(settings)
    }

    /// Runs until its task is cancelled, and until the devices have been told offline.
    package func run() async {
        isRunning = true
        startMissing()
        let watching = Task(executorPreference: loop) { await self.watchPorts() }
        let (forever, end) = AsyncStream<Never>.makeStream()
        // Nothing ever comes: it ends when the task is cancelled.
        for await _ in forever {}
        end.finish()
        watching.cancel()
        isRunning = false
        let last = running
        running = []
        for each in last { each.task.cancel() }
        for each in last { await each.task.value }
    }

    /// Wakes the drivers when ports come and go; without word of that they look by themselves, every two seconds.
    private func watchPorts() async {
        guard let watch = PortWatch() else {
            return log(DriverLog(level: .debug, text: "the kernel does not tell when ports come and go"))
        }
        while case .ready = await loop.readable(watch.descriptor) {
            while let change = watch.next() {
                switch change {
                case .added(let path):
                    log(DriverLog(level: .info, text: "\(path) was plugged in"))
                    bell.added()
                case .removed(let path):
                    log(DriverLog(level: .info, text: "\(path) was pulled out"))
                    bell.removed(path)
                }
            }
        }
    }

    /// Ends what is not as these settings want it; `startMissing` goes on with them.
    ///
    /// Devices that stay as they are, on a port of which another changed, are not told offline.
    package func endChanged(_ settings: Settings) async {
        wanted = DriverAssignment.all(settings)
        let leaving = running.filter { !wanted.contains($0.assignment) }
        running.removeAll { each in leaving.contains { $0 === each } }
        for each in leaving {
            each.reports.leave(staying: each.assignment.unchanged(in: wanted))
            each.task.cancel()
        }
        for each in leaving { await each.task.value }
        board.keep(devices: Set(settings.devices.map(\.key)), ports: Set(settings.ports.map(\.key)))
    }

    /// Starts what is wanted and does not run.
    package func startMissing() {
        guard isRunning else { return }
        for assignment in wanted where !running.contains(where: { $0.assignment == assignment }) {
            let reports = LeavingReports(report)
            let driver = assignment.driver(
                on: loop, bell, board, totals, report: { reports.tell($0) }, log: log)
            running.append(Running(assignment, driver, reports, on: loop))
        }
    }

    /// Writes a word to a point, once; ends when the device has answered, or could have.
    package func write(_ word: String, to point: String, of device: String) async -> WriteOutcome {
        let place = running.first { $0.assignment.devices.contains(device) }
        guard let place else { return .failed(Refusal(.deviceOffline, "there is no device '\(device)'")) }
        return await place.driver.write(word, to: point, of: device)
    }
}
