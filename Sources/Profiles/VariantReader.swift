import Documents

/// Reads `variants`: models that differ from a profile's in a few points or in how the line is set.
struct VariantReader {
    var base: Profile
    /// The names that the base's points have, also those with problems.
    var names: [String]
    var points: PointReader
    var problems: ProblemList

    func read(_ section: Section?) -> [Profile] {
        guard let section else { return [] }
        return section.names.compactMap { name, mark, node in
            if ProfileReader.name(name) == nil || name == base.name {
                problems.error(
                    "'\(name)' can't be the name of a variant", at: mark,
                    hint: "write \(ProfileReader.nameWanted), another than the profile's own")
            }
            guard let variant = Section(node, path: "variants.\(name)", at: mark, problems) else { return nil }
            defer { variant.finish() }
            return profile(name, variant)
        }
    }

    private func profile(_ name: String, _ section: Section) -> Profile {
        var profile = base
        profile.name = name
        profile.products = ProductReader.products(section, problems)
        if !section.has("products") {
            section.missing("products", hint: "it says which model this is: products: [ { make: X, model: Y } ]")
        }
        if let source = section.text("source") { profile.source = source.value }
        if let bus = section.section("bus") { profile.bus = BusReader.changed(profile.bus, by: bus) }
        let changed = section.section("points")
        replacePoints(of: &profile, changed)
        let names = (names + (changed?.names.map(\.name) ?? [])).filter { name in
            changed?.node(name)?.text != "off"
        }
        if let probe = section.section("probe") {
            profile.probe = ProbeReader(problems: problems, points: names).read(probe)
        }
        if let point = profile.probe?.point, !names.contains(point) {
            problems.error(
                "the probe reads '\(point)', which this variant does not have", at: section.mark,
                hint: "give the variant a probe of its own")
        }
        profile.tests = ProfileReader.tests(section, names, problems)
        return profile
    }

    /// A point of the same name takes the place of the base's, a new one comes after them, and `off` drops one.
    private func replacePoints(of profile: inout Profile, _ section: Section?) {
        guard let section else { return }
        for (name, mark, node) in section.names where node.text == "off" {
            if !names.contains(name) {
                let nearest = NearestWord.of(name, among: names)
                problems.error("there is no point '\(name)'", at: mark, hint: nearest.map { "did you mean '\($0)'?" })
            }
            profile.points.removeAll { $0.name == name }
        }
        for point in points.points(section) {
            if let index = profile.points.firstIndex(where: { $0.name == point.name }) {
                profile.points[index] = point
            } else {
                profile.points.append(point)
            }
        }
    }
}

extension BusReader {
    /// A bus with what a variant says about it.
    static func changed(_ bus: ProfileBus, by section: Section) -> ProfileBus {
        defer { section.finish() }
        let baudrate = section.integer("baudrate", 50...4_000_000)
        let format = section.value("format", wanted: "data bits, parity and stop bits: 8N1, 8E1, 7E1", LineFormat.init)
        switch bus {
        case .modbus(var modbus):
            modbus.baudrate = baudrate ?? modbus.baudrate
            modbus.format = format?.value ?? modbus.format
            modbus.unit = section.integer("unit", 1...254).map { UInt8($0) } ?? modbus.unit
            modbus.maximumRegisters = section.integer("max_registers", 1...125) ?? modbus.maximumRegisters
            return .modbus(modbus)
        case .serial(var serial):
            serial.baudrate = baudrate ?? serial.baudrate
            serial.format = format?.value ?? serial.format
            return .serial(serial)
        }
    }
}
