import Bridge
import LinuxIO
import Logging
import Settings

/// Where the buffers of the upstreams are: a folder each below the state directory, unless they name another.
struct BufferPlace: Sendable {
    let stateFolder: String
    let store: StoreSettings
    let reports: StoreReports

    private var folder: String { "\(stateFolder)/upstream" }

    /// The buffer of an upstream; one that `opensLater` never fails to open, but may keep nothing yet.
    func store(of upstream: UpstreamSettings, opensLater: Bool = false, _ logger: Logger) -> BufferStore {
        let name = Self.name(upstream.name)
        let store = BufferStore(
            upstream.name, folder: upstream.bridge.bufferPath ?? "\(folder)/\(upstream.name)", upstream.bridge.queue,
            store, opensLater: opensLater, logger: logger
        ) { [reports] problem in reports.problem(problem, of: name) }
        reports.add(name) { [weak store] in store?.statistics }
        return store
    }

    /// The upstream is no more.
    func forget(_ upstream: String) { reports.remove(Self.name(upstream)) }

    private static func name(_ upstream: String) -> String { "upstream-\(upstream)" }

    /// Says which buffers belong to no upstream any more: what is in them waits for ever.
    func tellForgotten(_ logger: Logger, _ names: [String]) {
        guard let found = try? LinuxDisk().names(in: folder) else { return }
        for name in found.sorted() where !names.contains(name) {
            logger.warning(
                """
                \(folder)/\(name) keeps messages for '\(name)', which is no upstream any more; give an upstream that \
                name again to have them sent, or remove the folder
                """)
        }
    }
}
