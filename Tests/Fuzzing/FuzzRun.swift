import KnownPackets
import MQTTCodec

/// Feeds seeded inputs to everything that reads bytes of strangers.
///
/// Inputs come in batches, each with a broker of its own; a batch depends on the seed and its number alone, so that
/// any can be had again.
package struct FuzzRun {
    package static let batchSize = 100

    /// Where and how something went wrong.
    package struct Failure: Error {
        package var seed: UInt64
        package var batch: Int
        package var finding: Finding
        package var input: [UInt8]
    }

    package let seed: UInt64
    /// The input that is being tried, for who must tell about a crash.
    package var onInput: ([UInt8]) -> Void = { _ in }
    package private(set) var reach = Reach()
    private var last: [UInt8] = []

    package init(seed: UInt64) { self.seed = seed }

    /// The inputs of a batch are shared out: to the codec a half, to whole brokers a quarter, to the others the rest.
    package mutating func run(batch: Int) throws(Failure) {
        var random = Mutator(seed: seed &+ UInt64(batch) &* 0xA076_1D64_78BD_642F)
        do throws(Finding) {
            var world = try BrokerWorld(seed: UInt64(batch), withUsers: batch % 4 == 3)
            for number in 0..<Self.batchSize {
                switch number % 20 {
                case 0..<9: try codec(&random, cuts: number % 20 == 0)
                case 9..<14: try disturb(&world, &random)
                case 14: try drip(&random)
                case 15..<17: try client(&random)
                case 17: try framing(&random)
                case 18: try device(&random)
                default: try access(&random)
                }
                // Rules come, change and go in every second world.
                if batch % 2 == 1, random.below(5) == 0 { try world.reload(random.below(4)) }
                if number % 50 == 49 { try world.probe() }
            }
            try world.end()
            reach += world.reach
        } catch {
            throw Failure(seed: seed, batch: batch, finding: error, input: last)
        }
    }

    private mutating func note(_ bytes: [UInt8]) {
        last = bytes
        onInput(bytes)
    }

    private mutating func codec(_ random: inout Mutator, cuts: Bool) throws(Finding) {
        let version = Conversation.anyVersion(&random)
        let bytes = Conversation.packet(version, &random)
        note(bytes)
        try CodecCheck.check(bytes, version)
        if cuts { try CodecCheck.checkCuts(bytes, version) }
    }

    private mutating func disturb(_ world: inout BrokerWorld, _ random: inout Mutator) throws(Finding) {
        let choice = random.below(8)
        let portions = random.below(4) == 0 ? 1 + random.below(60) : 1
        if random.below(2) == 0 {
            let version = Conversation.anyVersion(&random)
            let bytes = Conversation.client(version, &random)
            note(bytes)
            try world.visit(bytes, version, in: portions)
        } else {
            let bytes = Conversation.more(world.version(of: choice), &random)
            note(bytes)
            try world.goOn(bytes, choice: choice, in: portions)
        }
        switch random.below(12) {
        case 0: world.lose(choice)
        case 1: try world.pass(.milliseconds(1 + random.below(120_000)))
        default: break
        }
    }

    private mutating func drip(_ random: inout Mutator) throws(Finding) {
        let bytes = Conversation.client(Conversation.anyVersion(&random), &random)
        note(bytes)
        try DripCheck.check(bytes, seed: seed)
    }

    private mutating func client(_ random: inout Mutator) throws(Finding) {
        let version = Conversation.anyVersion(&random)
        let answersFirst = random.below(4) > 0
        let bytes = answersFirst ? Conversation.server(version, &random) : Conversation.packet(version, &random)
        note(bytes)
        try ClientCheck.check(
            bytes, version, portion: random.below(2) == 0 ? 1 : bytes.count, answersFirst: answersFirst)
    }

    private mutating func framing(_ random: inout Mutator) throws(Finding) {
        var bytes = FramingCheck.seeds[random.below(FramingCheck.seeds.count)]
        random.mutate(&bytes, times: random.below(5))
        note(bytes)
        try FramingCheck.check(bytes, portion: 1 + random.below(9))
    }

    private mutating func access(_ random: inout Mutator) throws(Finding) {
        var bytes = AccessCheck.seeds[random.below(AccessCheck.seeds.count)]
        random.mutate(&bytes, times: random.below(5))
        note(bytes)
        try AccessCheck.check(bytes)
    }

    private mutating func device(_ random: inout Mutator) throws(Finding) {
        let sample = DeviceCheck.samples[random.below(DeviceCheck.samples.count)]
        var bytes = sample.bytes
        random.mutate(&bytes, times: random.below(5))
        note(bytes)
        try DeviceCheck.check(sample, bytes + sample.bytes, portion: 1 + random.below(9))
    }
}
