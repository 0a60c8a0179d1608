import Foundation
import Testing

@testable import Broker

@Suite struct LoadAverageTests {
    @Test func `the decay is e to the power of minus x`() {
        for x in [0, 0.001, 10.0 / 900, 10.0 / 60, 1, 7.5, 60, 699] {
            let expected = exp(-x)
            #expect(abs(LoadAverages.decay(x) - expected) <= 1e-9)
        }
        #expect(LoadAverages.decay(1e9) == 0)
    }

    @Test func `a steady rate is reached, the shorter average first, and fades when nothing comes`() {
        var loads = LoadAverages()
        var totals = Array(repeating: 0, count: LoadAverages.names.count)
        for _ in 0..<6 {
            totals[0] += 100
            loads.update(totals, elapsed: .seconds(10))
        }
        // 600 a minute for one minute: mosquitto's formula gives 600 * (1 - e^(-minutes / period)).
        #expect(abs(loads.averages[0] - 600 * (1 - exp(-1.0))) < 1e-6)
        #expect(abs(loads.averages[1] - 600 * (1 - exp(-0.2))) < 1e-6)
        #expect(abs(loads.averages[2] - 600 * (1 - exp(-1.0 / 15))) < 1e-6)
        #expect(loads.averages[3] == 0)
        let before = loads.averages[0]
        loads.update(totals, elapsed: .seconds(60))
        #expect(abs(loads.averages[0] - before * exp(-1.0)) < 1e-6)
    }

    @Test func `no time that passed changes nothing`() {
        var loads = LoadAverages()
        loads.update(Array(repeating: 5, count: LoadAverages.names.count), elapsed: .zero)
        #expect(loads.averages.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [(0, "0.00"), (0.004, "0.00"), (0.005, "0.01"), (1.5, "1.50"), (1234.567, "1234.57")])
    func `loads have two decimals`(value: Double, text: String) {
        #expect(LoadAverages.text(value) == text)
    }
}
