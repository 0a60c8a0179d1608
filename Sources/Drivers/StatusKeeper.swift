import Readings

/// The last status of one device, so that only changes are told.
struct StatusKeeper {
    let device: String
    private(set) var status = DeviceStatus.offline(.starting, detail: "")

    init(device: String) {
        self.device = device
    }

    var isOnline: Bool { status == .online }

    /// Whether nothing was heard of the device since the start.
    var isStarting: Bool {
        if case .offline(.starting, _) = status { true } else { false }
    }

    /// The report of a change; nil if it is none.
    mutating func change(to new: DeviceStatus) -> DeviceReport? {
        guard new != status else { return nil }
        status = new
        return .status(device: device, new, since: .noticed(.now))
    }

    /// Tells a change to who maps it and to who reads the log; `found` is what the log says when the device is there.
    mutating func tell(
        _ status: DeviceStatus, found: String, _ report: (DeviceReport) -> Void, _ log: (DriverLog) -> Void
    ) {
        guard let change = change(to: status) else { return }
        report(change)
        switch status {
        case .online: log(DriverLog(level: .info, text: "\(device) \(found)"))
        case .offline(let reason, let detail):
            let level = reason == .stopping ? DriverLog.Level.debug : .warning
            log(DriverLog(level: level, text: "\(device) is offline: \(detail)"))
        }
    }
}
