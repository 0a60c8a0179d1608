import LinuxIO

/// A program that has a port open.
package struct PortHolder: Equatable, Sendable, CustomStringConvertible {
    package var process: Int
    package var name: String

    /// The name and the number: "minicom (process 812)".
    package var description: String { "\(name) (process \(process))" }

    /// Another program that has the node open; nil where /proc does not tell.
    ///
    /// Other users' programs are seen by root only.
    package static func find(_ node: String) -> PortHolder? {
        find(anyOf: [node])
    }

    /// Another program that has one of these open, each named as the links in /proc/PID/fd name it.
    package static func find(anyOf targets: Set<String>) -> PortHolder? {
        let own = File.linkTarget("/proc/self").flatMap { Int($0) }
        for entry in (try? File.names(in: "/proc")) ?? [] {
            guard let process = Int(entry), process != own, holds(process, targets) else { continue }
            return PortHolder(process: process, name: name(of: process))
        }
        return nil
    }

    private static func holds(_ process: Int, _ targets: Set<String>) -> Bool {
        let folder = "/proc/\(process)/fd"
        let names = (try? File.names(in: folder)) ?? []
        return names.contains { name in File.linkTarget("\(folder)/\(name)").map(targets.contains) ?? false }
    }

    private static func name(of process: Int) -> String {
        let bytes = (try? File.read("/proc/\(process)/comm")) ?? []
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.isEmpty ? "a program" : text
    }
}
