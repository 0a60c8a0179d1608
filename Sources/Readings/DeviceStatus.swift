/// Whether a device answers, as published on `…/$online`.
package enum DeviceStatus: Equatable, Sendable {
    case online
    case offline(OfflineReason, detail: String)
}

/// Why a device is offline; the raw value is the word in the payload's `reason`.
package enum OfflineReason: String, CaseIterable, Sendable {
    /// Not heard of since the gateway started.
    case starting
    /// The port is not there (unplugged, no such path).
    case portMissing = "port_missing"
    /// The port is there but could not be opened or set.
    case portFailed = "port_failed"
    /// Requests were sent, nothing came back in time.
    case timeout
    /// Answers came, but not ones that can be believed.
    case garbled
    /// The device answered that it can't (a Modbus exception to every read).
    case refused
    /// A device that speaks unasked has been silent for too long.
    case silent
    /// The gateway is stopping.
    case stopping
    /// The configuration was changed, and has it no more.
    case removed
}
