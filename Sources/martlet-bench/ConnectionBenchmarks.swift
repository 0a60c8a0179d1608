import LinuxIO
import MQTTCodec

/// Clients that come, go, and stay without a word.
enum ConnectionBenchmarks {
    static let all =
        [ProtocolVersion.v311, .v5].map { version in
            let name = version == .v5 ? "MQTT 5" : "MQTT 3.1.1"
            return Benchmark(
                name: "connections/connect, CONNACK, close, \(name)", unit: .nanoseconds(per: "connection")
            ) { effort throws(Discrepancy) in
                try storm(version, effort)
            }
        } + [
            Benchmark(name: "connections/10,000 idle", unit: .bytes(per: "connection")) {
                effort throws(Discrepancy) in
                try idle(effort)
            },
            Benchmark(name: "connections/10,000 idle, a filter each", unit: .bytes(per: "connection")) {
                effort throws(Discrepancy) in
                try idle(effort, withFilters: true)
            },
        ]

    /// A hundred at once connect, say goodbye and are gone, again and again.
    private static func storm(_ version: ProtocolVersion, _ effort: Effort) throws(Discrepancy) -> Sample {
        let disconnect: [UInt8] = [0xE0, 0]
        let greetings = (0..<100).map { RigClient.connect("client\($0)", version) }
        var rig = Rig()
        let waves = effort.count(200, atLeast: 2)
        for wave in 0...waves {
            // The first makes room that later ones find.
            if wave == 1 { rig.reset() }
            var clients: [Int] = []
            for greeting in greetings {
                clients.append(try rig.open(version))
                rig.say(greeting, clients[clients.count - 1])
            }
            try rig.settle()
            for client in clients { rig.say(disconnect, client) }
            try rig.settle()
            for client in clients { rig.lose(client) }
        }
        try Discrepancy.check(rig.seen.connected, is: waves * 100, "clients let in")
        try Discrepancy.check(rig.seen.closed, is: waves * 100, "connections closed")
        return Sample(total: Double(rig.stopwatch.nanoseconds), pieces: waves * 100)
    }

    /// The broker's own memory for a client; its loop and the kernel have theirs.
    private static func idle(_ effort: Effort, withFilters: Bool = false) throws(Discrepancy) -> Sample {
        let count = effort.count(10_000, atLeast: 50)
        var rig = Rig(room: count)
        let before = Heap.bytesInUse
        for number in 0..<count {
            let client = try rig.connect("client\(number)")
            if withFilters { try rig.subscribe(client, to: ["clients/\(number)/set"], .atMostOnce) }
            rig.emptyBuffers(of: client)
        }
        let used = Heap.bytesInUse - before
        try Discrepancy.check(rig.seen.connected, is: count, "clients let in")
        guard used > 0 else { throw Discrepancy("the heap is no larger with \(count) clients") }
        return Sample(total: Double(used), pieces: count)
    }
}
