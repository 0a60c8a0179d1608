import Readings
import Synchronization

/// What a driver tells; when it ends because its port or a device of it was configured anew, this is what is said, and
/// not that the gateway stops.
final class LeavingReports: Sendable {
    private let report: @Sendable (DeviceReport) -> Void
    /// Nil while it runs.
    private let staying = Mutex<Set<String>?>(nil)

    init(_ report: @escaping @Sendable (DeviceReport) -> Void) {
        self.report = report
    }

    /// The driver is about to end; those that stay as they are come back at once, with the next driver.
    func leave(staying devices: Set<String>) {
        staying.withLock { $0 = devices }
    }

    func tell(_ told: DeviceReport) {
        guard case .status(let device, .offline(.stopping, _), let since) = told,
            let staying = staying.withLock({ $0 })
        else { return report(told) }
        guard !staying.contains(device) else { return }
        report(.status(device: device, .offline(.starting, detail: "its configuration was changed"), since: since))
    }
}
