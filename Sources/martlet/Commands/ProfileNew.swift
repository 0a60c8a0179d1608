import ArgumentParser
import LinuxIO
import Profiles

/// `martlet profile new`.
struct ProfileNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Start a profile for a device that Martlet does not know.",
        discussion: """
            Writes a whole profile that passes its tests, to be changed line by line; docs/writing-a-profile.md tells how.

              martlet profile new maker-model
              martlet profile test devices/maker-model.yaml
            """)

    @Argument(help: ArgumentHelp("Maker and model in small letters, digits and '-'.", valueName: "NAME"))
    var name: String

    @Option(help: ArgumentHelp("The folder to write it to; default: 'devices'.", valueName: "DIR"))
    var devices = "devices"

    func run() throws {
        guard ProfileTemplate.isName(name) else {
            throw CommandFailure(
                "'\(name)' can't be the name of a profile: use small letters, digits and '-', like eastron-sdm120",
                status: .usage)
        }
        guard File.isDirectory(devices) else {
            throw CommandFailure(
                "there is no folder '\(devices)'; make it with: mkdir \(devices)", status: .usage)
        }
        let file = "\(devices)/\(name).yaml"
        guard !File.exists(file) else {
            throw CommandFailure("\(file) is there already, and stays as it is", status: .usage)
        }
        do throws(SystemError) {
            try File.replace(file, with: Array(ProfileTemplate.text(name).utf8), mode: 0o644)
        } catch {
            throw CommandFailure("\(error)")
        }
        StandardOutput.write("\(file) is written; change it, then: martlet profile test \(file)\n")
    }
}
