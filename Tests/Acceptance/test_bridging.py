"""Links to several servers, each by itself, and what a reload does to them."""
import json

import pytest

from peers.gateway import martlet
from peers.scripted import Scripted
from peers.waiting import eventually, free_port


def upstream(port, **more):
    return {"url": f"mqtt://127.0.0.1:{port}", "out": [{"filter": "plant/#"}], **more}


class Bridged:
    """A gateway with a Unix socket whose upstreams are rewritten, and a client of it."""

    def __init__(self, gateway, client, folder, **upstreams):
        port = free_port()
        self.socket = folder / "m.sock"
        listen = [{"address": "127.0.0.1", "port": port}, {"unix": str(self.socket)}]
        self.gateway = gateway("house", port=port, broker={"listen": listen}, upstream=upstreams)
        self.file = folder / "house.yaml"
        self.local = client(port, client_id="panel")

    def reload(self, **upstreams):
        text = json.loads(self.file.read_text())
        text["upstream"] = upstreams
        self.file.write_text(json.dumps(text))
        answer = martlet("reload", "--unix", self.socket)
        assert answer.returncode == 0, answer.stdout
        return answer.stdout


@pytest.fixture
def far(gateway, client):
    """Starts a server and a client of it that sees everything: `far(name)`."""
    def start(name):
        server = gateway(name)
        watcher = client(server.port, client_id="watcher")
        watcher.subscribe("#")
        return server.port, watcher

    return start


@pytest.fixture
def bridged(gateway, client, tmp_path):
    return lambda **upstreams: Bridged(gateway, client, tmp_path, **upstreams)


def test_each_server_gets_what_its_own_lines_say(far, bridged):
    (a, at_a), (b, at_b) = far("far-a"), far("far-b")
    house = bridged(first=upstream(a), second=upstream(b, out=[{"filter": "plant/+/power", "to": "power/{topic:1}"}]))
    house.gateway.wait_for_log("first: connected").wait_for_log("second: connected")
    house.local.publish("plant/pump/power", b"7", qos=1)
    house.local.publish("plant/pump/state", b"on", qos=1)
    at_a.wait_for("plant/pump/power")
    at_a.wait_for("plant/pump/state")
    at_b.wait_for("power/pump")
    house.local.publish("plant/end/power", b"", qos=1)
    at_b.wait_for("power/end")
    assert [message.topic for message in at_b.received.entries if message.topic.startswith("p")] == ["power/pump", "power/end"]


def test_a_server_that_is_away_keeps_nobody_from_the_other(far, bridged):
    a, at_a = far("far-a")
    house = bridged(dead=upstream(free_port()), first=upstream(a))
    house.gateway.wait_for_log("dead: 127.0.0.1")
    house.local.publish("plant/x", b"1", qos=1)
    at_a.wait_for("plant/x")


def test_a_reload_changes_one_link_and_leaves_the_others_connected(far, bridged):
    (a, at_a), (b, at_b) = far("far-a"), far("far-b")
    house = bridged(first=upstream(a))
    house.gateway.wait_for_log("first: connected")
    # A new one comes.
    house.reload(first=upstream(a), second=upstream(b))
    house.gateway.wait_for_log("second: connected")
    house.local.publish("plant/1", b"1", qos=1)
    at_a.wait_for("plant/1")
    at_b.wait_for("plant/1")
    # Its lines change, on the same connection.
    house.reload(first=upstream(a), second=upstream(b, out=[{"filter": "plant/#", "to": "new/{topic}"}]))
    house.local.publish("plant/2", b"2", qos=1)
    at_b.wait_for("new/plant/2")
    # Its client id changes: it connects again.
    house.reload(first=upstream(a), second=upstream(b, client_id="other"))
    house.local.publish("plant/3", b"3", qos=1)
    at_b.wait_for("plant/3")
    # It goes.
    house.reload(first=upstream(a))
    house.local.publish("plant/4", b"4", qos=1)
    at_a.wait_for("plant/4")
    assert "plant/4" not in [message.topic for message in at_b.received.entries]
    assert house.gateway.log.count("first: connected") == 1, "the first link was left alone"


