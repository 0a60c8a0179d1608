import Bytes
import LinuxIO

/// The figures of one benchmark's rounds.
struct Figures: Sendable {
    var name: String
    var unit: Benchmark.Unit
    var samples: [Sample]

    private var sorted: [Double] { samples.map(\.each).sorted() }
    var lowest: Double { sorted.first ?? 0 }
    var highest: Double { sorted.last ?? 0 }

    var median: Double {
        let sorted = sorted
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// Megabytes a second in the median round, or nil where it says nothing.
    var throughput: Double? {
        guard case .nanoseconds = unit, let sample = samples.first, sample.traffic > 0, median > 0 else { return nil }
        return Double(sample.traffic) / Double(sample.pieces) / median * 1_000
    }

    /// One line of JSON.
    var json: [UInt8] {
        var object = JSONObject()
        object.add("name", name)
        object.add("unit", unit.text)
        object.add("median", literal: "\(median)")
        object.add("lowest", literal: "\(lowest)")
        object.add("highest", literal: "\(highest)")
        object.add("rounds", samples.count)
        object.add("pieces", samples.first?.pieces ?? 0)
        if let throughput { object.add("megabytes_per_second", literal: "\(throughput)") }
        return object.bytes
    }
}

/// Rows as they come, for people or for machines.
struct Report {
    private static let nameWidth = 72
    private static let width = 12

    var isJSON: Bool

    func begin() {
        guard !isJSON else { return }
        let titles = ["median", "lowest", "highest", "MB/s"].map { Self.right($0) }.joined()
        StandardOutput.write(Self.left("") + titles + "\n")
    }

    func add(_ figures: Figures) {
        if isJSON {
            StandardOutput.write(figures.json + [UInt8(ascii: "\n")])
        } else {
            let numbers = [figures.median, figures.lowest, figures.highest].map { Self.right(Self.rounded($0)) }
            let throughput = Self.right(figures.throughput.map(Self.rounded) ?? "")
            let row = Self.left(figures.name) + numbers.joined() + throughput + "  " + figures.unit.text
            StandardOutput.write(row + "\n")
        }
    }

    /// One digit behind the point, and none where it would pretend.
    static func rounded(_ number: Double) -> String {
        guard number < 1_000 else { return "\(Int(number.rounded()))" }
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func left(_ text: String) -> String {
        text + String(repeating: " ", count: max(1, nameWidth - text.count))
    }

    private static func right(_ text: String) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
