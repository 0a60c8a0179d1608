import Synchronization

/// The counts of devices that go on after a restart.
package final class KeptTotals: Sendable {
    private let known = Mutex<[String: Int64]>([:])
    private let load: @Sendable (String) -> Int64?
    private let save: @Sendable (Int64, String) -> Void

    /// `load` has what an earlier process kept of a device, and `save` keeps it; without them nothing outlives this one.
    package init(
        load: @escaping @Sendable (String) -> Int64? = { _ in nil },
        save: @escaping @Sendable (Int64, String) -> Void = { _, _ in }
    ) {
        self.load = load
        self.save = save
    }

    /// What was kept last; nil if nothing was.
    func total(of device: String) -> Int64? {
        known.withLock { $0[device] } ?? load(device)
    }

    func keep(_ total: Int64, of device: String) {
        let isNew = known.withLock { known in
            defer { known[device] = total }
            return known[device] != total
        }
        if isNew { save(total, device) }
    }
}
