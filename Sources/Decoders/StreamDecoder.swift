/// The protocols that a profile only has to name; the raw value is the word its `decoder:` takes.
package enum StreamDecoderKind: String, CaseIterable, Sendable {
    /// Smart meters of the Netherlands, Belgium, Luxembourg and others: DSMR 2.2 to 5, ESMR, e-MUCS.
    case dsmrP1 = "dsmr-p1"
    /// Battery monitors, solar chargers and inverters of Victron Energy.
    case veDirect = "ve-direct"
    /// Satellite receivers.
    case nmea0183 = "nmea-0183"
    /// Smart meters of Germany, at their optical head: Smart Message Language.
    case sml
    /// Meters that are read out at their optical head, or push: IEC 62056-21, modes A to D.
    case iec62056 = "iec-62056-21"
    /// Battery management systems of JK, on their UART or RS-485 port.
    case jkBMS = "jk-bms"

    /// Whether its values have OBIS codes; others have names.
    package var hasOBISCodes: Bool {
        switch self {
        case .dsmrP1, .sml, .iec62056: true
        case .veDirect, .nmea0183, .jkBMS: false
        }
    }
}

/// How the bytes of a device are read: a protocol that we know, or one that its profile describes.
package enum StreamFormat: Equatable, Sendable {
    case known(StreamDecoderKind)
    case lines(TextLineFormat)
    case frames([FrameFormat])

    /// What it is called where people read.
    package var name: String {
        switch self {
        case .known(let kind): kind.rawValue
        case .lines: "lines of text"
        case .frames: "frames"
        }
    }
}

/// Turns the bytes of a device into what it said: bytes in, messages out, no IO.
///
/// One decoder per opened port: when the port is lost, throw it away and make a new one, so that the halves of two
/// messages never meet.
package enum StreamDecoder: Sendable {
    case dsmrP1(DSMRDecoder)
    case veDirect(VEDirectDecoder)
    case nmea(NMEADecoder)
    case sml(SMLDecoder)
    case iec(IECDecoder)
    case jk(JKDecoder)
    case lines(TextLineDecoder)
    case frames(FrameDecoder)

    /// `openedAt` is when somebody began to listen, perhaps in the middle of a message; nil where it can't be.
    package init(
        _ format: StreamFormat, longestPause: Duration? = nil, openedAt: ContinuousClock.Instant? = nil
    ) {
        switch format {
        case .known(.dsmrP1): self = .dsmrP1(DSMRDecoder())
        case .known(.veDirect):
            self = .veDirect(VEDirectDecoder(longestPause: longestPause ?? .milliseconds(500)))
        case .known(.nmea0183):
            self = .nmea(NMEADecoder(longestPause: longestPause ?? .seconds(5)))
        case .known(.sml): self = .sml(SMLDecoder(longestPause: longestPause ?? .seconds(1)))
        case .known(.iec62056): self = .iec(IECDecoder(longestPause: longestPause ?? .seconds(4)))
        case .known(.jkBMS): self = .jk(JKDecoder(longestPause: longestPause ?? .milliseconds(500)))
        case .lines(let format):
            self = .lines(TextLineDecoder(format, longestPause: longestPause ?? .seconds(2), openedAt: openedAt))
        case .frames(let formats):
            self = .frames(FrameDecoder(formats, longestPause: longestPause ?? .milliseconds(500)))
        }
    }

    package init(_ kind: StreamDecoderKind) {
        self.init(.known(kind))
    }

    /// Takes what the port delivered and returns what it completed, in order; an empty list means "need more".
    package mutating func received(_ bytes: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        // Consumed, so that the decoder's buffer has one owner and grows in place.
        switch consume self {
        case .dsmrP1(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .dsmrP1(decoder)
            return events
        case .veDirect(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .veDirect(decoder)
            return events
        case .nmea(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .nmea(decoder)
            return events
        case .sml(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .sml(decoder)
            return events
        case .iec(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .iec(decoder)
            return events
        case .jk(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .jk(decoder)
            return events
        case .lines(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .lines(decoder)
            return events
        case .frames(var decoder):
            let events = decoder.received(bytes, at: now)
            self = .frames(decoder)
            return events
        }
    }

    /// Gives up what was begun: nothing came for too long, and what comes next is a beginning.
    package mutating func fellSilent() -> [StreamEvent] {
        switch consume self {
        case .dsmrP1(var decoder):
            let events = decoder.fellSilent()
            self = .dsmrP1(decoder)
            return events
        case .veDirect(var decoder):
            let events = decoder.fellSilent()
            self = .veDirect(decoder)
            return events
        case .nmea(var decoder):
            let events = decoder.fellSilent()
            self = .nmea(decoder)
            return events
        case .sml(var decoder):
            let events = decoder.fellSilent()
            self = .sml(decoder)
            return events
        case .iec(var decoder):
            let events = decoder.fellSilent()
            self = .iec(decoder)
            return events
        case .jk(var decoder):
            let events = decoder.fellSilent()
            self = .jk(decoder)
            return events
        case .lines(var decoder):
            let events = decoder.fellSilent()
            self = .lines(decoder)
            return events
        case .frames(var decoder):
            let events = decoder.fellSilent()
            self = .frames(decoder)
            return events
        }
    }

    /// What was skipped and not told yet; other skipped bytes are told with the next message.
    package mutating func takeSkipped() -> SkippedBytes? {
        switch consume self {
        case .dsmrP1(var decoder):
            let skipped = decoder.takeSkipped()
            self = .dsmrP1(decoder)
            return skipped
        case .veDirect(var decoder):
            let skipped = decoder.takeSkipped()
            self = .veDirect(decoder)
            return skipped
        case .nmea(var decoder):
            let skipped = decoder.takeSkipped()
            self = .nmea(decoder)
            return skipped
        case .sml(var decoder):
            let skipped = decoder.takeSkipped()
            self = .sml(decoder)
            return skipped
        case .iec(var decoder):
            let skipped = decoder.takeSkipped()
            self = .iec(decoder)
            return skipped
        case .jk(var decoder):
            let skipped = decoder.takeSkipped()
            self = .jk(decoder)
            return skipped
        case .lines(var decoder):
            let skipped = decoder.takeSkipped()
            self = .lines(decoder)
            return skipped
        case .frames(var decoder):
            let skipped = decoder.takeSkipped()
            self = .frames(decoder)
            return skipped
        }
    }
}
