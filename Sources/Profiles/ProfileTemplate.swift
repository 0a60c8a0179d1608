/// What `martlet profile new` starts with: a whole profile that passes its tests, to be changed line by line.
package enum ProfileTemplate {
    /// Whether a profile may be called this.
    package static func isName(_ text: String) -> Bool { ProfileReader.name(text) != nil }

    package static func text(_ name: String) -> String {
        """
        profile: \(name)
        version: 1
        products: [ { make: MAKER, model: MODEL } ]
        # Where each register is from: the manual's title and version, or repository@commit and file.
        source: "MAKER, MODEL Modbus register map, version 1.0"
        # What the device is delivered with. zero-based: addresses as on the wire, where a manual's 30001 or 40001 is 0.
        bus: { kind: modbus, baudrate: 9600, format: 8N1, unit: 1, addressing: zero-based }
        # What most points have in common. table: coil, discrete, input (function 04) or holding (03).
        # order: ABCD is high register first, CDAB low register first.
        defaults: { table: input, type: u16, order: ABCD }
        # Where values can lie, by class: what lies outside is published as bad.
        ranges:
          voltage: { min: 0, max: 300 }
          energy: { min: 0, max: 1000000 }
        points:
          voltage:       { at: 0x0000, scale: 0.1, unit: V, class: voltage, quantity: voltage }
          import_energy: { at: 0x0001, type: u32, scale: 0.01, unit: kWh, class: energy, quantity: import_energy, total: increasing, poll: slow }
        # By what a scan knows the device: a value that is there always, and where it lies.
        probe: { point: voltage, expect: { min: 195, max: 265 } }
        # Real exchanges, with checksums; 'from' says who saw them. Until there is one: computed from the register table.
        tests:
          - send: "01 04 00 00 00 03 B0 0B"
            recv: "01 04 06 08 FC 00 01 E2 40 29 5F"
            gives: { voltage: 230.0, import_energy: 1234.56 }
            from: "computed from the register table"

        """
    }
}
