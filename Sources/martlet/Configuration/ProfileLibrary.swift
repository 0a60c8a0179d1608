import Documents
import LinuxIO
import Profiles

/// The device profiles that were found, with what is wrong with their files.
struct ProfileLibrary {
    private(set) var profiles: [String: Profile] = [:]
    private(set) var problems: [Problem] = []
    /// Files that could not be read, a sentence each.
    private(set) var failures: [String] = []

    /// Whether a file could not be used, wholly or in part.
    var hasErrors: Bool { !failures.isEmpty || problems.contains { $0.severity == .error } }

    /// All profiles in alphabetical order.
    var sorted: [Profile] { profiles.values.sorted { $0.name < $1.name } }

    init(folders: [String]) {
        for folder in folders {
            do {
                let names = try File.names(in: folder).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
                for name in names { add(file: "\(folder)/\(name)") }
            } catch {
                failures.append("\(error)")
            }
        }
    }

    init(files: [String]) {
        for file in files { add(file: file) }
    }

    private mutating func add(file: String) {
        do {
            let text = String(decoding: try File.read(file, limit: TextFile.limit), as: UTF8.self)
            let read = Profile.read(text, file: file)
            problems += read.problems
            for profile in read.profiles where profiles[profile.name] == nil { profiles[profile.name] = profile }
        } catch {
            failures.append("\(error)")
        }
    }
}
