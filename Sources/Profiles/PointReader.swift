import Decoders
import Documents
import Modbus

/// Reads the section `points`.
struct PointReader {
    private let bus: BusReader.Result
    private let problems: ProblemList
    private var table = RegisterTable.holding
    private var type: RegisterType?
    private var order = WordOrder.ABCD
    private var scale = DecimalFactor.one
    private let ranges: PlausibleRanges

    init(_ bus: BusReader.Result, defaults: Section?, ranges: PlausibleRanges, _ problems: ProblemList) {
        self.bus = bus
        self.problems = problems
        self.ranges = ranges
        guard let defaults else { return }
        if let table = defaults.word("table", RegisterTable.self) { self.table = table }
        type = defaults.word("type", RegisterType.self)
        if let order = defaults.word("order", WordOrder.self) { self.order = order }
        if let scale = Self.scale(defaults) { self.scale = scale }
        defaults.finish()
    }

    func points(_ section: Section?) -> [ProfilePoint] {
        guard let section else { return [] }
        return section.names.compactMap { name, mark, node in
            checkName(name, mark)
            if node.text == "off" { return nil }
            guard let point = Section(node, path: "points.\(name)", problems) else { return nil }
            defer { point.finish() }
            return self.point(name, point)
        }
    }

    /// The name becomes a level of a topic.
    private func checkName(_ name: String, _ mark: Mark) {
        let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        guard !isPlain || name.isEmpty else { return }
        problems.error("'\(name)' can't be the name of a point", at: mark, hint: "use letters, digits, '_' and '-'")
    }

    private func point(_ name: String, _ section: Section) -> ProfilePoint? {
        let source = source(section)
        // Read on without it: each key's own problems come out, and none is called unknown.
        var point = ProfilePoint(name: name, source: source ?? .obis([]))
        point.unit = section.text("unit")?.value
        point.class = section.text("class")?.value
        point.phase = section.text("phase")?.value
        point.quantity = section.text("quantity")?.value
        _ = section.value("total", wanted: "increasing") { $0 == "increasing" ? $0 : nil }
        _ = section.bool("diagnostic")
        point.pace = section.word("poll", ProfilePoint.Pace.self) ?? .normal
        if case .field = source {} else { point.map = map(section.section("map")) }
        point.plausible = ranges.range(of: point, section)
        point.command = section.section("command").flatMap {
            CommandReader(source: source, firstAddress: bus.firstAddress, problems: problems).read($0)
        }
        return source == nil ? nil : point
    }

    private func source(_ section: Section) -> PointSource? {
        switch bus.bus {
        case .modbus: return register(section).map { .register($0) }
        case .serial(let bus):
            switch bus.decoder {
            case .known(let kind) where kind.hasOBISCodes: return obis(section)
            case .known: return StreamPointReader(problems).field(section, nil).map { .field($0) }
            case .frames(let formats): return StreamPointReader(problems).frame(section, formats).map { .frame($0) }
            case .lines(let format): return StreamPointReader(problems).field(section, format).map { .field($0) }
            }
        }
    }

    private func register(_ section: Section) -> RegisterSource? {
        let table = section.word("table", RegisterTable.self) ?? table
        let type = section.word("type", RegisterType.self) ?? (table.isBits ? .bool : self.type)
        let order = section.word("order", WordOrder.self) ?? order
        let bit = section.integer("bit", 0...15)
        let bits = BitField.read(section, type, problems)
        let offset = section.number("offset") ?? 0
        let scale = Self.scale(section) ?? scale
        let notAvailable = (section.list("not_available") ?? []).compactMap { node -> Int64? in
            guard let value = node.text.flatMap(Scalar.integer) else {
                problems.error("'not_available' is a list of raw numbers: [0x7FFF, 0x8000]", at: node.mark)
                return nil
            }
            return Int64(value)
        }
        guard let address = address(section) else { return nil }
        if let type, !table.isBits, Int(address) + type.registerCount > 65_536 {
            problems.error(
                "a \(type.rawValue) takes \(type.registerCount) registers, and 65535 is the last",
                at: section.mark(of: "at"))
        }
        guard let type else {
            problems.error(
                "this point has no 'type'", at: section.mark,
                hint: "allowed: \(RegisterType.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return RegisterSource(
            point: RegisterPoint(table: table, address: address, type: type, order: order, bit: bit), scale: scale,
            offset: offset, notAvailable: notAvailable, bits: bits)
    }

    private func address(_ section: Section) -> UInt16? {
        guard let at = section.value("at", wanted: "a register number, like 0x000C or 12", Scalar.integer) else {
            if !section.has("at") { problems.error("this point has no 'at', its register", at: section.mark) }
            return nil
        }
        // 30001 is how manuals number the first input register; on the wire it is 0. Who wrote how he counts is believed.
        if !bus.isAddressingGiven, (30_001...39_999).contains(at.value) || (40_001...49_999).contains(at.value) {
            problems.error(
                "\(at.value) looks like a manual's register number", at: at.mark,
                hint: "write 'at: \((at.value - 1) % 10_000)', or set 'addressing: one-based' in 'bus' (zero-based if "
                    + "\(at.value) is what goes over the wire)")
            return nil
        }
        var address = at.value - bus.firstAddress
        if bus.firstAddress == 1, at.value > 30_000, at.value < 50_000 { address = (at.value - 1) % 10_000 }
        guard let wire = UInt16(exactly: address) else {
            problems.error(
                "register \(at.value) does not exist; they go from \(bus.firstAddress) to 65535", at: at.mark)
            return nil
        }
        return wire
    }

    private func obis(_ section: Section) -> PointSource? {
        if let kind = section.text("sub_meter") {
            let kinds = SubMeter.allCases.map { "\($0)" }
            guard let meter = SubMeter.allCases.first(where: { "\($0)" == kind.value }) else {
                problems.error(
                    "'\(kind.value)' is not a kind of sub-meter", at: kind.mark,
                    hint: "allowed: \(kinds.joined(separator: ", "))")
                return nil
            }
            return .subMeter(meter)
        }
        guard let node = section.node("obis") else {
            problems.error("this point has no 'obis' code", at: section.mark, hint: "write 'obis: 1-0:1.8.1'")
            return nil
        }
        let codes = (node.items ?? [node]).compactMap { item -> OBISCode? in
            guard let code = item.text.flatMap({ OBISCode($0) }) else {
                problems.error("'\(item.text ?? "")' is not an OBIS code", at: item.mark, hint: "like 1-0:1.8.1")
                return nil
            }
            return code
        }
        return .obis(codes)
    }

    static func scale(_ section: Section) -> DecimalFactor? {
        section.value("scale", wanted: "a number, like 0.1") { text in
            Scalar.number(text).map { value in
                let decimals = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
                return DecimalFactor(value: value, decimals: decimals)
            }
        }?.value
    }

    private func map(_ section: Section?) -> [ValueName] {
        guard let section else { return [] }
        return section.names.compactMap { name, mark, node in
            guard let raw = Scalar.integer(name), let word = node.text else {
                problems.error("'map' gives words to raw numbers", at: mark, hint: "like { 0: \"OFF\", 1: \"ON\" }")
                return nil
            }
            return ValueName(raw: Int64(raw), name: word)
        }
    }
}
