import Bytes

/// Notices client ids that two devices share: each connects, which ends the other's connection, for ever.
///
/// One client that comes back before its old connection was given up takes over too, but not again and again.
struct TakeOverWatch {
    /// What is known of one client id.
    struct Record: Equatable {
        /// In milliseconds since 1970.
        var since: Int64
        var lastAt: MonotonicTime
        /// The one that has the connection, and the one that lost it.
        var winner: ConnectionOrigin
        var loser: ConnectionOrigin
        var count = 0
        /// The last ones that went to and fro.
        var recent: [MonotonicTime] = []
        var isRecognised = false
        var saidAt: MonotonicTime?
        var silence = TakeOverWatch.shortestSilence

        /// Two programs on one machine, or one that does not close its old connection.
        var isOneAddress: Bool { winner.address == loser.address }
    }

    /// So many take-overs within `window` are no accident.
    static let suspicious = 3
    static let window: Duration = .seconds(60)
    /// Between two lines in the log; doubles each time.
    static let shortestSilence: Duration = .seconds(60)
    static let longestSilence: Duration = .seconds(3_600)
    /// After so long without one it is over.
    static let memory: Duration = .seconds(600)
    /// Client ids watched at a time.
    static let capacity = 256

    private(set) var records: [[UInt8]: Record] = [:]

    /// Notes a take-over; returns what is known if it is time to say it.
    mutating func takenOver(
        _ client: [UInt8], by winner: ConnectionOrigin, from loser: ConnectionOrigin, now: MonotonicTime,
        time: Int64
    ) -> Record? {
        var record =
            records[client].flatMap { $0.lastAt + Self.memory < now ? nil : $0 }
            ?? Record(since: time, lastAt: now, winner: loser, loser: winner)
        // To and fro: who lost it last takes it back. A client that moved to a third address is no second device.
        if winner.address != record.loser.address, winner.address != loser.address { record.recent = [] }
        record.count += 1
        record.lastAt = now
        record.winner = winner
        record.loser = loser
        record.recent.append(now)
        if record.recent.count > Self.suspicious { record.recent.removeFirst() }
        if let first = record.recent.first, record.recent.count == Self.suspicious, first + Self.window >= now {
            record.isRecognised = true
        }
        let isDue = record.isRecognised && Self.isDue(&record, now)
        keep(record, of: client)
        return isDue ? record : nil
    }

    /// Whether it is known already, so that one more take-over is no news.
    func isRecognised(_ client: [UInt8]) -> Bool { records[client]?.isRecognised ?? false }

    /// Forgets what is over; returns the client ids that were recognised.
    mutating func forget(now: MonotonicTime) -> [[UInt8]] {
        let over = records.filter { $0.value.lastAt + Self.memory < now }
        for client in over.keys { records[client] = nil }
        return over.filter(\.value.isRecognised).map(\.key)
    }

    private static func isDue(_ record: inout Record, _ now: MonotonicTime) -> Bool {
        if let saidAt = record.saidAt {
            guard saidAt + record.silence <= now else { return false }
            record.silence = min(record.silence * 2, longestSilence)
        }
        record.saidAt = now
        return true
    }

    /// A full watch gives up the oldest that is not recognised, or does not take the new one.
    private mutating func keep(_ record: Record, of client: [UInt8]) {
        if records[client] == nil, records.count >= Self.capacity {
            let unimportant = records.filter { !$0.value.isRecognised }
            guard let oldest = unimportant.min(by: { $0.value.lastAt < $1.value.lastAt }) else { return }
            records[oldest.key] = nil
        }
        records[client] = record
    }
}
