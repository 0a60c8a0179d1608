import ArgumentParser
import Documents
import LinuxIO
import Profiles

/// `martlet profile`: the devices that Martlet knows.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "List, show, test and start device profiles.",
        discussion: "A profile is a file that says what a device model offers and how to ask for it.",
        subcommands: [ProfileList.self, ProfileShow.self, ProfileTestCommand.self, ProfileNew.self])
}

/// `martlet profile list`.
struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the devices that Martlet knows.")

    @Flag(help: "As the table of docs/devices.md, a row for each model.")
    var table = false

    @OptionGroup var devices: DevicesOption

    func run() throws {
        let library = try devices.library()
        if table {
            StandardOutput.write(ProfileTable.markdown(library.sorted))
            return try library.reportProblems()
        }
        let width = library.sorted.map(\.name.count).max() ?? 0
        for profile in library.sorted {
            let name = profile.name + String(repeating: " ", count: width - profile.name.count)
            StandardOutput.write("\(name)  \(profile.productNames)\n")
        }
        try library.reportProblems()
    }
}

/// `martlet profile test`.
struct ProfileTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run the tests that profiles carry: real frames, and what must come out.",
        discussion: """
            Exit status: 0 when all pass, 1 when one fails, 2 when a profile can't be read.

              martlet profile test devices/eastron-sdm120.yaml
            """)

    @Argument(help: ArgumentHelp("Profile files; all that are found if none is given.", valueName: "FILE"))
    var files: [String] = []

    @OptionGroup var devices: DevicesOption

    func run() throws {
        let library = files.isEmpty ? try devices.library() : ProfileLibrary(files: files)
        var failed = 0
        for profile in library.sorted where !passes(profile) { failed += 1 }
        try library.reportProblems()
        if failed > 0 { throw CommandFailure("\(failed) of \(library.profiles.count) profiles failed") }
    }

    private func passes(_ profile: Profile) -> Bool {
        let failures = ProfileTestRun.failures(of: profile, at: .now)
        let count = "\(profile.tests.count) test\(profile.tests.count == 1 ? "" : "s")"
        StandardOutput.write("\(profile.name): \(failures.isEmpty ? "\(count) passed" : "FAILED")\n")
        for failure in failures { StandardOutput.write("    \(profile.file) \(failure)\n") }
        return failures.isEmpty
    }
}

extension DevicesOption {
    /// The profiles of the folder that was asked for, or of those where they usually are.
    func library() throws(CommandFailure) -> ProfileLibrary {
        let folders = ProfileFolders.folders(asked: devices, configuration: nil)
        guard !folders.isEmpty else {
            throw CommandFailure(
                "there are no profiles in ./devices or \(ProfileFolders.installed); give their folder with --devices DIR",
                status: .usage)
        }
        return ProfileLibrary(folders: folders)
    }
}

extension ProfileLibrary {
    /// Shows what is wrong with the files, and fails if something is.
    func reportProblems() throws(CommandFailure) {
        for text in failures + problems.map(\.description) { StandardError.write(text + "\n\n") }
        if hasErrors { throw CommandFailure.silent(.usage) }
    }
}

extension Profile {
    /// Maker and model of each product: "Eastron SDM120-Modbus".
    var productNames: String {
        products.map { [$0.make, $0.model].compactMap(\.self).joined(separator: " ") }.joined(separator: ", ")
    }
}
