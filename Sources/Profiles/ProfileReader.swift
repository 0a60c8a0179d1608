import Bytes
import Decoders
package import Documents
import Modbus

extension Profile {
    /// Reads the profiles of a file, one for each YAML document; what is wrong with them is in `problems`.
    package static func read(_ text: String, file: String) -> (profiles: [Profile], problems: [Problem]) {
        let problems = ProblemList(file: file, text: text)
        let nodes = Document.parse(text, problems)
        if nodes.isEmpty, !problems.hasErrors {
            problems.error("there is no profile in this file", at: Mark(line: 1, column: 1))
        }
        let profiles = nodes.flatMap { ProfileReader($0, problems)?.profiles() ?? [] }
        return (problems.hasErrors ? [] : profiles, problems.sorted)
    }
}

/// Reads one profile document.
struct ProfileReader {
    private let section: Section
    private let problems: ProblemList

    init?(_ node: Node, _ problems: ProblemList) {
        guard let section = Section(node, path: "", problems) else { return nil }
        self.section = section
        self.problems = problems
    }

    /// The profile, and those that its `variants` make of it.
    func profiles() -> [Profile] {
        defer { section.finish() }
        let name = section.value("profile", wanted: Self.nameWanted, Self.name)
        if !section.has("profile") { problems.error("'profile', the profile's name, is missing", at: section.mark) }
        let version = section.integer("version", 1...1_000) ?? 1
        let products = ProductReader.products(section, problems)
        let source = section.text("source")?.value
        guard let bus = BusReader(section, problems).bus() else {
            // What they mean depends on the bus; unknown they are not.
            for key in ["points", "defaults", "ranges", "probe", "tests", "variants", "requests"] {
                _ = section.node(key)
            }
            return []
        }
        var profile = Profile(
            name: name?.value ?? "?", version: version, products: products, source: source, bus: bus.bus,
            file: problems.file)
        let rangeSection = section.section("ranges")
        let ranges = PlausibleRanges(rangeSection)
        let reader = PointReader(bus, defaults: section.section("defaults"), ranges: ranges, problems)
        let pointSection = section.section("points")
        profile.points = reader.points(pointSection)
        if pointSection == nil { problems.error("a profile needs 'points'", at: section.mark(of: "points")) }
        ranges.check(rangeSection, against: profile.points)
        let names = pointSection?.names.map(\.name) ?? []
        profile.probe = section.section("probe").flatMap(ProbeReader(problems: problems, points: names).read)
        profile.tests = Self.tests(section, names, problems)
        let variants = VariantReader(base: profile, names: names, points: reader, problems: problems)
        return [profile] + variants.read(section.section("variants"))
    }

    static func tests(_ section: Section, _ names: [String], _ problems: ProblemList) -> [ProfileTest] {
        if !section.has("tests") {
            problems.error(
                "a profile needs 'tests' with real frames", at: section.mark(of: "tests"),
                hint: "write at least one exchange: send, recv and gives")
        }
        return TestReader(problems, points: names).tests(section.list("tests") ?? [])
    }

    static let nameWanted = "a name of small letters, digits and '-': eastron-sdm120"

    static func name(_ text: String) -> String? {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") } ? text : nil
    }
}

/// Reads `products`: what the profile is for.
enum ProductReader {
    static func products(_ section: Section, _ problems: ProblemList) -> [Profile.Product] {
        (section.list("products") ?? []).compactMap { product($0, problems) }
    }

    private static func product(_ node: Node, _ problems: ProblemList) -> Profile.Product? {
        guard let section = Section(node, path: "products", problems) else { return nil }
        defer { section.finish() }
        guard let model = section.text("model")?.value else {
            problems.error("a product needs a 'model'", at: node.mark)
            return nil
        }
        return Profile.Product(make: section.text("make")?.value, model: model)
    }
}

/// Reads the section `bus`.
struct BusReader {
    struct Result {
        var bus: ProfileBus
        /// What is taken from addresses as they are written.
        var firstAddress: Int
        /// Whether the profile says how it counts.
        var isAddressingGiven: Bool
    }

    private enum Kind: String, CaseIterable {
        case modbus
        case serial
    }

    private enum Echo: String, CaseIterable {
        case drop
        case none
    }

    private enum Addressing: String, CaseIterable {
        case zeroBased = "zero-based"
        case oneBased = "one-based"
    }

    private let parent: Section
    private let problems: ProblemList

    init(_ parent: Section, _ problems: ProblemList) {
        self.parent = parent
        self.problems = problems
    }

    func bus() -> Result? {
        guard let section = parent.section("bus") else {
            problems.error(
                "a profile needs 'bus'", at: parent.mark, hint: "bus: { kind: modbus, baudrate: 9600, format: 8N1 }")
            return nil
        }
        defer { section.finish() }
        guard let kind = section.word("kind", Kind.self) else {
            if !section.has("kind") { problems.error("'bus' needs a 'kind': modbus or serial", at: section.mark) }
            return nil
        }
        let baudrate = section.integer("baudrate", 50...4_000_000) ?? 9_600
        let format = section.value("format", wanted: "data bits, parity and stop bits: 8N1, 8E1, 7E1", LineFormat.init)
        switch kind {
        case .modbus: return modbus(section, baudrate, format?.value ?? LineFormat())
        case .serial: return serial(section, baudrate, format?.value ?? LineFormat())
        }
    }

    private func modbus(_ section: Section, _ baudrate: Int, _ format: LineFormat) -> Result {
        var bus = ModbusBus(baudrate: baudrate, format: format)
        bus.unit = UInt8(section.integer("unit", 1...254) ?? 1)
        bus.maximumRegisters = section.integer("max_registers", 1...125)
        let addressing = section.word("addressing", Addressing.self)
        return Result(
            bus: .modbus(bus), firstAddress: addressing == .oneBased ? 1 : 0, isAddressingGiven: addressing != nil)
    }

    private func serial(_ section: Section, _ baudrate: Int, _ format: LineFormat) -> Result? {
        guard let decoder = StreamFormatReader(problems).format(parent, section) else { return nil }
        var bus = SerialBus(baudrate: baudrate, format: format, decoder: decoder)
        bus.longestPause = section.duration("idle_reset")
        bus.echoes = section.word("echo", Echo.self) == .drop
        if let every = section.duration("every") { bus.every = every }
        bus.requests = RequestReader(problems, every: bus.every).requests(parent.section("requests"))
        bus.changesSpeed = changesSpeed(section, bus)
        return Result(bus: .serial(bus), firstAddress: 0, isAddressingGiven: false)
    }

    private func changesSpeed(_ section: Section, _ bus: SerialBus) -> Bool {
        guard let changes = section.bool("speed_change"), changes else { return false }
        guard bus.decoder == .known(.iec62056), !bus.requests.isEmpty else {
            problems.error(
                "only a meter with the decoder iec-62056-21 that is asked by a request can change its speed",
                at: section.mark(of: "speed_change"), hint: "take speed_change away")
            return false
        }
        return true
    }
}