def test_what_waits_for_a_server_is_not_lost_when_its_address_changes(far, bridged):
    b, at_b = far("far-b")
    house = bridged(first=upstream(free_port()))
    house.gateway.wait_for_log("first: 127.0.0.1")
    for number in range(20):
        house.local.publish(f"plant/{number}", b"x", qos=1)
    house.reload(first=upstream(b))
    for number in range(20):
        at_b.wait_for(f"plant/{number}")


def test_what_a_reload_can_not_apply_is_named(bridged, tmp_path):
    port = free_port()
    house = bridged(first=upstream(port))
    assert "restart" not in house.reload(first=upstream(port, buffer={"max_messages": 7}))
    answer = house.reload(first=upstream(port, buffer={"path": str(tmp_path / "elsewhere")}))
    assert "applied at the next restart: upstream.first.buffer" in answer


# With `both` a message goes round in both directions.
@pytest.mark.parametrize(("way", "rounds"), [("out", 1), ("in", 1), ("both", 2)])
def test_a_ring_of_three_ends_after_one_round(gateway, client, way, rounds):
    ports = [free_port() for _ in range(3)]
    for number, port in enumerate(ports):
        gateway(f"house-{number}", port=port, upstream={"next": {
            "url": f"mqtt://127.0.0.1:{ports[(number + 1) % 3]}", way: [{"filter": "plant/#"}]}})
    watchers = [client(port) for port in ports]
    for number, watcher in enumerate(watchers):
        watcher.subscribe("#", "$SYS/broker/connection/+/state")
        watcher.wait_for(f"$SYS/broker/connection/house-{number}/state", lambda message: message.payload == b"1")
    publisher = client(ports[0])
    for number in range(10):
        publisher.publish(f"plant/{number}", b"x")
    publisher.publish("plant/last", b"x")
    for watcher in watchers[1:]:
        watcher.wait_for("plant/last")
    watchers[0].received.wait_until(
        lambda entries: [entry.topic for entry in entries].count("plant/last") == 1 + rounds, "the round is complete")
    # Time for a second round: what it would take is as long as the first.
    publisher.publish("plant/later", b"x")
    watchers[0].received.wait_until(
        lambda entries: [entry.topic for entry in entries].count("plant/later") == 1 + rounds, "another round is complete")
    for number in range(10):
        seen = [len(watcher.on(f"plant/{number}")) for watcher in watchers]
        assert seen == [1 + rounds, rounds, rounds], seen


# 3.1.1 can't say where a message was: the gateways see only that the same one comes again and again.
@pytest.mark.parametrize("way", ["out", "in", "both"])
def test_a_ring_of_three_over_3_1_1_comes_to_rest(gateway, client, way):
    ports = [free_port() for _ in range(3)]
    houses = [gateway(f"house-{number}", port=port, upstream={"next": {
        "url": f"mqtt://127.0.0.1:{ports[(number + 1) % 3]}", "version": "3.1.1", way: [{"filter": "plant/#"}]}})
        for number, port in enumerate(ports)]
    watchers = [client(port) for port in ports]
    for number, watcher in enumerate(watchers):
        watcher.subscribe("plant/#", "$SYS/broker/connection/+/state", "$SYS/martlet/bridges/+/circled")
        watcher.wait_for(f"$SYS/broker/connection/house-{number}/state", lambda message: message.payload == b"1")
    publisher = client(ports[0])
    for number in range(20):
        publisher.publish(f"plant/{number}", b"x")
    # With `both` one goes round in each direction.
    copies = 20 * (2 if way == "both" else 1)

    def circled():
        return sum(max([0, *(int(entry.payload) for entry in watcher.received.entries if entry.topic.endswith("/circled"))])
                   for watcher in watchers)

    eventually(lambda: circled() >= copies, f"{copies} were dropped", timeout=60)
    assert circled() == copies
    assert any("came round in a circle" in house.log for house in houses)
    for watcher in watchers:
        assert len(watcher.on("plant/1")) <= 33 * copies / 20, len(watcher.on("plant/1"))


def through(server, client, **upstream):
    """What an upstream entry needs, and a client that sees what arrives at the server."""
    watcher = client(server.plain_port)
    watcher.subscribe("plant/#")
    return watcher, {"out": [{"filter": "plant/#"}], "in": [{"filter": "down/#"}], **upstream}


