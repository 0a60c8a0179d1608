import LinuxIO

/// Where profiles are looked for.
enum ProfileFolders {
    static let installed = "/usr/share/martlet/devices"

    /// The folders to look into; an earlier one's profile wins over a later one's of the same name.
    ///
    /// A folder that was asked for stands alone: a profile that is not in it should be missed, not found elsewhere.
    static func folders(asked: String?, configuration: String?) -> [String] {
        if let asked { return [asked] }
        let folder = configuration.map(folder(of:)) ?? "."
        // A configuration in `config/` has its profiles beside that folder in this project's own tree.
        let candidates = ["\(folder)/devices", "\(folder)/../devices", installed]
        return candidates.filter(File.isDirectory)
    }

    /// The folder that a file is in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
