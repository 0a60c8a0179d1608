import Bytes
import MQTTCodec

/// How far a snapshot is: it is taken in parts, between which the broker goes on, because the batches since its
/// beginning are read after it.
struct SnapshotProgress {
    var nextMessage: Int? = 0
    var nextSession = 0
    /// When it is whole, it is finished after the commit of all that it may have seen too early.
    var isWhole = false
}

/// What the snapshot in hand needs done.
package enum SnapshotStep: Equatable, Sendable {
    case begin
    case add([UInt8])
    case finish
}

extension BrokerState {
    /// A part ends behind the message or session that makes it longer than this: a damage costs the part that it is in.
    private static let longestPart = 16_000
    private static let messagesAtOnce = 8
    private static let sessionsAtOnce = 500

    mutating func beginSnapshot() {
        guard journal.snapshot == nil else { return }
        journal.snapshot = SnapshotProgress()
        journal.beginsSnapshot = true
    }

    /// Whether `nextSnapshotStep` has something to do now.
    package var hasSnapshotStep: Bool {
        mutating get {
            guard let snapshot = journal.snapshot else { return false }
            return !snapshot.isWhole || journal.running == nil
        }
    }

    /// The next step, in the order of batches and steps; nil when there is nothing to do now.
    ///
    /// One a turn, so that the broker is never busy with it for long.
    package mutating func nextSnapshotStep() -> SnapshotStep? {
        guard var progress = journal.snapshot else { return nil }
        if journal.beginsSnapshot {
            journal.beginsSnapshot = false
            return .begin
        }
        if progress.isWhole {
            // The batches up to here hold whatever changed while it was taken.
            guard journal.dueAt == nil else { return nil }
            journal.snapshot = nil
            return .finish
        }
        var bytes: [UInt8] = []
        JournalRecord.begin(&bytes, at: host.wallClock())
        if progress.nextMessage == 0 {
            for (name, value) in journal.values { Self.append(value, name, to: &bytes) }
        }
        if let start = progress.nextMessage {
            progress.nextMessage = appendMessages(from: start, to: &bytes)
        } else {
            progress.nextSession = appendSessions(from: progress.nextSession, to: &bytes)
            if progress.nextSession >= sessions.count {
                progress.isWhole = true
                journal.needAtOnce(now)
            }
        }
        journal.snapshot = progress
        return .add(bytes)
    }

    private mutating func appendMessages(from start: Int, to bytes: inout [UInt8]) -> Int? {
        var next: Int? = start
        var looks = 0
        while let from = next, bytes.count < Self.longestPart, looks < Self.sessionsAtOnce {
            var found: [MessageIndex] = []
            next = messages.journaled(from: from, Self.messagesAtOnce) { found.append($0) }
            for message in found { appendMessage(message, to: &bytes) }
            looks += 1
        }
        return next
    }

    private mutating func appendSessions(from start: Int, to bytes: inout [UInt8]) -> Int {
        let end = min(start + Self.sessionsAtOnce, sessions.count)
        for session in start..<max(start, end) where sessions[session].isUsed && sessions[session].key != 0 {
            appendSession(session, to: &bytes)
            let key = sessions[session].key
            for (filter, recipient) in subscriptions.all(of: SessionIndex(clamping: session)) {
                Self.append(key, filter.span, recipient, to: &bytes)
            }
            appendKeptDeliveries(session, key, to: &bytes)
            appendProgress(session, to: &bytes)
            if !sessions[session].received.isEmpty { sessions[session].hasKeptReceived = true }
            if bytes.count > Self.longestPart { return session + 1 }
        }
        return end
    }

    private mutating func appendKeptDeliveries(_ session: Int, _ key: UInt32, to bytes: inout [UInt8]) {
        for delivery in sessions[session].window.onTheirWay { append(delivery, key, to: &bytes) }
        for position in 0..<sessions[session].queue.count {
            append(sessions[session].queue[position], key, to: &bytes)
        }
    }

    private func append(_ delivery: Delivery, _ key: UInt32, to bytes: inout [UInt8]) {
        guard delivery.keeping == .journal, delivery.qos != .atMostOnce else { return }
        // One without a number comes with a batch that is not written yet.
        let number = messages[delivery.message].journalNumber
        if number != 0 { Self.append(delivery, number, key, to: &bytes) }
    }
}
