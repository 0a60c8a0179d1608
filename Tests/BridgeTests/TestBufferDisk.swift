import Bytes
import MQTTCodec

@testable import Bridge

/// A disk in memory that keeps what it is told when the test says so, and forgets the rest when the power goes.
struct TestBufferDisk {
    let segmentSize: Int
    private(set) var segments: [UInt32: [[UInt8]]] = [:]
    private var waiting: [BufferAction] = []
    private var current: UInt32 = 1
    private var bytes = 0
    private var kept: UInt64 = 0
    private(set) var framesWritten = 0

    init(segmentSize: Int = 2_000) {
        self.segmentSize = segmentSize
    }

    var isIdle: Bool { waiting.isEmpty }
    var frameCount: Int { segments.values.reduce(0) { $0 + $1.count } }

    mutating func take(_ actions: [BufferAction]) { waiting += actions }

    /// Does what it was told, in order, up to `most` things; returns what it tells.
    mutating func work(_ most: Int = .max) -> [BufferNews] {
        var news: [BufferNews] = []
        var segmentsKept: [UInt32] = []
        for action in waiting.prefix(most) {
            if case .keep(let frame, let number) = action {
                keep(frame)
                segmentsKept.append(current)
                kept = number
                continue
            }
            flush(&segmentsKept, &news)
            carryOut(action, &news)
        }
        flush(&segmentsKept, &news)
        waiting.removeFirst(min(most, waiting.count))
        return news
    }

    private func flush(_ kept: inout [UInt32], _ news: inout [BufferNews]) {
        guard !kept.isEmpty else { return }
        news.append(.kept(upTo: self.kept, segments: kept))
        kept = []
    }

    private mutating func keep(_ frame: [UInt8]) {
        if bytes + frame.count > segmentSize, bytes > 0 { startAnew() }
        segments[current, default: []].append(frame)
        bytes += frame.count
        framesWritten += 1
    }

    private mutating func startAnew() {
        current += 1
        bytes = 0
    }

    private mutating func carryOut(_ action: BufferAction, _ news: inout [BufferNews]) {
        switch action {
        case .keep: break
        case .read(let segment, let lane, let place, let number):
            var chunk = BufferChunk(number: number, segment: segment, lane: lane, from: place)
            for frame in segments[segment] ?? [] where !chunk.add(frame.span) { break }
            news.append(.chunk(chunk))
        case .remove(let segment):
            segments[segment] = nil
            if segment == current { startAnew() }
        case .shrink(let segment, let places):
            segments[segment]?.removeAll { frame in
                guard case .message(let header)? = try? BufferFrame(frame.span) else { return false }
                return !places.contains { $0.contains(header.place) }
            }
            news.append(.shrunk(segment: segment, bytes: segments[segment]?.reduce(0) { $0 + $1.count } ?? 0))
        }
    }

    /// A frame of a segment is not what it was.
    mutating func lose(_ index: Int, of segment: UInt32) { segments[segment]?.remove(at: index) }

    /// The process is gone and comes again: what was not kept is lost.
    mutating func restart(_ limits: QueueLimits) -> OfflineQueue {
        waiting = []
        startAnew()
        var queue = OfflineQueue(limits, isStored: true)
        for (segment, frames) in segments.sorted(by: { $0.key < $1.key }) {
            for frame in frames { queue.restored(frame.span, in: segment) }
        }
        queue.restoreEnded()
        return queue
    }
}

extension OfflineQueue {
    /// Hands everything to the disk and hears of it, until nothing more follows.
    mutating func settle(_ disk: inout TestBufferDisk, now: ContinuousClock.Instant) {
        while true {
            disk.take(takeActions())
            let news = disk.work()
            guard !news.isEmpty else { return }
            for item in news { storageTold(item, now: now) }
        }
    }

    /// Sends everything that may be sent now, and has the upstream take it.
    mutating func sendAll(_ disk: inout TestBufferDisk, now: ContinuousClock.Instant) -> [Publish] {
        var sent: [Publish] = []
        while true {
            guard let entry = startNext(now: now) else {
                disk.take(takeActions())
                guard !disk.isIdle else { return sent }
                settle(&disk, now: now)
                continue
            }
            sent.append(entry.message)
            finished(entry.number)
        }
    }
}