def goes_up_and_down(house, watcher, client):
    local = client(house.port)
    local.subscribe("down/#")
    local.publish("plant/x", b"x" * 70_000)
    assert watcher.wait_for("plant/x").payload == b"x" * 70_000
    watcher.publish("down/x", b"y" * 70_000)
    assert local.wait_for("down/x").payload == b"y" * 70_000


def test_mosquitto_over_a_websocket(gateway, client, mosquitto):
    server = mosquitto(websocket=True)
    watcher, lines = through(server, client, url=f"ws://127.0.0.1:{server.websocket_port}/mqtt")
    house = gateway(upstream={"central": lines})
    house.wait_for_log("central: connected")
    goes_up_and_down(house, watcher, client)


def test_mosquitto_over_a_secure_websocket(gateway, client, mosquitto, authority):
    server = mosquitto(tls=authority, websocket=True)
    watcher, lines = through(
        server, client, url=f"wss://localhost:{server.websocket_port}/mqtt",
        tls={"ca": str(authority.ca), "alpn": "http/1.1"})
    house = gateway(upstream={"central": lines})
    house.wait_for_log("central: connected")
    goes_up_and_down(house, watcher, client)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_mosquitto_in_the_version_that_is_asked_for(gateway, client, mosquitto, version):
    server = mosquitto()
    watcher, lines = through(server, client, url=f"mqtt://127.0.0.1:{server.port}", version=version)
    lines["in"].append({"filter": "plant/#"})
    house = gateway(upstream={"central": lines})
    house.wait_for_log("central: connected")
    goes_up_and_down(house, watcher, client)
    # What went out does not come back: by No Local, or by the bridge bit, which mosquitto knows.
    local = client(house.port)
    local.subscribe("plant/#")
    local.publish("plant/1")
    watcher.publish("plant/2")
    local.wait_for("plant/2")
    assert len(local.on("plant/1")) == 1
    log = (server.folder / "mosquitto.log").read_text()
    assert f" as house (p{'5' if version == '5' else '2'}, " in log


def test_the_next_address_is_tried_at_once(gateway, client, mosquitto):
    server = mosquitto()
    watcher, lines = through(
        server, client, url=[f"mqtt://127.0.0.1:{free_port()}", f"mqtt://127.0.0.1:{server.port}"])
    house = gateway(upstream={"central": lines})
    house.wait_for_log("central: connected")
    goes_up_and_down(house, watcher, client)


def test_two_gateways_with_one_client_id_are_told_so(gateway, client):
    # mosquitto 2.0 closes without a word, as with 3.1.1.
    server = gateway("far")
    lines = {"central": {"url": f"mqtt://127.0.0.1:{server.port}", "client_id": "twin", "out": [{"filter": "plant/#"}]}}
    first = gateway("first", upstream=lines)
    first.wait_for_log("central: connected")
    gateway("second", upstream=lines).wait_for_log("central: connected")
    first.wait_for_log("another client came with our client id 'twin', and the server threw this one out")
    watcher = client(first.port)
    watcher.subscribe("$SYS/martlet/bridges/+/problem")
    watcher.wait_for("$SYS/martlet/bridges/twin/problem", lambda message: b"client id 'twin'" in message.payload)


def test_two_gateways_with_one_client_id_are_told_so_in_3_1_1_too(gateway, mosquitto):
    server = mosquitto()
    lines = {"central": {"url": f"mqtt://127.0.0.1:{server.port}", "client_id": "twin", "version": "3.1.1",
                         "out": [{"filter": "plant/#"}]}}
    first = gateway("first", upstream=lines)
    gateway("second", upstream=lines)
    eventually(lambda: "does another client have our client id 'twin'?" in first.log, "the log says so", timeout=60)


def scripted(started, gateway, client, **keywords):
    server = started(Scripted(**keywords))
    house = gateway(upstream={"central": {
        "url": f"mqtt://127.0.0.1:{server.port}", "out": [{"filter": "plant/#", "qos": "keep"}]}})
    house.wait_for_log("central: connected")
    return server, house, client(house.port)


