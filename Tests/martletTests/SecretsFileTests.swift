import Foundation
import Settings
import Testing

@testable import martlet

@Suite struct SecretsFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)")

    private func secrets(_ variables: [String: String]) -> SecretsFile {
        let text = variables.map { "\($0.key)=\($0.value)\0" }.joined()
        return SecretsFile(
            beside: folder.appending(path: "martlet.yaml").path, environment: ProcessEnvironment(Array(text.utf8)))
    }

    private func write(_ text: String, _ name: String) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    @Test func `the environment is asked first, then the service manager, then the file`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("central: file\nother: file\nthird: file\n", "secrets.yaml")
        try write("credential\n", "central")
        try write("credential", "other")
        let found = secrets(["CREDENTIALS_DIRECTORY": folder.path, "MARTLET_SECRET_CENTRAL": "variable"]).source
        #expect(found.text(of: "central") == "variable")
        #expect(found.text(of: "other") == "credential")
        #expect(found.text(of: "third") == "file")
        #expect(found.text(of: "fourth") == nil)
        #expect(secrets(["CREDENTIALS_DIRECTORY": folder.path]).source.text(of: "central") == "credential")
        #expect(secrets([:]).source.text(of: "central") == "file")
    }

    @Test func `no name leads out of the credentials`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("sesame", "outside")
        let source = secrets(["CREDENTIALS_DIRECTORY": folder.appending(path: "x").path]).source
        #expect(source.text(of: "../outside") == nil)
        #expect(source.text(of: "..") == nil)
    }
}
