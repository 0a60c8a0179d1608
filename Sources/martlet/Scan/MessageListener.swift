import Decoders
import Profiles

/// Looks for the messages of devices that speak by themselves in what is heard, by every profile that they could be.
struct MessageListener {
    /// What a profile made of what was heard.
    struct Sighting {
        var messages = 0
        var points: Set<String> = []
        var implausible: Set<String> = []
    }

    private struct Reader {
        var decoder: StreamDecoder
        var profiles: [Profile]
        var format: StreamFormat
    }

    private var readers: [Reader] = []
    private(set) var sightings: [String: Sighting] = [:]
    private let profiles: [Profile]

    init(_ profiles: [Profile], at now: ContinuousClock.Instant) {
        self.profiles = profiles
        for profile in profiles {
            guard case .serial(let bus) = profile.bus else { continue }
            if let known = readers.firstIndex(where: { $0.format == bus.decoder }) {
                readers[known].profiles.append(profile)
                continue
            }
            let decoder = StreamDecoder(bus.decoder, longestPause: bus.longestPause, openedAt: now)
            readers.append(Reader(decoder: decoder, profiles: [profile], format: bus.decoder))
        }
    }

    mutating func received(_ bytes: [UInt8], at now: ContinuousClock.Instant) {
        for index in readers.indices {
            for event in readers[index].decoder.received(bytes.span, at: now) { saw(event, readers[index].profiles) }
        }
    }

    private mutating func saw(_ event: StreamEvent, _ profiles: [Profile]) {
        for profile in profiles {
            let values = profile.values(in: event)
            guard !values.isEmpty else { continue }
            var sighting = sightings[profile.name] ?? Sighting()
            sighting.messages += 1
            for value in values {
                sighting.points.insert(value.point)
                if profile.point(value.point)?.isPlausible(value.value) == false {
                    sighting.implausible.insert(value.point)
                }
            }
            sightings[profile.name] = sighting
        }
    }

    /// What it could be, the likeliest first: the one whose values fit, and that explains most.
    var candidates: [ScanCandidate] {
        profiles.compactMap { profile in
            sightings[profile.name].map {
                ScanCandidate(profile: profile, fitting: $0.points.count - $0.implausible.count, read: $0.points.count)
            }
        }.filter { $0.fitting > 0 }.sorted()
    }
}

/// A profile that a device could have.
struct ScanCandidate {
    var profile: Profile
    /// How many values came, and how many of them can be true.
    var fitting: Int
    var read: Int
}

extension ScanCandidate: Comparable {
    private var share: Double { Double(fitting) / Double(max(1, read)) }

    /// The likelier one first.
    static func < (one: Self, other: Self) -> Bool {
        (one.share, one.fitting) == (other.share, other.fitting)
            ? one.profile.name < other.profile.name : (one.share, one.fitting) > (other.share, other.fitting)
    }

    static func == (one: Self, other: Self) -> Bool { one.profile.name == other.profile.name && one.read == other.read }
}

extension ScanCandidate: CustomStringConvertible {
    /// "eastron-sdm630 (40 of 40 values fit)".
    var description: String { "\(profile.name) (\(fitting) of \(read) values fit)" }
}
