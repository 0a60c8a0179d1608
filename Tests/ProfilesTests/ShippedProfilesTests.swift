import Documents
import Foundation
import Readings
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
        #expect(Self.files.count >= 50)
    }

    @Test(arguments: files)
    func `every shipped profile is read without a problem and passes its own tests`(file: String) throws {
        let profiles = try profiles(file)
        for profile in profiles {
            #expect(ProfileTestRun.failures(of: profile, at: ContinuousClock.now) == [], "\(profile.name)")
        }
        #expect(profiles.first.map { $0.name + ".yaml" } == file)
    }

    @Test(arguments: files)
    func `every shipped profile says what it is for and where its facts are from`(file: String) throws {
        for profile in try profiles(file) {
            #expect(!profile.products.isEmpty, "\(profile.name) names no product")
            #expect(profile.source?.isEmpty == false, "\(profile.name) does not say where its registers are from")
            guard case .modbus = profile.bus else { continue }
            for product in profile.products {
                #expect(product.make != nil, "\(profile.name): who makes \(product.model)?")
            }
            #expect(profile.probe != nil, "\(profile.name) can't be found by a scan: it has no probe")
        }
    }

    @Test(arguments: files)
    func `every value with a unit has a range outside of which it is not believed`(file: String) throws {
        for profile in try profiles(file) {
            for point in profile.points where point.unit != nil {
                #expect(point.plausible != nil, "\(profile.name): \(point.name) has no range")
            }
        }
    }

    @Test(arguments: files)
    func `no value that a test expects lies outside its range`(file: String) throws {
        for profile in try profiles(file) {
            for expected in profile.tests.flatMap(\.gives) {
                guard let point = profile.point(expected.point), let number = Double(expected.value) else { continue }
                #expect(point.isPlausible(.number(number)), "\(profile.name): \(expected.point) is \(expected.value)")
            }
        }
    }

    @Test func `no name is given twice`() throws {
        let names = try Self.files.flatMap { try profiles($0).map(\.name) }
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: files)
    func `every test of a shipped profile says where its frame is from`(file: String) throws {
        for test in try profiles(file).flatMap(\.tests) { #expect(test.from?.isEmpty == false) }
    }
}
