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
    private let place: BufferPlace
    private let logger: Logger
    private let state: Mutex<State>

    init(_ settings: [UpstreamSettings], _ broker: BrokerServer, _ place: BufferPlace, _ logger: Logger) {
        self.broker = broker
        self.place = place
        self.logger = logger
        state = Mutex(State(settings: settings))
    }

    /// Starts the links; an error where what waits for a server can't be kept.
    func start() throws(BufferUnavailable) {
        place.tellForgotten(logger, state.withLock { $0.settings.map(\.name) })
        var failure: BufferUnavailable?
        state.withLock { state in
            state.isRunning = true
            for settings in state.settings where failure == nil {
                do throws(BufferUnavailable) {
                    state.links[settings.name] = try started(settings, place.store(of: settings, logger))
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    private func started(
        _ settings: UpstreamSettings, _ storage: (any BufferStorage)?
    ) throws(BufferUnavailable) -> UpstreamLink {
        let link = UpstreamLink(UpstreamLink.Settings(settings), broker: broker, storage: storage) { [logger] event in
            logger.log(level: event.isWarning ? .warning : .info, "\(settings.name): \(event)")
        }
        try link.start()
        return link
    }

    /// The link with a name.
    func link(_ name: String) -> UpstreamLink? { state.withLock { $0.links[name] } }

    /// All links, by name.
    var all: [(name: String, link: UpstreamLink)] {
        state.withLock { state in state.links.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
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
            for name in ended.keys {
                state.links[name] = nil
                place.forget(name)
            }
            for settings in wanted where !old.contains(settings) {
                if let link = state.links[settings.name] {
                    link.apply(UpstreamLink.Settings(settings))
                } else {
                    // It goes on without a disk, and keeps nothing until there is one.
                    let store = place.store(of: settings, opensLater: true, logger)
                    state.links[settings.name] = try? started(settings, store)
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
