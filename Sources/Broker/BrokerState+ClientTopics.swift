import Bytes
import MQTTCodec
import Readings

/// `$SYS/brokers/<node>/clients/<id>/…`: who comes, goes and subscribes, in EMQX's words.
///
/// The text is made only if somebody subscribed to it: a storm of connections must not pay for it.
extension BrokerState {
    private static let root = Array("$SYS".utf8)

    mutating func tellConnected(_ index: Int, _ connect: Connect) {
        guard let topic = wantedTopic("connected", of: index) else { return }
        let time = host.wallClock().milliseconds
        var body = about(index, connections[index].session, time)
        add(connectionOf: index, to: &body)
        body.add("connected_at", time)
        body.add("keepalive", connect.keepAlive)
        body.add("clean_start", literal: connect.cleanStart ? "true" : "false")
        body.add("expiry_interval", sessions[Int(connections[index].session)].expiry)
        body.add("connack", 0)
        system.messages.append(SystemState.Message(topic: topic, payload: body.bytes))
    }

    /// Called while the connection still has its session.
    mutating func tellDisconnected(_ index: Int, _ session: SessionIndex, _ why: String) {
        guard let topic = wantedTopic("disconnected", of: index, session) else { return }
        let time = host.wallClock().milliseconds
        var body = about(index, session, time)
        add(connectionOf: index, to: &body)
        body.add("disconnected_at", time)
        body.add("reason", why)
        system.messages.append(SystemState.Message(topic: topic, payload: body.bytes))
    }

    mutating func tellSubscribed(_ index: Int, _ request: Subscribe.Request) {
        guard let topic = wantedTopic("subscribed", of: index) else { return }
        var body = about(index, connections[index].session, host.wallClock().milliseconds)
        body.add("protocol", "mqtt")
        body.add("topic", String(decoding: request.filter, as: UTF8.self))
        var options = JSONObject()
        options.add("qos", request.qos.rawValue)
        options.add("nl", request.noLocal ? 1 : 0)
        options.add("rap", request.retainAsPublished ? 1 : 0)
        options.add("rh", request.retainHandling.rawValue)
        body.add("subopts", literal: String(decoding: options.bytes, as: UTF8.self))
        system.messages.append(SystemState.Message(topic: topic, payload: body.bytes))
    }

    mutating func tellUnsubscribed(_ index: Int, _ filter: [UInt8]) {
        guard let topic = wantedTopic("unsubscribed", of: index) else { return }
        var body = about(index, connections[index].session, host.wallClock().milliseconds)
        body.add("protocol", "mqtt")
        body.add("topic", String(decoding: filter, as: UTF8.self))
        system.messages.append(SystemState.Message(topic: topic, payload: body.bytes))
    }

    /// The topic of an event of an external client, or nil when nobody subscribed to it.
    private mutating func wantedTopic(_ event: String, of index: Int, _ known: SessionIndex? = nil) -> [UInt8]? {
        guard limits.sysInterval > .zero, !connections[index].isInternal else { return nil }
        guard subscriptions.hasFilters(below: Self.root.span) else { return nil }
        let client = Self.level(sessions[Int(known ?? connections[index].session)].clientID)
        let topic = Array("$SYS/brokers/\(host.node)/clients/".utf8) + client + Array("/\(event)".utf8)
        return subscriptions.match(topic.span).isEmpty ? nil : topic
    }

    /// What all bodies begin with.
    private func about(_ index: Int, _ session: SessionIndex, _ time: Int64) -> JSONObject {
        var body = JSONObject()
        body.add("clientid", String(decoding: sessions[Int(session)].clientID, as: UTF8.self))
        // EMQX's word for none.
        body.add("username", connections[index].userName.map { String(decoding: $0, as: UTF8.self) } ?? "undefined")
        body.add("ts", time)
        return body
    }

    private func add(connectionOf index: Int, to body: inout JSONObject) {
        let connection = connections[index]
        body.add("ipaddress", connection.origin.address)
        body.add("sockport", connection.origin.listener.split(separator: ":").last.flatMap { Int($0) } ?? 0)
        body.add("protocol", "mqtt")
        body.add("proto_name", "MQTT")
        body.add("proto_ver", connection.version.rawValue)
    }
}
