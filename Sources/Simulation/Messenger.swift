import Bytes

/// A device that has messages of its own, without the line.
struct Messenger: Sendable {
    let script: MessageScript
    private var received: [UInt8] = []
    private var next = 0

    init(_ script: MessageScript) {
        self.script = script
    }

    /// The next message that nobody asked for.
    mutating func unasked() -> [UInt8]? {
        guard !script.unasked.isEmpty else { return nil }
        defer { next = (next + 1) % script.unasked.count }
        return script.unasked[next]
    }

    /// The answers to what has arrived; what is no request is forgotten.
    mutating func bytesReceived(_ bytes: [UInt8]) -> [[UInt8]] {
        received += bytes
        var answers: [[UInt8]] = []
        while !received.isEmpty {
            if let exchange = script.exchanges.first(where: { received.starts(with: $0.request) }) {
                answers.append(exchange.answer)
                received.removeFirst(exchange.request.count)
            } else if script.exchanges.contains(where: { $0.request.starts(with: received) }) {
                break
            } else {
                received.removeFirst()
            }
        }
        return answers
    }
}
