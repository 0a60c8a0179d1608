import Foundation

@testable import LinuxIO

/// A folder that is removed with its test.
struct TestFolder: ~Copyable {
    let path = "/tmp/martlet-test-\(Entropy.seed())"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }

    static func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
