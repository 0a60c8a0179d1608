import Documents
import Testing

@testable import Settings

@Suite struct StoreTests {
    private func told(_ store: String) throws -> [String] {
        try configuration("version: 1\ngateway: { id: site }\nstore: { \(store) }").problems.map {
            "\($0.message); \($0.hint ?? "")"
        }
    }

    @Test func `every key is taken over`() throws {
        let read = try settings(
            "store: { sync: 1s, segment_size: 1MB, daily_budget: 500MB, reserve: 0B }"
        ).store
        var expected = StoreSettings()
        expected.sync = .within(.seconds(1))
        expected.segmentSize = 1_000_000
        expected.dailyBudget = 500_000_000
        expected.reserve = 0
        #expect(read == expected)
        #expect(try settings("store: { sync: commit }").store.sync == .commit)
        #expect(try settings("store: { sync: off }").store.sync == .off)
        #expect(try settings("store: { daily_budget: off }").store.dailyBudget == nil)
        #expect(try settings("store: { }").store == StoreSettings())
    }

    @Test func `what is not allowed is told with what is`() throws {
        let wanted = "write 'commit', 'off', or a time with its unit from 1ms to 60s, like 50ms"
        for sync in ["50", "always", "0s", "2m"] {
            #expect(try told("sync: \(sync)") == ["'\(sync)' is not allowed for 'sync'; \(wanted)"])
        }
        #expect(
            try told("segment_size: 4KB") == [
                "this is too small for 'segment_size'; write a size from 64000B to 1000000000B"
            ])
        #expect(try told("segmentsize: 4MB").first?.contains("did you mean 'segment_size'") == true)
        #expect(try told("fsync: off").first?.contains("did you mean 'sync'") == true)
        #expect(try told("reserve: 64").first?.contains("has no unit") == true)
    }

    @Test func `the state's folder is a whole path`() throws {
        let text = "version: 1\ngateway: { id: site, state_dir: "
        #expect(try configuration(text + "/srv//gateway/ }").settings?.stateDirectory == "/srv/gateway")
        for path in ["data", "/", "./x"] {
            let problems = try configuration(text + "\(path) }").problems
            #expect(problems.map(\.message) == ["'\(path)' is not allowed for 'state_dir'"])
        }
    }

    @Test func `the service's folder is taken where none is said`() {
        var settings = GatewaySettings(id: "site")
        #expect(settings.stateDirectory(ofService: nil) == "/var/lib/martlet")
        #expect(settings.stateDirectory(ofService: "/var/lib/private/martlet:/var/lib/x") == "/var/lib/private/martlet")
        settings.stateDirectory = "/srv/gateway"
        #expect(settings.stateDirectory(ofService: "/var/lib/private/martlet") == "/srv/gateway")
    }
}
