import Foundation
import Testing

@Suite struct CheckoutTests {
    private static let folders = ["Sources", "Tests", "Benchmarks", "config", "devices", "docs", "systemd", ".ci"]
    private static let files = ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    private static let root = SourceTree.root

    @Test func `nothing depends on where the package is checked out`() throws {
        // In pieces, or this file would find itself.
        var places = ["/" + "home/", "/" + "Users/"]
        // A folder right below / may have a name that stands in a path that is meant, like the one in /etc.
        if Self.root.pathComponents.count > 2 { places.append(Self.root.path + "/") }
        for (path, text) in try Self.texts() {
            #expect(places.filter(text.contains) == [], "\(path)")
        }
    }

    private static func texts() throws -> [(path: String, text: String)] {
        var paths = files
        for folder in folders {
            let found = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
            paths += (found?.allObjects ?? []).compactMap { $0 as? String }.map { "\(folder)/\($0)" }
        }
        try #require(paths.count > 100)
        return paths.sorted().compactMap { path in
            (try? String(contentsOf: root.appending(path: path), encoding: .utf8)).map { (path, $0) }
        }
    }
}
