import Bytes

/// A smart meter with a P1 port after DSMR 5: a telegram every second.
struct SmartMeter: Sendable {
    private let house: Household
    private var low = EnergyCounter(startingAt: 4426.218)
    private var normal = EnergyCounter(startingAt: 2399.871)
    private var gas = EnergyCounter(startingAt: 1207.107)
    private var gasRead: (at: Int64, cubicMetres: Double)?

    init(seed: UInt64) {
        house = Household(seed: seed)
    }

    /// The telegram of a second: `seconds` counts from when the meter was switched on, `clock` from 1970.
    mutating func telegram(at seconds: Double, clock: Int64) -> [UInt8] {
        let house = house
        // The tariff by the hour in UTC, which is near enough for a toy.
        let isLow = clock / 3600 % 24 >= 22 || clock / 3600 % 24 < 6
        low.advance(to: seconds) { isLow ? house.power(at: $0) : 0 }
        normal.advance(to: seconds) { isLow ? 0 : house.power(at: $0) }
        gas.advance(to: seconds) { _ in 350 }
        // Gas meters report every five minutes, and the telegram repeats the value with its time.
        if gasRead.map({ clock / 300 > $0.at / 300 }) ?? true { gasRead = (clock / 300 * 300, gas.kilowattHours) }
        let lines = header(clock, isLow) + electricity(seconds) + gasLines
        var bytes = Array((lines.joined(separator: "\r\n") + "\r\n!").utf8)
        // The sum covers everything from `/` to `!` inclusive. [DSMR 5.0.2 P1, section 6.2]
        let sum = String(Checksum.arc(bytes.span), radix: 16, uppercase: true)
        bytes.append(contentsOf: "\(String(repeating: "0", count: 4 - sum.count))\(sum)\r\n".utf8)
        return bytes
    }

    private func header(_ clock: Int64, _ isLow: Bool) -> [String] {
        [
            #"/MRT5\2SIM120-0001"#, "", "1-3:0.2.8(50)",
            "0-0:1.0.0(\(CentralEuropeanTime(secondsSince1970: clock).text))",
            "0-0:96.1.1(4B384547303034303436333935353037)",
            "1-0:1.8.1(\(Self.fixed(low.kilowattHours, 6, 3))*kWh)",
            "1-0:1.8.2(\(Self.fixed(normal.kilowattHours, 6, 3))*kWh)",
            "1-0:2.8.1(000000.000*kWh)", "1-0:2.8.2(000000.000*kWh)",
            "0-0:96.14.0(000\(isLow ? 1 : 2))",
        ]
    }

    private func electricity(_ seconds: Double) -> [String] {
        let watts = house.power(at: seconds)
        let shares = [0.5, 0.3, 0.2]
        let volts = shares.indices.map { house.voltage(at: seconds + Double($0) * 31) }
        let currents = zip(shares, volts).map { share, volts in watts * share / volts / house.powerFactor(at: seconds) }
        return [
            "1-0:1.7.0(\(Self.fixed(watts / 1000, 2, 3))*kW)", "1-0:2.7.0(00.000*kW)",
            "0-0:96.7.21(00013)", "0-0:96.7.9(00000)", "1-0:99.97.0(0)(0-0:96.7.19)", "0-0:96.13.0()",
        ] + zip([32, 52, 72], volts).map { "1-0:\($0).7.0(\(Self.fixed($1, 4, 1))*V)" }
            + zip([31, 51, 71], currents).map { "1-0:\($0).7.0(\(Self.fixed($1, 3, 0))*A)" }
            + zip([21, 41, 61], shares).map { "1-0:\($0).7.0(\(Self.fixed(watts * $1 / 1000, 2, 3))*kW)" }
            + [22, 42, 62].map { "1-0:\($0).7.0(00.000*kW)" }
    }

    private var gasLines: [String] {
        guard let gasRead else { return [] }
        let time = CentralEuropeanTime(secondsSince1970: gasRead.at).text
        return [
            "0-1:24.1.0(003)", "0-1:96.1.0(3232323241424344313233343536373839)",
            "0-1:24.2.1(\(time))(\(Self.fixed(gasRead.cubicMetres, 5, 3))*m3)",
        ]
    }

    /// A number with leading zeros and a fixed count of decimals: 000123.456.
    private static func fixed(_ value: Double, _ digits: Int, _ decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((max(0, value) * Double(scale)).rounded())
        let whole = padded(scaled / scale, digits)
        return decimals == 0 ? whole : "\(whole).\(padded(scaled % scale, decimals))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
