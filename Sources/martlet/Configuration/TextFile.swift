import LinuxIO

/// A text that a person wrote.
enum TextFile {
    /// Far more than anybody writes by hand, and little enough to read at once.
    static let limit = 4 << 20

    /// Reads it, or fails with a sentence that says what to do.
    static func read(_ path: String) throws(CommandFailure) -> String {
        do {
            return String(decoding: try File.read(path, limit: limit), as: UTF8.self)
        } catch {
            let advice =
                switch error.kind {
                case .notFound: "; give the file with --config FILE"
                case .noPermission: "; who runs Martlet must be allowed to read it"
                default: ""
                }
            throw CommandFailure("\(error)\(advice)", status: .usage)
        }
    }
}
