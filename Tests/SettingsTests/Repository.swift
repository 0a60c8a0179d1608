import Documents
import Foundation
import Profiles
import Settings
import Testing

/// The files that Martlet is shipped with.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
    }

    /// The shipped profiles, by name.
    static func profiles() throws -> [String: Profile] {
        try shipped.get()
    }

    private static let shipped = Result { try readProfiles() }

    private static func readProfiles() throws -> [String: Profile] {
        var profiles: [String: Profile] = [:]
        for name in try names(in: "devices") where name.hasSuffix(".yaml") {
            for profile in Profile.read(try text("devices/\(name)"), file: name).profiles {
                profiles[profile.name] = profile
            }
        }
        return profiles
    }
}

/// Reads a configuration with the shipped profiles and one secret, `central_password`.
func configuration(_ text: String) throws -> (settings: GatewaySettings?, problems: [Problem]) {
    let secrets = SecretSource { $0 == "central_password" ? "sesame" : nil }
    return Configuration.read(text, file: "martlet.yaml", profiles: try Repository.profiles(), secrets: secrets)
}

/// The settings of a configuration that must be without errors; `rest` follows version and gateway.
func settings(_ rest: String) throws -> GatewaySettings {
    let (settings, problems) = try configuration("version: 1\ngateway: { id: site }\n" + rest)
    return try #require(settings, "\(problems.map(\.description).joined(separator: "\n"))")
}

/// Every problem of a configuration as people see it; `rest` follows version and gateway.
func problems(_ rest: String) throws -> [String] {
    try configuration("version: 1\ngateway: { id: site }\n" + rest).problems.map(\.description)
}
