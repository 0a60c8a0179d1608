import Bytes
import Profiles
import Testing

@testable import martlet

@Suite struct RecordingTests {
    private static let text = """
        profile: meter
        version: 1
        products: [ { make: Eastron, model: SDM120 } ]
        bus: { kind: modbus, baudrate: 2400, format: 8N1, unit: 1, addressing: zero-based }
        defaults: { table: input, type: float32, order: ABCD }
        points:
          voltage: { at: 0x0000, unit: V, class: voltage }
        tests:
          - { send: "01 04 00 00 00 02 71 CB", recv: "01 04 04 43 66 33 34 1B 38", gives: { voltage: 230.2 } }
        """

    private func profile() throws -> Profile {
        let read = Profile.read(Self.text, file: "meter.yaml")
        return try #require(read.profiles.first, "\(read.problems)")
    }

    private func result(_ hex: String) throws -> Recording.Result {
        Recording(try #require(Hex.bytes(hex))).exchanges(of: try profile())
    }

    @Test func `a request and its answer give the values of the profile`() throws {
        let result = try result("01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38")
        #expect(result.count == 1 && result.skippedBytes == 0)
        #expect(result.lines.contains { $0.contains("voltage 230.2") && $0.hasSuffix(" V") })
    }

    @Test func `noise between exchanges is skipped and counted`() throws {
        let result = try result("FF 00 01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38 07")
        #expect(result.count == 1 && result.skippedBytes == 3)
    }

    @Test func `what is no Modbus at all gives nothing`() throws {
        let result = try result("48 65 6C 6C 6F 20 77 6F 72 6C 64 21 21")
        #expect(result.count == 0 && result.skippedBytes == 13)
    }
}
