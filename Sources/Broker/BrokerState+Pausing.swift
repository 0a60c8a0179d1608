import Bytes

/// Why a connection is not read for a while: its packets wait in the kernel, and its client feels it.
struct Pauses: OptionSet {
    let rawValue: UInt8
    /// The client was faster than its rates allow.
    static let rate = Pauses(rawValue: 1)
    /// It does not read what we write: its answers would pile up.
    static let output = Pauses(rawValue: 2)
    /// What it sent waits for the disk.
    static let journal = Pauses(rawValue: 4)
}

extension BrokerState {
    /// The next connection that the loop must begin or cease to read, or nil.
    package mutating func nextReadingChange() -> (id: ConnectionID, reads: Bool)? {
        while let index = readingChanges.popLast() {
            let connection = Int(index)
            guard connections[connection].state != .free else { continue }
            let id = ConnectionID(index: index, generation: connections[connection].generation)
            return (id, connections[connection].pauses.isEmpty)
        }
        return nil
    }

    @inline(__always)
    func isPaused(_ index: Int) -> Bool { !connections[index].pauses.isEmpty }

    /// Counts a PUBLISH against the rates of its client; past them, it is not read until they have caught up.
    ///
    /// What a client saved while it was silent is a second's worth at most.
    mutating func spend(_ bytes: Int, _ index: Int) {
        guard limits.messageRate > 0 || limits.byteRate > 0, !connections[index].isInternal else { return }
        let oldest = MonotonicTime(nanoseconds: now.nanoseconds - 1_000_000_000)
        if limits.messageRate > 0 {
            let start = max(connections[index].messagesPaidUntil, oldest)
            let cost = 1_000_000_000 / Int64(limits.messageRate)
            connections[index].messagesPaidUntil = MonotonicTime(nanoseconds: start.nanoseconds + cost)
        }
        if limits.byteRate > 0 {
            let start = max(connections[index].bytesPaidUntil, oldest)
            let cost = Int64(bytes) * 1_000_000_000 / Int64(limits.byteRate)
            connections[index].bytesPaidUntil = MonotonicTime(nanoseconds: start.nanoseconds + cost)
        }
        let until = max(connections[index].messagesPaidUntil, connections[index].bytesPaidUntil)
        guard until > now else { return }
        pause(index, .rate)
        deadlines.add(
            Deadlines.Entry(
                at: until, kind: .reading, index: Int32(clamping: index), generation: connections[index].generation))
    }

    mutating func pause(_ index: Int, _ reason: Pauses) {
        let wasReading = connections[index].pauses.isEmpty
        connections[index].pauses.insert(reason)
        if wasReading { readingChanges.append(Int32(clamping: index)) }
    }

    mutating func readingDue(_ entry: Deadlines.Entry) {
        let index = Int(entry.index)
        guard connections[index].generation == entry.generation, connections[index].state == .open else { return }
        resume(index, .rate)
    }

    /// Takes a reason away; without another, what had arrived is handled and the connection is read again.
    mutating func resume(_ index: Int, _ reason: Pauses) {
        guard connections[index].pauses.contains(reason) else { return }
        connections[index].pauses.remove(reason)
        guard connections[index].pauses.isEmpty else { return }
        // The client was not silent: it was not heard.
        connections[index].lastPacketAt = now
        handleKept(index)
        if connections[index].pauses.isEmpty { readingChanges.append(Int32(clamping: index)) }
    }

    /// After packets were handled: a client that does not take its answers is not asked for more.
    mutating func pauseIfOutputIsFull(_ index: Int) {
        guard !mayWrite(index), !connections[index].isInternal, isReading(index) else { return }
        pause(index, .output)
    }
}
