import Documents
import Foundation
import Testing

@testable import Profiles

/// What a newcomer starts from, and the page that names every device.
@Suite struct ProfileTemplateTests {
    @Test func `what profile new writes is read without a problem and passes its own tests`() throws {
        let (profiles, problems) = Profile.read(ProfileTemplate.text("maker-model"), file: "maker-model.yaml")
        #expect(problems.map(\.description) == [])
        let profile = try #require(profiles.first)
        #expect(profile.name == "maker-model")
        #expect(ProfileTestRun.failures(of: profile, at: ContinuousClock.now) == [])
        #expect(profile.points.allSatisfy { $0.plausible != nil })
        #expect(profile.probe != nil)
    }

    @Test func `a profile is called by small letters, digits and hyphens`() {
        #expect(["eastron-sdm120", "a"].allSatisfy(ProfileTemplate.isName))
        #expect(!["", "SDM120", "a b", "../a", "a.yaml", "ä"].contains(where: ProfileTemplate.isName))
    }

    @Test func `the page of devices has the table that profile list makes`() throws {
        let files = ShippedProfilesTests.files
        let profiles = try files.flatMap { file in
            let path = ShippedProfilesTests.folder.appending(path: file)
            return Profile.read(try String(contentsOf: path, encoding: .utf8), file: file).profiles
        }
        let page = ShippedProfilesTests.folder.deletingLastPathComponent().appending(path: "docs/devices.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let table = ProfileTable.markdown(profiles)
        let missing = table.split(separator: "\n").filter { !text.contains($0) }
        #expect(missing.isEmpty, "write docs/devices.md anew with 'martlet profile list --table'")
        #expect(text.contains(table), "docs/devices.md has rows that 'martlet profile list --table' does not write")
    }

    @Test func `the steps of the page on writing a profile make one that passes its tests`() throws {
        let page = ShippedProfilesTests.folder.deletingLastPathComponent().appending(path: "docs/writing-a-profile.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```yaml\n").dropFirst().map { block in
            block.components(separatedBy: "```")[0]
        }
        #expect(blocks.count == 4)
        let (profiles, problems) = Profile.read(blocks.prefix(3).joined(), file: "hiking-dds238-2.yaml")
        #expect(problems.map(\.description) == [])
        let profile = try #require(profiles.first)
        #expect(ProfileTestRun.failures(of: profile, at: ContinuousClock.now) == [])
        let shipped = ShippedProfilesTests.folder.appending(path: "hiking-dds238-2.yaml")
        let real = try #require(
            Profile.read(try String(contentsOf: shipped, encoding: .utf8), file: "").profiles.first)
        for point in profile.points { #expect(real.point(point.name)?.source == point.source) }
    }
}
