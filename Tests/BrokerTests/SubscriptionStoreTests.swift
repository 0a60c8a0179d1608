import KnownPackets
import MQTTCodec
import Testing

@testable import Broker

struct SubscriptionStoreTests {
    /// Few names, so that filters meet; some longer than a word, some that only differ behind it.
    private static let names = [
        "a", "b", "", "$s", "boiler", "temperature", "temperatures", "temperaturf", "a-name-of-sixteen",
    ]

    private static func topic(_ random: inout Mutator, wildcards: Bool) -> String {
        var levels: [String] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            levels.append(names.randomElement(using: &random) ?? "a")
            if wildcards, Int.random(in: 0..<4, using: &random) == 0 { levels[levels.count - 1] = "+" }
        }
        if wildcards, Int.random(in: 0..<5, using: &random) == 0 { levels.append("#") }
        return levels.joined(separator: "/")
    }

    @Test(arguments: 1...8)
    func `the tree finds who each filter's own comparison finds, while filters come and go`(seed: UInt64) {
        var random = Mutator(seed: seed)
        var store = SubscriptionStore(seed: seed)
        var known: [SessionIndex: String] = [:]
        for _ in 0..<600 {
            // One filter for each session: so each recipient shows which filter was found.
            let session = SessionIndex.random(in: 0..<60, using: &random)
            if known[session] != nil, Bool.random(using: &random) {
                store.removeAll(of: session)
                known[session] = nil
            } else if known[session] == nil {
                let filter = Self.topic(&random, wildcards: true)
                let bytes = Array(filter.utf8)
                let recipient = Recipient(
                    session: session, qos: .atMostOnce, noLocal: false, retainAsPublished: false, identifier: 0)
                let isNew = store.subscribe(recipient, to: bytes.span)
                #expect(isNew)
                known[session] = filter
            }
            compare(&store, known, Self.topic(&random, wildcards: false))
        }
        for session in known.keys { store.removeAll(of: session) }
        #expect(store.filterCount == 0)
        compare(&store, [:], "a/b")
    }

    private func compare(_ store: inout SubscriptionStore, _ known: [SessionIndex: String], _ name: String) {
        guard !name.isEmpty else { return }
        let bytes = Array(name.utf8)
        let expected = known.filter { Topic.matches(filter: Array($0.value.utf8), name: bytes) }
        // The first answer is not kept, the second is, the third is the kept one.
        for _ in 0..<3 {
            let range = store.match(bytes.span)
            let found = range.map { store.recipient(at: $0).session }
            #expect(found.sorted() == expected.keys.sorted(), "who gets \(name)")
        }
    }
}
