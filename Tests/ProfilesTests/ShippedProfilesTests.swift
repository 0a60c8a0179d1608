import Documents
import Foundation
import Testing

@testable import Profiles

@Suite struct ShippedProfilesTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "devices")

    static var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted()
    }

    private func profiles(_ file: String) throws -> [Profile] {
        let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let (profiles, problems) = Profile.read(text, file: file)
        #expect(problems.isEmpty, "\(problems.map(\.description).joined(separator: "\n"))")
        return profiles
    }

    @Test func `profiles are shipped`() {
        #expect(Self.files.count >= 4)
    }

    @Test(arguments: files)
    func `every shipped profile is read without a problem and passes its own tests`(file: String) throws {
        for profile in try profiles(file) {
            #expect(ProfileTestRun.failures(of: profile, at: ContinuousClock.now) == [])
            #expect(file == profile.name + ".yaml")
        }
    }

    @Test(arguments: files)
    func `every test of a shipped profile says where its frame is from`(file: String) throws {
        for test in try profiles(file).flatMap(\.tests) { #expect(test.from?.isEmpty == false) }
    }
}
