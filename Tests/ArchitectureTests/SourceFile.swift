import Foundation
import Testing

/// One Swift file of the package, read as text.
struct SourceFile: Sendable, CustomTestStringConvertible {
    /// The folder under `Sources` or `Tests`.
    var target: String
    var url: URL
    var text: String
    /// The text with comments and string literals blanked, line for line.
    var code: String

    var name: String { url.deletingPathExtension().lastPathComponent }
    var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count }
    var testDescription: String { "\(target)/\(url.lastPathComponent)" }

    /// The modules that it imports.
    var imports: [String] {
        let pattern =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|func|var|let)\s+)?(\w+)/
        return codeLines.compactMap { line in
            line.firstMatch(of: pattern).map { String($0.1) }
        }
    }

    var codeLines: [Substring] { code.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The lines with a match, as "12: let now = ContinuousClock.now".
    func lines(matching pattern: Regex<Substring>) -> [String] {
        codeLines.enumerated().compactMap { index, line in
            line.contains(pattern) ? "\(index + 1): \(line.trimmingCharacters(in: .whitespaces))" : nil
        }
    }
}

/// All Swift files of the package.
enum SourceTree {
    /// Links are followed, so that a package made of links to this one sees this one.
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let sources = files(under: "Sources")
    static let tests = files(under: "Tests")
    static let all = sources + tests

    static var targets: [String] {
        Set(sources.map(\.target)).sorted()
    }

    private static func files(under folder: String) -> [SourceFile] {
        let base = root.appending(path: folder)
        let paths = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        let urls = (paths?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        return urls.sorted { $0.path < $1.path }.compactMap { url in
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
            let target = url.path.dropFirst(base.path.count + 1).prefix { $0 != "/" }
            return SourceFile(target: String(target), url: url, text: text, code: CodeText.blanking(text))
        }
    }
}
