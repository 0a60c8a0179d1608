import Foundation
import Testing

/// What `Package.swift` declares, read as text: there is no compiler at hand in a test.
private struct Manifest {
    struct Target {
        /// `pureTarget`, `edgeTarget`, `target`, `systemLibrary` or `executableTarget`.
        var kind: String
        var dependencies: Set<String>
    }

    private(set) var targets: [String: Target] = [:]

    init(_ text: String) {
        let declaration =
            /\b(pureTarget|edgeTarget|target|systemLibrary|executableTarget)\(\s*(?:name:\s*)?"([\w-]+)"/
        let list = text.split(separator: "targets: [\n", maxSplits: 1).last ?? ""
        for match in list.matches(of: declaration) {
            let rest = list[match.range.upperBound...]
            targets[String(match.2)] = Target(kind: String(match.1), dependencies: Self.dependencies(in: rest))
        }
    }

    /// The names in the list that follows a target's name, if one does; products of other packages don't count.
    private static func dependencies(in rest: Substring) -> Set<String> {
        guard let list = rest.prefixMatch(of: /,\s*(?:dependencies:\s*)?\[([^\]]*)\]/) else { return [] }
        let own = list.1.replacing(/\.product\([^)]*\)/, with: "")
        return Set(own.matches(of: /"(\w+)"/).map { String($0.1) })
    }
}

@Suite struct ManifestTests {
    private let manifest: Manifest

    init() throws {
        manifest = Manifest(try String(contentsOf: SourceTree.root.appending(path: "Package.swift"), encoding: .utf8))
    }

    @Test func `every folder in Sources is a target`() {
        #expect(Set(SourceTree.targets).isSubset(of: manifest.targets.keys))
    }

    @Test func `the manifest declares what the rows allow`() throws {
        for (name, allowed) in Floor.allowed {
            let declared = try #require(manifest.targets[name], "\(name)").dependencies
            let ours = allowed.filter { manifest.targets[$0] != nil }
            #expect(declared == ours, "\(name)")
        }
    }

    @Test func `pure targets are built as pure`() {
        for (name, target) in manifest.targets {
            #expect((target.kind == "pureTarget") == Floor.pure.contains(name), "\(name)")
        }
    }
}
