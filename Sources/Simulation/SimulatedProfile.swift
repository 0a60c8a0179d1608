/// The device profiles that can be simulated; the raw value is the profile's name, as `simulate:` takes it.
package enum SimulatedProfile: String, CaseIterable, Sendable {
    case eastronSDM120 = "eastron-sdm120"
    case eastronSDM630 = "eastron-sdm630"
    case waveshareRelays = "waveshare-modbus-relay-8"
    case dsmrP1 = "dsmr-p1"
    case nmeaGPS = "nmea-gps"

    /// Whether it speaks Modbus, so that several can share a line.
    package var isModbus: Bool { self != .dsmrP1 && self != .nmeaGPS }

    func unit(seed: UInt64) -> VirtualUnit? {
        switch self {
        case .eastronSDM120: VirtualUnit(.meter(EnergyMeter(.sdm120, seed: seed)))
        case .eastronSDM630: VirtualUnit(.meter(EnergyMeter(.sdm630, seed: seed)))
        case .waveshareRelays: VirtualUnit(.relays(RelayBoard()))
        case .dsmrP1, .nmeaGPS: nil
        }
    }
}
