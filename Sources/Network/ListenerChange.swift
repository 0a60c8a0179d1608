/// From one set of listeners to another, prepared whole before anything happens.
struct ListenerChange: Sendable {
    private(set) var after: [Listener] = []
    private(set) var opened: [Listener] = []
    private(set) var closed: [Listener] = []
    /// What is to be said about the certificates that were read again.
    private(set) var warnings: [String] = []

    /// From none to these, which are open.
    init(opening listeners: [Listener]) {
        (after, opened) = (listeners, listeners)
    }

    /// Opens what is new and reads what stays; the error of the first that fails leaves everything as it is.
    init(from before: [Listener], to settings: [ListenerSettings]) throws(ListenError) {
        var read: [(ServerTLS, ServerTLS.Loaded)] = []
        for wanted in settings {
            let same = before.filter { $0.settings == wanted }
            for listener in same {
                if let tls = listener.tls { read.append((tls, try Self.read(tls, listener))) }
            }
            if same.isEmpty { opened += try Self.open(wanted, before) } else { after += same }
        }
        for (tls, loaded) in read { tls.use(loaded) }
        let kept = after
        closed = before.filter { listener in !kept.contains { $0 === listener } }
        for listener in kept { warnings += (listener.tls?.warnings ?? []).map { "\(listener.name): \($0)" } }
        after += opened
    }

    /// An address that is listened on already keeps its socket, so that nobody who is connecting notices.
    private static func open(_ wanted: ListenerSettings, _ before: [Listener]) throws(ListenError) -> [Listener] {
        let there = before.filter { $0.settings.address == wanted.address }
        guard !there.isEmpty else { return try Listener.open(wanted) }
        var listeners: [Listener] = []
        for listener in there { listeners.append(try listener.reopened(wanted)) }
        return listeners
    }

    private static func read(_ tls: ServerTLS, _ listener: Listener) throws(ListenError) -> ServerTLS.Loaded {
        do throws(TLSProblem) {
            return try tls.read()
        } catch {
            throw ListenError(address: listener.settings.address, cause: .tls(error))
        }
    }

    /// Whether a listener's path belongs to another one now.
    func keepsPath(of listener: Listener) -> Bool {
        after.contains { $0.settings.address == listener.settings.address }
    }
}
