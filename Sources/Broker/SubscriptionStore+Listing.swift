import Bytes
import MQTTCodec

extension SubscriptionStore {
    /// All of a session, each with the filter as it was asked for.
    func all(of session: SessionIndex) -> [(filter: [UInt8], recipient: Recipient)] {
        guard Int(session) < heads.count else { return [] }
        var found: [(filter: [UInt8], recipient: Recipient)] = []
        var index = heads[Int(session)]
        while index != TopicTree.none {
            var filter: [UInt8] = []
            tree.appendTopic(of: links[Int(index)].node, to: &filter)
            found.append((filter, subscriptions[Int(index)].recipient))
            index = links[Int(index)].nextOfSession
        }
        for place in sharesOfSession[session] ?? [] {
            for member in groups[place].members where member.session == session {
                var filter = Array((groups[place].name.isEmpty ? "$queue/" : "$share/").utf8)
                if !groups[place].name.isEmpty { filter += groups[place].name + [Topic.separator] }
                found.append((filter + self.filter(of: place), member))
            }
        }
        return found
    }

    func filter(of place: Int) -> [UInt8] {
        var filter: [UInt8] = []
        tree.appendTopic(of: groups[place].node, to: &filter)
        return filter
    }
}
