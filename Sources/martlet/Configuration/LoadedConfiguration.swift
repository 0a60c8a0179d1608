import Documents
import LinuxIO
import Profiles
import Settings

/// A configuration as it was read: settings where it can be run, and everything that is to be said about it.
struct LoadedConfiguration {
    let path: String
    /// Nil where there are errors.
    let settings: GatewaySettings?
    /// What `check` shows and `run` logs, a text of a few lines each.
    let texts: [String]
    let errorCount: Int
    let warningCount: Int

    init(_ options: ConfigurationFiles) throws(CommandFailure) {
        path = options.path
        let text = try TextFile.read(options.path)
        let folders = ProfileFolders.folders(asked: options.devices, configuration: options.path)
        let library = ProfileLibrary(folders: folders)
        let secrets = SecretsFile(beside: options.path)
        let read = Configuration.read(
            text, file: options.path, profiles: library.profiles, secrets: secrets.source)
        let problems = library.problems + secrets.problems + read.problems
        let users = UserFiles(read.settings?.userFiles ?? [], beside: options.path)
        let failures = library.failures + users.failures
        texts = failures + users.complaints + problems.map(\.description)
        errorCount = failures.count + problems.count { $0.severity == .error }
        warningCount = users.complaints.count + problems.count { $0.severity == .warning }
        var settings = errorCount == 0 ? read.settings : nil
        settings?.users = users.users
        self.settings = settings
    }

    /// How it stands, in one line.
    var verdict: String {
        guard errorCount == 0, let settings else {
            return "\(path): \(Self.counted(errorCount, "error"))\(warnings)"
        }
        let points = settings.devices.reduce(0) { $0 + $1.points.count }
        return "\(path) is well: \(Self.counted(settings.ports.count, "port")), "
            + "\(Self.counted(settings.devices.count, "device")), \(Self.counted(points, "point"))\(warnings)"
    }

    /// What the polls take of each Modbus line.
    var loads: [String] {
        guard let settings else { return [] }
        return settings.ports.compactMap { port in
            PortLoad(port, settings.devices).map { "port \(port.key): polls take \($0) of its line" }
        }
    }

    private var warnings: String { warningCount > 0 ? ", \(Self.counted(warningCount, "warning"))" : "" }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