def test_the_limits_of_the_server_are_kept_and_told(started, gateway, client):
    # Receive Maximum 1, Maximum QoS 1, Retain Available 0, Maximum Packet Size 200, Topic Alias Maximum 5.
    limits = b"\x21\0\x01" b"\x24\x01" b"\x25\0" b"\x27\0\0\0\xc8" b"\x22\0\x05"
    server, house, local = scripted(started, gateway, client, limits=limits)
    house.wait_for_log("the server takes QoS 1 at most, keeps no retained messages, takes 200 bytes at most")
    local.subscribe("$SYS/martlet/bridges/house/+")
    local.publish("plant/large", b"x" * 300)
    for number in range(30):
        local.publish("plant/same", b"%d" % number, qos=2, retain=True)
    local.publish("plant/last")
    server.messages.wait_for(lambda message: message[0] == "plant/last", "the last message", timeout=20)
    messages = server.messages.entries
    assert [topic for topic, *_ in messages] == ["plant/same"] * 30 + ["plant/last"]
    assert {(qos, retain, unanswered) for _, _, qos, retain, unanswered in messages} == {(1, False, 1)}
    local.wait_for("$SYS/martlet/bridges/house/rejected", lambda message: b" plant/large: " in message.payload)
    for name in ("qos_lowered", "retain_removed"):
        local.wait_for(f"$SYS/martlet/bridges/house/{name}", lambda message: message.payload == b"30", timeout=30)


def test_a_message_that_the_server_refuses_is_told_and_not_sent_again(started, gateway, client):
    server, house, local = scripted(
        started, gateway, client, answer=lambda topic, qos: 0x99 if topic == "plant/bad" else 0)
    local.subscribe("$SYS/martlet/bridges/house/rejected")
    for topic in ("plant/1", "plant/bad", "plant/2"):
        local.publish(topic)
    server.messages.wait_for(lambda message: message[0] == "plant/2", "the last message")
    local.wait_for(
        "$SYS/martlet/bridges/house/rejected", lambda message: b" plant/bad: payload format invalid" in message.payload)
    assert [topic for topic, *_ in server.messages.entries].count("plant/bad") == 1


def test_a_message_that_the_server_hangs_up_on_does_not_hold_up_the_others(started, gateway, client):
    server, house, local = scripted(
        started, gateway, client, answer=lambda topic, qos: None if topic == "plant/bad" else 0)
    local.subscribe("$SYS/martlet/bridges/house/rejected")
    for topic in ("plant/1", "plant/bad", "plant/2", "plant/3"):
        local.publish(topic)
    local.wait_for("$SYS/martlet/bridges/house/rejected", lambda message: b" plant/bad: " in message.payload, timeout=120)
    local.publish("plant/4")
    server.messages.wait_for(lambda message: message[0] == "plant/4", "what comes after it", timeout=60)
    assert {topic for topic, *_ in server.messages.entries} == {
        "plant/1", "plant/bad", "plant/2", "plant/3", "plant/4"}


def test_a_message_that_the_server_hangs_up_on_is_kept_while_it_is_alone_and_the_link_stands(started, gateway, client):
    server, house, local = scripted(
        started, gateway, client, answer=lambda topic, qos: None if topic == "plant/bad" else 0)
    local.subscribe("$SYS/martlet/bridges/house/rejected", "$SYS/martlet/bridges/house/held_back")
    local.publish("plant/bad")
    words = "the server hangs up at the message to 'plant/bad'"
    eventually(lambda: words in house.log, "it is held back", timeout=120)
    count = len(server.connections.entries)
    local.wait_for("$SYS/martlet/bridges/house/held_back", lambda message: message.payload == b"1", timeout=30)
    assert len(server.connections.entries) == count, "the link stands"
    # Another one tells whether it is the message or the server.
    local.publish("plant/good")
    server.messages.wait_for(lambda message: message[0] == "plant/good", "what comes after it", timeout=60)
    local.wait_for(
        "$SYS/martlet/bridges/house/rejected", lambda message: b" plant/bad: impl" in message.payload, timeout=60)
    local.wait_for("$SYS/martlet/bridges/house/held_back", lambda message: message.payload == b"0", timeout=30)
