import Bridge
import Bytes
import Logging
import MQTTCodec
import Mapping
import Settings
import Synchronization

/// Reads the configuration again while the gateway runs, and applies what can be applied without ending anything.
///
/// Everything is read, checked and opened first; with any error all goes on as before. One at a time, from any thread.
final class Reloader: Sendable {
    /// What came of it.
    struct Outcome: Sendable {
        var isDone: Bool
        /// Problems as `martlet check` shows them, and the verdict at last.
        var texts: [String]

        var text: String { texts.joined(separator: "\n\n") }
    }

    private let options: @Sendable () throws(CommandFailure) -> LoadedConfiguration
    private let apply: @Sendable (GatewaySettings) throws(CommandFailure) -> Void
    private let logger: Logger
    private let publish: @Sendable (Outcome) -> Void
    /// What runs now; what needs a restart is compared with what it started with.
    private let started: GatewaySettings
    private let isBusy = Mutex(())

    init(
        _ started: GatewaySettings, read: @escaping @Sendable () throws(CommandFailure) -> LoadedConfiguration,
        apply: @escaping @Sendable (GatewaySettings) throws(CommandFailure) -> Void, logger: Logger,
        publish: @escaping @Sendable (Outcome) -> Void
    ) {
        self.started = started
        options = read
        self.apply = apply
        self.logger = logger
        self.publish = publish
    }

    func reload() -> Outcome {
        let outcome = isBusy.withLock { _ in attempt() }
        publish(outcome)
        for text in outcome.texts { logger.log(level: outcome.isDone ? .notice : .error, "\(text)") }
        return outcome
    }

    private func attempt() -> Outcome {
        do {
            let loaded = try options()
            guard let settings = loaded.settings else {
                return refused(loaded.texts + ["\(loaded.verdict); nothing was changed, the gateway runs on as before"])
            }
            try apply(settings)
            return Outcome(isDone: true, texts: loaded.texts + [verdict(loaded, settings)])
        } catch {
            return refused(["\(error.message); nothing was changed, the gateway runs on as before"])
        }
    }

    private func refused(_ texts: [String]) -> Outcome {
        Outcome(isDone: false, texts: texts)
    }

    private func verdict(_ loaded: LoadedConfiguration, _ settings: GatewaySettings) -> String {
        let waiting = Self.needingRestart(started, settings)
        let done = """
            \(loaded.path) is applied: listeners, certificates, users, rules and limits of the broker, upstreams, ports, \
            devices and topics
            """
        guard !waiting.isEmpty else { return done }
        return "\(done); changed too, and applied at the next restart: \(waiting.joined(separator: ", "))"
    }

    /// The sections that differ and are read at start only.
    static func needingRestart(_ before: GatewaySettings, _ after: GatewaySettings) -> [String] {
        var sections: [String] = []
        let isSame =
            before.id == after.id && before.name == after.name && before.clock == after.clock
            && before.stateDirectory == after.stateDirectory
        if !isSame {
            sections.append("gateway")
        }
        if before.log != after.log { sections.append("log") }
        // The will of the connection that publishes names it.
        if before.mapping.topics.gateway != after.mapping.topics.gateway { sections.append("topics.gateway") }
        // What waits for a server stays where it is.
        for upstream in after.upstreams {
            let old = before.upstreams.first { $0.name == upstream.name }
            let isElsewhere =
                old?.bridge.bufferPath != upstream.bridge.bufferPath
                || (old?.bridge.queue.sync == .off) != (upstream.bridge.queue.sync == .off)
            if old != nil, isElsewhere {
                sections.append("upstream.\(upstream.name).buffer")
            }
        }
        if before.store != after.store { sections.append("store") }
        return sections
    }
}

extension Reloader.Outcome {
    /// For who follows the gateway over MQTT: whether the last reading of the configuration was applied.
    func message(on topic: [UInt8]) -> Publish {
        var object = JSONObject()
        object.add("ok", literal: isDone ? "true" : "false")
        object.add("text", text)
        return Publish(topic: topic, payload: object.bytes, qos: .atLeastOnce, retain: true)
    }
}
