import Bytes
import MQTTCodec

/// A session's place in the broker's table.
typealias SessionIndex = Int32

/// What the broker remembers of one client, connected or not. [MQTT 5, section 4.1]
struct Session {
    /// A pending delivery is worth its message plus this much bookkeeping.
    static let overheadPerQueued = 32

    var clientID: [UInt8] = []
    /// Tells this session from an earlier one in the same place.
    var generation: UInt32 = 0
    var isUsed = false
    var connection: Int32 = -1
    /// Seconds that the session outlives its connection; `UInt32.max` means for ever.
    var expiry: UInt32 = 0
    var window = OutgoingWindow()
    var queue = Ring<Delivery>()
    var queuedBytes = 0
    /// Messages that it did not get, for whatever reason.
    var dropped = 0
    /// Whether `$SYS` tells how much it has to say.
    var isReported = false
    /// QoS 2 identifiers from the client that PUBREL has not freed yet. [MQTT-4.3.3-10]
    var received: Set<UInt16> = []
    /// Who keeps what is sent to it.
    var keeping = Keeping.nothing
    /// Whether the journal is to hear of it with the next batch, and of its deliveries.
    var hasChanged = false
    var hasProgress = false
    /// Whether the journal knows of identifiers in `received`.
    var hasKeptReceived = false
    /// Its name in the journal; 0 for none.
    var key: UInt32 = 0
    /// Of the next delivery.
    var nextSequence: UInt64 = 1
    /// Whose it is and what it may do; nil where nobody asks.
    var standing: SessionStanding?
    /// Few sessions have one; apart, so that thousands of idle ones stay small.
    private var testament: Testament?
    /// Set while no connection is there.
    var expiresAt: MonotonicTime?

    var will: Connect.Will? {
        get { testament?.will }
        set { testament = newValue.map { Testament($0, dueAt: nil) } }
    }

    /// Set while the will waits for its delay, or nil.
    var willDueAt: MonotonicTime? {
        get { testament?.dueAt }
        set { testament = testament.map { Testament($0.will, dueAt: newValue) } }
    }
}

private final class Testament: Sendable {
    let will: Connect.Will
    let dueAt: MonotonicTime?

    init(_ will: Connect.Will, dueAt: MonotonicTime?) {
        self.will = will
        self.dueAt = dueAt
    }
}

/// A will that is to be published, and whose it is.
struct DueWill {
    var will: Connect.Will
    var clientID: [UInt8]
}

/// One network connection, from accept to close.
struct Connection {
    enum State: UInt8 {
        case free
        case awaitingConnect
        /// CONNECT waits for its password to be checked; what follows it waits too.
        case authenticating
        /// Between CONNECT and CONNACK, in an exchange of AUTH packets.
        case exchanging
        case open
        /// Nothing more is read; it is closed when the output is written.
        case closing
        /// Its peer did not take the output in time, and it is closed without.
        case abandoned
    }

    var state = State.free
    var generation: UInt32 = 0
    var version = ProtocolVersion.v311
    /// Of the gateway itself: not limited, not counted, may publish anywhere.
    var isInternal = false
    var isMarked = false
    /// Subscribes as if it had said No Local and Retain As Published.
    var isBridge = false
    /// CONNECT named an authentication method, so that AUTH may come again.
    var hasMethod = false
    var session: SessionIndex = -1
    /// Place in the pool of output buffers; -1 while nothing waits.
    var output: Int32 = -1
    /// Place of its answers that wait; -1 while none does.
    var answers: Int32 = -1
    /// The client's Receive Maximum, or ours, whichever is lower.
    var window = 0
    var maximumPacketSize = Int.max
    /// The longest packet and the Receive Maximum that hold for the client: what CONNACK said.
    var takes = 0
    var receiveMaximum: UInt16 = 0
    /// Set when either side may use topic aliases.
    var aliases: TopicAliases?
    /// Whether we may use them towards the client.
    var usesAliases = false
    /// Why it is not read; empty while it is.
    var pauses: Pauses = []
    /// Up to when its messages and bytes have used up what its rates allow.
    var messagesPaidUntil = MonotonicTime(nanoseconds: 0)
    var bytesPaidUntil = MonotonicTime(nanoseconds: 0)
    /// 1.5 times the keep alive; zero means none.
    var silenceLimit: Duration = .zero
    var lastPacketAt: MonotonicTime
    /// The front of a packet whose rest has not arrived.
    var partial: [UInt8] = []
    var origin = ConnectionOrigin(peer: "")
    var userName: [UInt8]?
    var peer: String { origin.peer }
}

/// A connection as its owner, the loop, names it; an old name never reaches a new connection in the same place.
package struct ConnectionID: Hashable, Sendable {
    package let index: Int32
    let generation: UInt32
}
