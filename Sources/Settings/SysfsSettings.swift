/// One entry of `sysfs`: files in which the kernel has what sensors measure.
package struct SysfsDeviceSettings: Equatable, Sendable {
    package var key: String
    package var name: String?
    /// How often its files are read.
    package var poll: Duration
    package var points: [SysfsPointSettings]
}

/// One file, and what its number means.
package struct SysfsPointSettings: Equatable, Sendable {
    package var name: String
    /// Absolute; a `*` stands for what the kernel numbers anew at each start, and one file must match.
    package var path: String
    package var unit: String?
    /// The file's number times this, plus `offset`, is the value.
    package var scale = 1.0
    package var offset = 0.0
    /// What can be believed; values outside are told as garbled and not published.
    package var range: ClosedRange<Double>?
}
