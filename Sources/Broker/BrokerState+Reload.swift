import Access
package import Bytes

extension BrokerState {
    /// Limits that hold from now on: for clients that are there as well, but for what CONNACK promised them.
    package mutating func apply(_ limits: BrokerLimits, now: MonotonicTime) {
        self.now = now
        let hadSystem = self.limits.sysInterval > .zero
        self.limits = limits
        if limits.sysInterval > .zero, !hadSystem {
            // One that still waits from before is no longer of this generation.
            systemGeneration &+= 1
            deadlines.add(Deadlines.Entry(at: now, kind: .system, generation: systemGeneration))
        }
        grown = .max
        watchMemory()
    }

    /// Whether a topic asks the gateway for something (`$martlet/request/…`), and this client may: over a Unix socket,
    /// whose file permissions let it in, or because a rule names such topics.
    mutating func mayRequest(_ index: Int, _ topic: Span<UInt8>) -> Bool {
        guard Self.starts(topic, with: Self.requestPrefix) else { return false }
        if connections[index].origin.isLocalSocket { return true }
        return sessions[Int(connections[index].session)].standing?.rules?.mayWrite(topic) == true
    }

    /// Whether a filter is for the answers to such requests; only the gateway publishes there.
    mutating func mayHearAnswers(_ index: Int, _ filter: Span<UInt8>) -> Bool {
        connections[index].origin.isLocalSocket && Self.starts(filter, with: Self.answerPrefix)
    }

    /// Whether a message is the gateway's answer to somebody who may ask; rules about topics then don't matter.
    mutating func isAnswer(_ topic: Span<UInt8>, for session: SessionIndex) -> Bool {
        let connection = Int(sessions[Int(session)].connection)
        return connection >= 0 && connections[connection].origin.isLocalSocket
            && Self.starts(topic, with: Self.answerPrefix)
    }

    private static let requestPrefix = Array("$martlet/request/".utf8)
    private static let answerPrefix = Array("$martlet/answer/".utf8)

    private static func starts(_ topic: Span<UInt8>, with prefix: [UInt8]) -> Bool {
        topic.count > prefix.count && topic.extracting(0..<prefix.count).hasSameBytes(as: prefix.span)
    }
}
