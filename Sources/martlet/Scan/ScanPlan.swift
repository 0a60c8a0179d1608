import Modbus
import Profiles
import Serial

/// Which line settings a scan tries, the likeliest first, and which profiles belong to each.
struct ScanPlan {
    /// One setting of the line.
    struct Try {
        var line: LineSettings
        /// Devices that speak unasked.
        var speaking: [Profile] = []
        /// Devices that answer to questions of their own.
        var asked: [Profile] = []
        /// Modbus units as they are delivered.
        var units: [Profile] = []
        /// Whether Modbus units are often set to it.
        var isUsual = false

        /// Whether units are asked at it: RTU has eight data bits.
        var mayHaveUnits: Bool { line.dataBits == 8 && (isUsual || !units.isEmpty) }

        var count: Int { speaking.count + asked.count + units.count }
    }

    /// What Modbus units are often set to, beside what their profiles say.
    private static let usual = [
        "9600 8N1", "9600 8E1", "19200 8E1", "19200 8N1", "4800 8N1", "38400 8N1", "2400 8E1", "115200 8N1",
    ]

    private(set) var tries: [Try]

    /// `baudrate` and `format` are what the person knows already.
    init(_ profiles: [Profile], baudrate: Int?, format: LineFormat?) {
        var tries: [Try] = []
        func number(_ line: LineSettings) -> Int {
            if let number = tries.firstIndex(where: { $0.line == line }) { return number }
            tries.append(Try(line: line))
            return tries.count - 1
        }
        if let baudrate, let format { _ = number(LineSettings(baud: baudrate, format)) }
        for profile in profiles {
            let line = LineSettings(baud: baudrate ?? profile.bus.baudrate, format ?? profile.bus.format)
            let at = number(line)
            switch profile.bus {
            case .modbus: tries[at].units.append(profile)
            case .serial(let bus):
                if bus.requests.isEmpty { tries[at].speaking.append(profile) } else { tries[at].asked.append(profile) }
            }
        }
        for text in Self.usual {
            let words = text.split(separator: " ")
            guard let usual = Int(words[0]), let usualFormat = LineFormat(String(words[1])) else { continue }
            tries[number(LineSettings(baud: baudrate ?? usual, format ?? usualFormat))].isUsual = true
        }
        self.tries = tries.enumerated()
            .sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
    }

    /// All of it, for a way that has no line settings.
    static func everything(_ profiles: [Profile]) -> Try {
        var all = Try(line: LineSettings(), isUsual: true)
        for attempt in ScanPlan(profiles, baudrate: nil, format: nil).tries {
            all.speaking += attempt.speaking
            all.asked += attempt.asked
            all.units += attempt.units
        }
        return all
    }
}
