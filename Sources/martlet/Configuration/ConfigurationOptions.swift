import ArgumentParser

/// Which configuration a command is about.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The configuration to read.", discussion: "Default: \(defaultPath)", valueName: "FILE"))
    var config: String?

    @Argument(help: ArgumentHelp("The same as --config FILE.", valueName: "FILE"))
    var file: String?

    @OptionGroup var devices: DevicesOption

    private static let defaultPath = "/etc/martlet/martlet.yaml"

    var path: String { config ?? file ?? Self.defaultPath }

    /// The same as plain values, for other threads.
    var files: ConfigurationFiles { ConfigurationFiles(path: path, devices: devices.devices) }

    func validate() throws {
        guard config == nil || file == nil else {
            throw ValidationError(
                "The configuration is given twice: once with --config and once without. Give it once.")
        }
    }
}

/// Which files a configuration is in.
struct ConfigurationFiles: Sendable {
    var path: String
    /// The folder of profiles that was asked for, or nil.
    var devices: String?
}

/// Where a command looks for profiles.
struct DevicesOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder with device profiles.",
            discussion: "Default: 'devices' beside the configuration, then \(ProfileFolders.installed)",
            valueName: "DIR"))
    var devices: String?
}
