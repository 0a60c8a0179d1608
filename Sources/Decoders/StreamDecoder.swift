/// The protocols of devices that speak unasked; the raw value is the word a profile's `decoder:` takes.
package enum StreamDecoderKind: String, CaseIterable, Sendable {
    /// Smart meters of the Netherlands, Belgium, Luxembourg and others: DSMR 2.2 to 5, ESMR, e-MUCS.
    case dsmrP1 = "dsmr-p1"
}

/// Turns the bytes of a device that speaks unasked into what it said: bytes in, telegrams out, no IO.
///
/// One decoder per opened port: when the port is lost, throw it away and make a new one, so that the halves of two
/// telegrams never meet.
package enum StreamDecoder: Sendable {
    case dsmrP1(DSMRDecoder)

    package init(_ kind: StreamDecoderKind) {
        switch kind {
        case .dsmrP1: self = .dsmrP1(DSMRDecoder())
        }
    }

    /// Takes what the port delivered and returns what it completed, in order; an empty list means "need more".
    package mutating func received(_ bytes: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        // Consumed, so that the decoder's buffer has one owner and grows in place.
        switch consume self {
        case .dsmrP1(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .dsmrP1(decoder)
            return events
        }
    }
}
