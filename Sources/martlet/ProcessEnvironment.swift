import LinuxIO

/// The variables that this process was started with, read from the kernel: Foundation stays out.
struct ProcessEnvironment: Sendable {
    private let variables: [String: String]

    init() {
        self.init((try? File.read("/proc/self/environ")) ?? [])
    }

    init(_ bytes: [UInt8]) {
        var variables: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, parts.count == 2 else { continue }
            variables[String(decoding: name, as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
        }
        self.variables = variables
    }

    subscript(name: String) -> String? { variables[name] }

    /// Whether the journal takes our lines, which adds time and name itself.
    var isUnderSystemd: Bool { variables["JOURNAL_STREAM"] != nil }
}
