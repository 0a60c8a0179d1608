import Bytes
import MQTTCodec

/// How near the broker is to its memory limit, and so what gives way; each includes the ones before it.
package enum MemoryPressure: Int, Comparable, Sendable {
    case none
    /// Above three quarters: topics that were not retained yet are refused with 0x97.
    case refusesRetained
    /// Above nine tenths: the longest queues are shortened, connections that don't take their output are ended.
    case shortensQueues
    /// Still above: new clients are refused.
    case refusesClients

    package static func < (left: MemoryPressure, right: MemoryPressure) -> Bool { left.rawValue < right.rawValue }
}

extension BrokerState {
    /// How much is kept or written between two looks.
    private var memoryStep: Int { max(limits.memory / 64, 65_536) }
    private static let memoryInterval: Duration = .milliseconds(250)
    /// A connection with more than this waiting does not take its output.
    private static let slowOutput = 262_144

    /// What messages, queues and outputs take, in bytes, as far as the broker can count it.
    package var memoryInUse: Int {
        var sum = messages.footprint
        for output in outputs { sum += output.footprint }
        for session in sessions where session.isUsed {
            sum += session.queue.count * Session.overheadPerQueued
        }
        return sum
    }

    /// Called when packets were handled: looks at the memory when enough has been added since the last look.
    mutating func watchMemory() {
        guard grown > memoryStep else { return }
        lookAtMemory()
    }

    mutating func memoryDue() {
        isWatchingMemory = false
        lookAtMemory()
    }

    private mutating func lookAtMemory() {
        grown = 0
        let before = pressure
        pressure = level(of: memoryInUse)
        if pressure >= .shortensQueues {
            giveWay()
            pressure = max(level(of: memoryInUse), .refusesRetained)
        }
        if pressure != before { events.append(.memory(pressure, inUse: memoryInUse, limit: limits.memory)) }
        guard pressure != .none, !isWatchingMemory else { return }
        isWatchingMemory = true
        deadlines.add(Deadlines.Entry(at: now + Self.memoryInterval, kind: .memory))
    }

    private func level(of bytes: Int) -> MemoryPressure {
        let percent = bytes / max(limits.memory / 100, 1)
        switch percent {
        case ..<75: return .none
        case ..<90: return .refusesRetained
        case ..<97: return .shortensQueues
        default: return .refusesClients
        }
    }

    /// Ends the connections that take nothing, and shortens the longest queues to their half, until it is enough.
    private mutating func giveWay() {
        let goal = limits.memory / 100 * 85
        for index in connections.indices where connections[index].state == .open && !connections[index].isInternal {
            let output = Int(connections[index].output)
            guard output >= 0, outputs[output].count > Self.slowOutput else { continue }
            outputs[output].clear()
            disconnect(index, .quotaExceeded, why: "it does not take its messages, and memory is nearly used up")
        }
        var left = memoryInUse
        let longest = sessions.indices.filter { sessions[$0].queuedBytes > 0 && !isInternal($0) }
            .sorted { sessions[$0].queuedBytes > sessions[$1].queuedBytes }
        for session in longest where left > goal {
            let before = sessions[session].queuedBytes
            trimQueue(session, to: before / 2)
            left -= before - sessions[session].queuedBytes
        }
    }
}
