"""Links to several servers, each by itself, and what a reload does to them."""
import json

import pytest

from peers.gateway import martlet
from peers.waiting import free_port


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


def test_what_a_reload_can_not_apply_is_named(bridged):
    port = free_port()
    house = bridged(first=upstream(port))
    answer = house.reload(first=upstream(port, buffer={"max_messages": 7}))
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
