import Glibc

/// One channel of a PWM chip, by the kernel's files for it: held from `init` to `release`, and off at both ends.
///
/// [kernel.org: Documentation/driver-api/pwm.rst, "Using PWMs with the sysfs interface"]
package struct PWMChannel: Equatable, Sendable {
    /// Why it can't be had or set.
    package enum Fault: Error, Equatable, Sendable {
        case missing(String)
        case ambiguous([String])
        /// The chip has fewer channels.
        case noSuchChannel(Int, of: String)
        case noPermission(String)
        case failed(SystemError)
    }

    /// The channel's own folder: `…/pwmchip0/pwm1`.
    package let folder: String
    private let chip: String
    private let channel: Int
    private let period: Int64

    /// Takes the channel; it is off, with this frequency (Hz), and inverted if wanted.
    ///
    /// `pattern` is the chip's folder, with a `*` for what the kernel numbers anew. A channel that somebody left taken is taken
    /// over: the kernel does not say whose it is.
    package init(chip pattern: String, channel: Int, frequency: Double, isInverted: Bool) throws(Fault) {
        let chip = try Self.resolved(pattern)
        self.chip = chip
        self.channel = channel
        folder = "\(chip)/pwm\(channel)"
        period = Int64((1e9 / frequency).rounded())
        if access(folder, F_OK) != 0 {
            let count = (try? File.read("\(chip)/npwm")).flatMap(Self.number)
            if let count, channel >= count { throw .noSuchChannel(count, of: chip) }
            try write("\(channel)", to: "\(chip)/export")
        }
        // Off first: neither period nor polarity can be set beside what was set before.
        try? write("0", to: "\(folder)/enable")
        try? write("0", to: "\(folder)/duty_cycle")
        try write("\(period)", to: "\(folder)/period")
        try write("0", to: "\(folder)/duty_cycle")
        if isInverted || !says("normal", "\(folder)/polarity") {
            try write(isInverted ? "inversed" : "normal", to: "\(folder)/polarity")
        }
        try write("1", to: "\(folder)/enable")
    }

    /// From 0 to 1 of the time.
    package func set(_ part: Double) throws(Fault) {
        try write("\(Int64((Double(period) * min(max(part, 0), 1)).rounded()))", to: "\(folder)/duty_cycle")
    }

    /// Of the time, as the kernel has it; it also finds out whether the chip is still there.
    package func part() throws(Fault) -> Double {
        let path = "\(folder)/duty_cycle"
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(path, limit: 4096)
        } catch {
            throw Self.fault(error, path)
        }
        return Double(Self.number(bytes) ?? 0) / Double(period)
    }

    /// Off, and nobody's.
    package func release() {
        try? write("0", to: "\(folder)/duty_cycle")
        try? write("0", to: "\(folder)/enable")
        try? write("\(channel)", to: "\(chip)/unexport")
    }

    // MARK: files

    private static func number(_ bytes: [UInt8]) -> Int? {
        Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    }

    private func says(_ word: String, _ path: String) -> Bool {
        (try? File.read(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self).hasPrefix(word) } ?? false
    }

    private func write(_ text: String, to path: String) throws(Fault) {
        do throws(SystemError) {
            try File.overwrite(path, Array(text.utf8))
        } catch {
            throw Self.fault(error, path)
        }
    }

    private static func fault(_ error: SystemError, _ path: String) -> Fault {
        switch error.kind {
        case .notFound, .deviceGone: .missing(path)
        case .noPermission, .readOnly: .noPermission(path)
        default: .failed(error)
        }
    }

    private static func resolved(_ pattern: String) throws(Fault) -> String {
        let found = SensorFile.matches(pattern)
        guard let first = found.first else { throw .missing(pattern) }
        guard found.count == 1 else { throw .ambiguous(found) }
        return first
    }
}
