import Bridge
import Logging
import Network
import Settings
import Synchronization

/// The links to the servers upstream, by their names in the configuration; each lives by itself.
final class UpstreamLinks: Sendable {
    private struct State {
        var links: [String: UpstreamLink] = [:]
        var settings: [UpstreamSettings]
        var isRunning = false
    }

    private let broker: BrokerServer
    private let logger: Logger
    private let state: Mutex<State>

    init(_ settings: [UpstreamSettings], _ broker: BrokerServer, _ logger: Logger) {
        self.broker = broker
        self.logger = logger
        state = Mutex(State(settings: settings))
    }

    func start() {
        state.withLock { state in
            state.isRunning = true
            for settings in state.settings { state.links[settings.name] = started(settings) }
        }
    }

    private func started(_ settings: UpstreamSettings) -> UpstreamLink {
        let link = UpstreamLink(UpstreamLink.Settings(settings), broker: broker) { [logger] event in
            logger.log(level: event.isWarning ? .warning : .info, "\(settings.name): \(event)")
        }
        link.start()
        return link
    }

    /// Ends the links that are gone, starts those that are new and tells the others what changed for them.
    ///
    /// A link whose settings are the same notices nothing.
    func apply(_ wanted: [UpstreamSettings]) {
        let ended = state.withLock { state in
            let old = state.settings
            state.settings = wanted
            guard state.isRunning else { return [UpstreamLink]() }
            let names = wanted.map(\.name)
            let ended = state.links.filter { !names.contains($0.key) }
            for name in ended.keys { state.links[name] = nil }
            for settings in wanted where !old.contains(settings) {
                if let link = state.links[settings.name] {
                    link.apply(UpstreamLink.Settings(settings))
                } else {
                    state.links[settings.name] = started(settings)
                }
            }
            return Array(ended.values)
        }
        UpstreamLink.stop(ended)
    }

    /// All at once: each may take a moment to send what is left.
    func stop() {
        let links = state.withLock { state in
            state.isRunning = false
            defer { state.links = [:] }
            return Array(state.links.values)
        }
        UpstreamLink.stop(links)
    }
}
