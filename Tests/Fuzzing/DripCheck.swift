import Broker
import Bytes
import Readings

/// A broker must not care how the network cuts what a client says.
enum DripCheck {
    static func check(_ bytes: [UInt8], seed: UInt64) throws(Finding) {
        let whole = answer(to: bytes, portion: max(1, bytes.count), seed: seed)
        for portion in [1, 7] {
            let drip = answer(to: bytes, portion: portion, seed: seed)
            try expect(
                drip == whole, "in portions of \(portion) the answer is \(Hex.text(drip)) and not \(Hex.text(whole))")
        }
    }

    private static func answer(to bytes: [UInt8], portion: Int, seed: UInt64) -> [UInt8] {
        var limits = BrokerLimits()
        limits.sysInterval = .zero
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        let host = BrokerHost(node: "fuzz", version: "0") { Timestamp(milliseconds: 0) }
        var broker = BrokerState(limits: limits, host: host, seed: seed, now: now)
        var origin = ConnectionOrigin(peer: "fuzz")
        origin.mayBeAnonymous = true
        guard let id = broker.connectionOpened(origin, now: now) else { return [] }
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + portion)
            broker.bytesReceived(id, bytes.span.extracting(start..<end), now: now)
            start = end
        }
        var written: [UInt8] = []
        _ = broker.flush(id) { bytes, _ in
            written.append(copying: bytes)
            return bytes.count
        }
        return written
    }
}
