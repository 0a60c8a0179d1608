/// What a driver tells about its device, in order.
package enum DeviceReport: Equatable, Sendable {
    /// Values that were measured together: one poll's block or one telegram.
    case readings([Reading])
    /// The device came or went; `since` is when the change was noticed.
    case status(device: String, DeviceStatus, since: Moment)
}
