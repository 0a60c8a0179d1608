/// Where a connection comes from, as its transport found out; who may do what depends on it.
package struct ConnectionOrigin: Equatable, Sendable {
    /// For people: `192.0.2.1:50123`, `[::1]:50123`, `local`.
    package var peer: String
    /// The numeric address alone, for rules; empty for a Unix socket and for clients inside the gateway.
    package var address = ""
    /// The listener, as it names itself.
    package var listener = ""
    /// Whether the listener lets clients in without a user name.
    package var mayBeAnonymous = false
    /// Who the peer's verified certificate says it is, or nil.
    package var certificateUser: [UInt8]?
    /// Of the gateway itself: not limited, not counted, may publish anywhere.
    package var isInternal = false
    /// Of the gateway itself, and acknowledges a message only when it is safe with it.
    package var keepsMessages = false
    /// Over a Unix socket: file permissions let it in, so that it may ask for a reload.
    package var isLocalSocket = false

    package init(peer: String) {
        self.peer = peer
    }
}
