/// One figure to be measured, and how.
struct Benchmark: Sendable {
    /// What a figure is per piece.
    enum Unit: Sendable {
        case nanoseconds(per: String)
        case bytes(per: String)

        var text: String {
            switch self {
            case .nanoseconds(let piece): "ns/\(piece)"
            case .bytes(let piece): "bytes/\(piece)"
            }
        }
    }

    /// `group/what`, for the table and for `--only`.
    var name: String
    var unit: Unit
    /// One round: does the work, checks what came out, and says what it took.
    var round: @Sendable (Effort) throws(Discrepancy) -> Sample

    static let all =
        CodecBenchmarks.all + TopicBenchmarks.all + DeliveryBenchmarks.all + ConnectionBenchmarks.all
        + RetainedBenchmarks.all + PasswordBenchmarks.all + StoreBenchmarks.all
}

/// How much work a round does.
struct Effort: Sendable {
    static let full = Effort(divisor: 1)
    /// Enough to see that everything still works; its figures mean nothing.
    static let quick = Effort(divisor: 200)

    private let divisor: Int

    private init(divisor: Int) {
        self.divisor = divisor
    }

    func count(_ whole: Int, atLeast least: Int = 1) -> Int { max(least, whole / divisor) }
}

/// What a round took.
struct Sample: Sendable {
    /// Nanoseconds or bytes, for all pieces together.
    var total: Double
    var pieces: Int
    /// What went through, where that says something.
    var traffic = 0

    var each: Double { total / Double(pieces) }
}

/// A benchmark did not do what it was to measure: its figure would be a lie.
struct Discrepancy: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }

    /// Complains unless `count` is what it should be, and not nothing.
    static func check(_ count: Int, is expected: Int, _ what: String) throws(Discrepancy) {
        guard count == expected, count > 0 else {
            throw Discrepancy("\(count) \(what) instead of \(expected)")
        }
    }
}
