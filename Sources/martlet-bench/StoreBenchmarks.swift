import Bytes
import LinuxIO
import Store

/// Records into the log and out of it, on the disk of `/var/tmp`.
enum StoreBenchmarks {
    static let all = checksums + committing + [opening(bytes: 200)]

    // MARK: checksums

    private static let checksums = [64, 4_096].map { size in
        Benchmark(name: "store/CRC-32C of \(size) bytes", unit: .nanoseconds(per: "byte")) {
            effort throws(Discrepancy) in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let times = effort.count(64_000_000 / size, atLeast: 10)
            var sum = CRC32C()
            let time = Stopwatch.measure {
                for _ in 0..<times { sum.add(bytes.span) }
            }
            guard sum != CRC32C() else { throw Discrepancy("the sum of \(size) bytes is that of none") }
            return Sample(total: time, pieces: times * size, traffic: times * size)
        }
    }

    // MARK: commits

    private static let committing = [100, 200].flatMap { size in
        [1, 100, 1_000].flatMap { batch in
            [
                Benchmark(
                    name: "store/commit \(size) bytes, batches of \(batch)", unit: .nanoseconds(per: "record")
                ) { effort throws(Discrepancy) in
                    let written = try commit(size, batch, effort)
                    return Sample(total: written.time, pieces: written.records, traffic: written.bytes)
                },
                Benchmark(
                    name: "store/blocks for \(size) bytes, batches of \(batch)", unit: .bytes(per: "record")
                ) { effort throws(Discrepancy) in
                    let written = try commit(size, batch, effort)
                    return Sample(total: Double(written.blockBytes), pieces: written.records)
                },
            ]
        }
    }

    private struct Written {
        var time: Double
        var records: Int
        var bytes: Int
        var blockBytes: Int
    }

    private static func commit(_ size: Int, _ batch: Int, _ effort: Effort) throws(Discrepancy) -> Written {
        let commits = effort.count(batch == 1 ? 200 : 20_000 / batch, atLeast: 2)
        let record = [UInt8](repeating: 0x5A, count: size)
        return try inFolder { folder throws(Discrepancy) in
            var log = try open(folder)
            let time = try Stopwatch.measure { () throws(Discrepancy) in
                for _ in 0..<commits { try commit(record, batch, &log) }
            }
            let statistics = log.statistics
            try Discrepancy.check(statistics.frames, is: commits * batch, "records committed")
            return Written(
                time: time, records: statistics.frames, bytes: statistics.bytesWritten,
                blockBytes: statistics.blockBytesWritten)
        }
    }

    private static func commit(_ record: [UInt8], _ batch: Int, _ log: inout RecordLog) throws(Discrepancy) {
        for _ in 0..<batch { log.append(record.span) }
        do throws(StoreError) {
            _ = try log.commit()
        } catch {
            throw Discrepancy("\(error)")
        }
    }

    // MARK: opening

    private static func opening(bytes size: Int) -> Benchmark {
        Benchmark(name: "store/open, records of \(size) bytes", unit: .nanoseconds(per: "record")) {
            effort throws(Discrepancy) in
            let count = effort.count(200_000, atLeast: 1_000)
            return try inFolder { folder throws(Discrepancy) in
                var log = try open(folder, isSynchronized: false)
                let record = [UInt8](repeating: 0x5A, count: size)
                for _ in 0..<count / 1_000 { try commit(record, 1_000, &log) }
                let bytes = log.statistics.bytesOnDisk
                _ = consume log
                var found = 0
                let time = try Stopwatch.measure { () throws(Discrepancy) in
                    _ = try open(folder) { found += 1 }
                }
                try Discrepancy.check(found, is: count / 1_000 * 1_000, "records read")
                return Sample(total: time, pieces: found, traffic: bytes)
            }
        }
    }

    private static func open(
        _ folder: String, isSynchronized: Bool = true, eachFrame: () -> Void = {}
    ) throws(Discrepancy) -> RecordLog {
        var settings = LogSettings()
        settings.isSynchronized = isSynchronized
        do throws(StoreError) {
            return try RecordLog(opening: folder, settings, now: WallClock.now) { _, _ in eachFrame() }
        } catch {
            throw Discrepancy("\(error)")
        }
    }

    /// Not `/tmp`, which often is no disk.
    private static func inFolder<Result>(
        _ body: (String) throws(Discrepancy) -> Result
    ) throws(Discrepancy) -> Result {
        let folder = "/var/tmp/martlet-bench-\(Entropy.seed())"
        defer {
            let disk = LinuxDisk()
            for name in (try? disk.names(in: folder)) ?? [] { try? disk.remove("\(folder)/\(name)") }
            try? disk.removeFolder(folder)
        }
        return try body(folder)
    }
}
