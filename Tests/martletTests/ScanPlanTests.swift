import Decoders
import LinuxIO
import Modbus
import Profiles
import Serial
import Testing

@testable import martlet

@Suite struct ScanPlanTests {
    private let library = ProfileLibrary(folders: ["devices"]).sorted

    @Test func `the setting that most devices have is tried first, and each profile has its place`() throws {
        let tries = ScanPlan(library, baudrate: nil, format: nil).tries
        #expect(tries.first?.line.description == "9600 baud 8N1")
        #expect(tries.map(\.count) == tries.map(\.count).sorted(by: >))
        #expect(tries.reduce(0) { $0 + $1.count } == library.count)
        #expect(Set(tries.map(\.line.description)).count == tries.count)
        #expect(tries.contains { $0.line.description == "19200 baud 8E1" })
    }

    @Test func `what a person knows is the only one tried`() throws {
        let format = try #require(LineFormat("8E1"))
        let tries = ScanPlan(library, baudrate: 19_200, format: format).tries
        #expect(tries.map(\.line.description) == ["19200 baud 8E1"])
        #expect(tries.first?.count == library.count)
        let formats = ScanPlan(library, baudrate: 4_800, format: nil).tries.map(\.line.baud)
        #expect(Set(formats) == [4_800])
    }

    @Test func `every profile with a probe is found at a unit that answers as its tests say`() throws {
        // A unit that holds the values of a profile's tests and refuses everything else.
        for profile in library {
            guard case .modbus = profile.bus, profile.probe != nil else { continue }
            let exchanges = profile.tests.compactMap { test -> (Request, Response)? in
                guard let (unit, request) = RTUFrame.request(test.send.span), request.readRange != nil,
                    let response = RTUFrame.response(test.receive.span, to: request, unit: unit)
                else { return nil }
                return (request, response)
            }
            let unit = AnsweringUnit(exchanges)
            var identifier = UnitIdentifier([profile])
            let passes = try identifier.passes(profile) { request throws(CommandFailure) in unit.answer(request) }
            // A test need not read the value of the probe.
            if unit.wasFound { #expect(passes, "\(profile.name)") }
        }
    }
}

/// Gives the registers that exchanges hold, in any cut.
private final class AnsweringUnit {
    private var registers: [String: UInt16] = [:]
    private var bits: [String: Bool] = [:]
    private(set) var wasFound = false

    init(_ exchanges: [(Request, Response)]) {
        for (request, response) in exchanges {
            guard let range = request.readRange else { continue }
            switch response {
            case .registers(let words):
                for (index, word) in words.enumerated() {
                    registers["\(range.table) \(Int(range.start) + index)"] = word
                }
            case .bits(let values):
                for (index, value) in values.enumerated() { bits["\(range.table) \(Int(range.start) + index)"] = value }
            case .written, .exception: break
            }
        }
    }

    func answer(_ request: Request) -> Response? {
        guard let range = request.readRange else { return nil }
        let keys = (0..<Int(range.count)).map { "\(range.table) \(Int(range.start) + $0)" }
        if range.table.isBits {
            let found = keys.compactMap { bits[$0] }
            guard found.count == keys.count else { return .exception(.illegalDataAddress) }
            wasFound = true
            return .bits(found)
        }
        let found = keys.compactMap { registers[$0] }
        guard found.count == keys.count else { return .exception(.illegalDataAddress) }
        wasFound = true
        return .registers(found)
    }
}
