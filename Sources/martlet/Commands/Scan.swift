import ArgumentParser
import Documents
import LinuxIO
import Profiles
import Serial
import Settings

/// `martlet scan`: what hangs on a port, and what to write into the configuration for it.
struct Scan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find out what hangs on a port, and write the configuration for it.",
        discussion: """
            First it only listens: meters and sensors that speak by themselves tell what they are. Then it asks Modbus \
            units 1 to 20 for a register, at the speeds and formats that devices are delivered with, and reads from \
            who answers what each profile would read. Last it asks what the profiles of other devices ask. Nothing is \
            written to any unit. It takes up to two minutes; less, if you say what you know.

            The entry for the configuration goes to the standard output; --into puts it into a file, where other lines \
            stay as they are. The gateway must not have the port open meanwhile.

              martlet scan /dev/ttyUSB0
              martlet scan /dev/ttyUSB0 --baudrate 9600 --units 1-247
              martlet scan --tcp 192.168.1.20:502 --into /etc/martlet/martlet.yaml

            Exit status: 0 when something was found, 1 when not.
            """)

    @Argument(help: ArgumentHelp("The serial port.", valueName: "PORT"))
    var port: String?

    @Option(
        help: ArgumentHelp("A device or a serial server on the network, instead of a port.", valueName: "HOST:PORT"))
    var tcp: String?

    @Flag(help: "Speak RTU over TCP, as behind a serial server.")
    var rtu = false

    @Option(help: "Bits a second, if you know them.")
    var baudrate: Int?

    @Option(help: "Data bits, parity and stop bits, if you know them.")
    var format: String?

    @Option(help: ArgumentHelp("Which Modbus units are asked.", valueName: "FIRST-LAST"))
    var units = "1-20"

    @Option(help: ArgumentHelp("How long a unit may take to answer.", valueName: "MS"))
    var timeout = 200

    @Option(
        help: ArgumentHelp(
            "How long it listens at most for what speaks by itself, at each setting.", valueName: "SECONDS"))
    var listen = 11

    @Flag(help: "Send nothing.")
    var listenOnly = false

    @Option(help: ArgumentHelp("Put what was found into this configuration.", valueName: "FILE"))
    var into: String?

    @OptionGroup var devices: DevicesOption

    func validate() throws {
        guard (port == nil) != (tcp == nil) else {
            throw ValidationError("Say where to look: a port, or --tcp HOST:PORT.")
        }
        guard unitRange != nil else {
            throw ValidationError("--units is two numbers from 1 to 247, like 1-32")
        }
        guard format == nil || format.flatMap(LineFormat.init) != nil else {
            throw ValidationError("--format is data bits, parity and stop bits, like 8N1 or 8E1")
        }
        guard baudrate.map((50...4_000_000).contains) ?? true, (1...60_000).contains(timeout),
            (1...3_600).contains(listen)
        else {
            throw ValidationError(
                "--baudrate is a number from 50 to 4000000, --timeout one from 1 to 60000, --listen one from 1 to 3600")
        }
    }

    private var unitRange: ClosedRange<UInt8>? {
        let bounds = units.split(separator: "-").map { UInt8($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first >= 1, first <= last, last <= 247
        else { return nil }
        return first...last
    }

    func run() throws {
        let library = ProfileLibrary(folders: ProfileFolders.folders(asked: devices.devices, configuration: into))
        let profiles = library.sorted
        let isSerial = tcp == nil
        let known = format.flatMap(LineFormat.init)
        let tries =
            isSerial
            ? ScanPlan(profiles, baudrate: baudrate, format: known).tries : [ScanPlan.everything(profiles)]
        let target = ScanTarget(port: port, tcp: tcp, isRTU: rtu)
        let line = try target.open(timeout: .milliseconds(timeout), tries.first?.line ?? LineSettings())
        var bounds = LineScan.Bounds()
        bounds.units = unitRange ?? bounds.units
        bounds.listening = .seconds(listen)
        bounds.asks = !listenOnly
        bounds.hasLine = isSerial
        var scan = LineScan(line, bounds) { StandardError.write("\($0)\n") }
        let found = try scan.run(isSerial || rtu ? tries : tries.map(\.withoutSpeakers))
        tell(found)
        guard !found.isEmpty else {
            StandardError.write("nothing was found\(Self.advice(scan.garbledAt, isSerial: isSerial))\n")
            throw CommandFailure.silent(.failed)
        }
        try write(found, target)
    }

    private func tell(_ found: [FoundDevice]) {
        for device in found {
            let place = device.unit.map { "unit \($0)" } ?? "a device"
            let what =
                device.candidates.first.map { "is a \($0)" }
                ?? "answers, but no profile fits: `martlet modbus read --all-types` shows its registers, and "
                + "docs/writing-a-profile.md how to write one"
            StandardError.write("\(place)\(tcp == nil ? " at \(device.line)" : "") \(what)\n")
        }
    }

    private static func advice(_ garbledAt: [LineSettings], isSerial: Bool) -> String {
        if let line = garbledAt.first {
            return ": at \(line) something came that can't be read; two units with one number, bad wiring, or a speed "
                + "that was not tried (--baudrate)"
        }
        guard isSerial else { return ": is it the right address, and the unit number within --units?" }
        return ": is the device powered, are A and B (or RX and TX) the right way round, is its unit number within "
            + "--units, and its speed a usual one?"
    }

    // MARK: the entry

    private func write(_ found: [FoundDevice], _ target: ScanTarget) throws(CommandFailure) {
        let place = target.place()
        var entry = ConfigurationEntry(found, place: (place.key, place.value), hasLine: tcp == nil)
        if rtu { entry.port.append(("modbus", "{ mode: rtu }")) }
        guard !entry.devices.isEmpty else { return }
        guard let into else {
            StandardOutput.write(entry.text)
            return
        }
        try insert(entry, place.read, into)
    }

    private func insert(
        _ entry: ConfigurationEntry, _ place: PortSettings.Place?, _ file: String
    ) throws(CommandFailure) {
        let old = try TextFile.read(file)
        let profiles = ProfileLibrary(folders: ProfileFolders.folders(asked: devices.devices, configuration: file))
        let secrets = SecretsFile(beside: file)
        let before = Configuration.read(old, file: file, profiles: profiles.profiles, secrets: secrets.source)
        guard let settings = before.settings else {
            StandardOutput.write(entry.text)
            throw CommandFailure("\(file) has errors already (`martlet check \(file)`): nothing was put into it")
        }
        var entry = entry
        let port = settings.ports.first { $0.place == place }
        entry.portKey = port?.key ?? Self.free(entry.portKey, settings.ports.map(\.key))
        for index in entry.devices.indices {
            let taken = settings.devices.map(\.key) + entry.devices[..<index].map(\.key)
            entry.devices[index].key = Self.free(entry.devices[index].key, taken)
        }
        var insert = ConfigurationInsert(old)
        let new = try insert.adding(entry, withPort: port == nil)
        let after = Configuration.read(new, file: file, profiles: profiles.profiles, secrets: secrets.source)
        guard after.settings != nil else {
            StandardOutput.write(entry.text)
            let why = after.problems.first { $0.severity == .error }.map { ": \($0.message)" } ?? ""
            throw CommandFailure("this does not go into \(file)\(why); nothing was changed there")
        }
        do throws(SystemError) {
            try File.replace(file, with: Array(new.utf8), mode: 0o644)
        } catch {
            throw CommandFailure("\(error)")
        }
        let count = entry.devices.count
        StandardError.write("\(file): \(count) device\(count == 1 ? "" : "s") put in; `martlet reload` makes it run\n")
    }

    private static func free(_ key: String, _ taken: [String]) -> String {
        guard taken.contains(key) else { return key }
        var number = 2
        while taken.contains("\(key)-\(number)") { number += 1 }
        return "\(key)-\(number)"
    }
}

extension ScanPlan.Try {
    /// A Modbus TCP device says nothing unasked, and nothing else can be asked of it.
    fileprivate var withoutSpeakers: Self {
        var copy = self
        (copy.speaking, copy.asked) = ([], [])
        return copy
    }
}
