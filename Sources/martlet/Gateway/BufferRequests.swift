import Bridge
import Bytes
import Network

/// What `martlet buffer` asks the running gateway.
struct BufferRequests: Sendable {
    static let topic = "$martlet/request/buffer"

    let upstreams: UpstreamLinks

    /// Answers `status`, `json`, `drain NAME` and `drop NAME`; without a name all upstreams are meant.
    func answer(_ request: String) -> (isDone: Bool, text: String) {
        let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
        let all = upstreams.all
        let links = parts.count < 2 ? all : all.filter { $0.name == parts[1] }
        guard !links.isEmpty else {
            let names = all.map(\.name).joined(separator: ", ")
            return (
                false,
                parts.count < 2 || all.isEmpty
                    ? "there is no upstream, so nothing is kept for one"
                    : "there is no upstream '\(parts[1])'; there are: \(names)"
            )
        }
        switch parts.first {
        case "status": return (true, links.compactMap(Self.lines).joined(separator: "\n"))
        case "json": return (true, links.compactMap(Self.json).joined(separator: "\n"))
        case "drain": return (true, links.map(Self.drain).joined(separator: "\n"))
        case "drop": return (true, links.map(Self.drop).joined(separator: "\n"))
        default: return (false, "this gateway does not know '\(request)'")
        }
    }

    private static func drain(_ name: String, _ link: UpstreamLink) -> String {
        link.drain()
        guard let status = link.bufferStatus(), status.messages > 0 else { return "\(name): nothing waits" }
        let rest = "\(DigitGroups.text(status.messages)) messages"
        return status.isUp
            ? "\(name): \(rest) are being sent as fast as the server takes them"
            : "\(name): \(rest) are sent as fast as the server takes them when it is there again; it is away"
    }

    private static func drop(_ name: String, _ link: UpstreamLink) -> String {
        "\(name): dropped \(DigitGroups.text(link.dropEverything() ?? 0)) messages"
    }

    private static func lines(_ name: String, _ link: UpstreamLink) -> String? {
        guard let status = link.bufferStatus() else { return nil }
        var lines = ["\(name): \(status.isUp ? "connected" : "not connected")"]
        if let failure = status.failure { lines.append("  NOTHING CAN BE KEPT: \(failure)") }
        if !status.isStored { lines.append("  in memory only: a restart of the gateway loses it") }
        var waiting =
            "  \(DigitGroups.text(status.messages)) of at most \(DigitGroups.text(status.messagesLimit)) messages "
        waiting += "wait, \(DigitGroups.bytes(status.bytes)) of \(DigitGroups.bytes(status.bytesLimit))"
        waiting += " (\(status.percent) % full)"
        if let oldest = status.oldest { waiting += ", the oldest for \(DigitGroups.text(oldest))" }
        lines.append(waiting)
        if let untilFull = status.untilFull {
            lines.append("  full in \(DigitGroups.text(untilFull)) if it goes on like in the last minute")
        }
        for reason in DropReason.allCases {
            guard let count = status.dropped[reason], count > 0 else { continue }
            lines.append("  dropped since the start: \(DigitGroups.text(count)), \(reason)")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ name: String, _ link: UpstreamLink) -> String? {
        guard let status = link.bufferStatus() else { return nil }
        var object = JSONObject()
        object.add("upstream", name)
        object.add("connected", literal: status.isUp ? "true" : "false")
        object.add("messages", status.messages)
        object.add("bytes", status.bytes)
        object.add("bytes_limit", status.bytesLimit)
        object.add("in_flight", status.inFlight)
        object.add("fill_percent", status.percent)
        object.add("oldest_seconds", status.oldest?.components.seconds ?? 0)
        object.add("until_full_seconds", status.untilFull?.components.seconds ?? -1)
        for reason in DropReason.allCases { object.add("dropped_\(reason.word)", status.dropped[reason] ?? 0) }
        return String(decoding: object.bytes, as: UTF8.self)
    }
}

/// Numbers as people read them.
enum DigitGroups {
    static func text(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    static func bytes(_ bytes: Int) -> String {
        switch bytes {
        case ..<10_000: "\(text(bytes)) bytes"
        case ..<10_000_000: "\(text(bytes / 1_000)) kB"
        case ..<10_000_000_000: "\(text(bytes / 1_000_000)) MB"
        default: "\(text(bytes / 1_000_000_000)) GB"
        }
    }

    /// The two largest parts.
    static func text(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let first = parts.firstIndex { $0.0 > 0 } ?? 3
        return parts[first..<min(first + 2, 4)].filter { $0.0 > 0 || first == 3 }.map { "\($0.0) \($0.1)" }
            .joined(separator: " ")
    }
}
