import Bytes

/// The topic aliases of one connection, a set for each direction; they end with it. [MQTT-3.3.2-7]
///
/// An object, since most connections have none: those pay for a nil.
final class TopicAliases {
    /// What the client may use; it was told so in CONNACK.
    let incomingMaximum: Int
    /// What we may use towards it; the lower of its wish and our limit.
    let outgoingMaximum: Int
    private var incoming: [[UInt8]] = []
    private var outgoing: [[UInt8]] = []
    private var misses = 0

    init(incomingMaximum: Int, outgoingMaximum: Int) {
        self.incomingMaximum = incomingMaximum
        self.outgoingMaximum = outgoingMaximum
    }

    // MARK: from the client

    /// Notes what an alias stands for from now on; a new meaning replaces the old one.
    func define(_ alias: UInt16, as topic: Span<UInt8>) {
        let place = Int(alias) - 1
        while incoming.count <= place { incoming.append([]) }
        incoming[place] = [UInt8](copying: topic)
    }

    /// What the client made the alias stand for, or nil.
    func topic(of alias: UInt16) -> [UInt8]? {
        let place = Int(alias) - 1
        guard place >= 0, place < incoming.count, !incoming[place].isEmpty else { return nil }
        return incoming[place]
    }

    // MARK: to the client

    /// An alias for a PUBLISH that is about to be written, and whether the client knows it already.
    ///
    /// The first topics get one each. When all are given away, one in sixteen of the topics without one takes the
    /// next alias over: topics that come no more don't hold them for ever.
    func alias(for topic: Span<UInt8>) -> (alias: UInt16, isKnown: Bool)? {
        // Alias and property cost three bytes.
        guard outgoingMaximum > 0, topic.count > 3 else { return nil }
        for place in outgoing.indices {
            let known = outgoing[place]
            if known.span.hasSameBytes(as: topic) { return (UInt16(clamping: place + 1), true) }
        }
        if outgoing.count < outgoingMaximum {
            outgoing.append([UInt8](copying: topic))
            return (UInt16(clamping: outgoing.count), false)
        }
        misses += 1
        guard misses.isMultiple(of: 16) else { return nil }
        let place = (misses / 16) % outgoing.count
        outgoing[place] = [UInt8](copying: topic)
        return (UInt16(clamping: place + 1), false)
    }
}
