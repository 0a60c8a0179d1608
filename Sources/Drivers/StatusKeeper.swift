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
}
