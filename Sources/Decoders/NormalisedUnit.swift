package import Readings

extension TelegramEntry {
    /// The value in the unit that readings use, whatever unit this meter prefers.
    ///
    /// | sent | becomes |
    /// |---|---|
    /// | Wh, kWh, MWh | kWh |
    /// | varh, kvarh | kvarh |
    /// | W, kW | W |
    /// | var, kvar | var |
    /// | VA, kVA | VA |
    /// | m3 | m³ |
    /// | MJ, GJ | GJ |
    /// | V, A, s, Hz and every other | unchanged |
    ///
    /// The decimal point is moved in the text, so `02.351*kW` is 2351 W and not 2350.9999999999995.
    package var normalised: (value: Value?, unit: String?) {
        guard let unit, let target = NormalisedUnit.targets[unit], case .number = value else { return (value, unit) }
        guard target.exponent != 0, let number = Double("\(text)e\(target.exponent)") else {
            return (value, target.unit)
        }
        return (.measured(number), target.unit)
    }
}

/// Which unit becomes which, and by how many places the decimal point moves.
enum NormalisedUnit {
    static let targets: [String: (unit: String, exponent: Int)] = [
        "Wh": ("kWh", -3), "kWh": ("kWh", 0), "MWh": ("kWh", 3),
        "varh": ("kvarh", -3), "kvarh": ("kvarh", 0),
        "W": ("W", 0), "kW": ("W", 3),
        "var": ("var", 0), "kvar": ("var", 3),
        "VA": ("VA", 0), "kVA": ("VA", 3),
        "m3": ("m³", 0),
        "MJ": ("GJ", -3), "GJ": ("GJ", 0),
    ]
}
