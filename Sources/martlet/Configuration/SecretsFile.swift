import Documents
import LinuxIO
import Settings

/// Where `!secret name` is looked up: the environment first, then the service manager's credentials, then `secrets.yaml`
/// beside the configuration.
struct SecretsFile {
    let source: SecretSource
    let problems: [Problem]

    init(beside configuration: String, environment: ProcessEnvironment = ProcessEnvironment()) {
        let path = "\(ProfileFolders.folder(of: configuration))/secrets.yaml"
        var secrets: [String: String] = [:]
        var problems: [Problem] = []
        if File.exists(path) {
            do {
                let bytes = try File.read(path, limit: TextFile.limit)
                (secrets, problems) = SecretSource.read(String(decoding: bytes, as: UTF8.self), file: path)
            } catch {
                // Else the secrets would be called unknown, and the person would look in the wrong place.
                let list = ProblemList(file: path, text: "")
                list.error("the secrets can't be read: \(error)", at: Mark(line: 1, column: 1))
                problems = list.problems
            }
        }
        self.problems = problems
        source = SecretSource { [secrets] name in
            environment[SecretSource.variable(for: name)] ?? Self.credential(name, environment) ?? secrets[name]
        }
    }

    /// What `LoadCredential=name:path` of the service hands over; without the line end that files have. [systemd.exec(5)]
    static func credential(_ name: String, _ environment: ProcessEnvironment) -> String? {
        guard let folder = environment["CREDENTIALS_DIRECTORY"], !name.contains("/"), !name.hasPrefix("."),
            var bytes = try? File.read("\(folder)/\(name)", limit: TextFile.limit)
        else { return nil }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
