"""What the broker tells about itself, beside what a real mosquitto tells."""
import json
import subprocess

from peers.waiting import eventually

# In mosquitto's list since 2.1; Debian's is older.
SINCE_2_1 = {"$SYS/broker/connections/socket/count", "$SYS/broker/packet/out/count", "$SYS/broker/packet/out/bytes"}


def topics(port):
    """What `mosquitto_sub -v` shows of $SYS, by topic; retained ones only."""
    shown = subprocess.run(
        ["mosquitto_sub", "-p", str(port), "-t", "$SYS/#", "--retained-only", "-W", "3", "-F", r"%j"],
        capture_output=True, text=True, timeout=60).stdout
    messages = [json.loads(line) for line in shown.splitlines()]
    return {message["topic"]: message["payload"] for message in messages}


def test_every_topic_of_mosquitto_is_there(gateway, mosquitto):
    server = mosquitto()
    # mosquitto publishes what never changed only with its first update.
    eventually(lambda: "$SYS/broker/load/sockets/1min" in topics(server.port), "mosquitto tells its load", timeout=60)
    theirs, ours = topics(server.port), topics(gateway().port)
    own = {topic for topic in theirs if topic.startswith("$SYS/broker/")}
    assert len(own) > 40
    assert own - ours.keys() == set()
    extra = {topic for topic in ours if topic.startswith("$SYS/broker/")} - own
    # A mosquitto that nobody has connected to has no maximum yet.
    assert extra <= SINCE_2_1 | {"$SYS/broker/clients/maximum"}
    assert ours["$SYS/broker/version"].startswith("martlet version ")
    assert ours["$SYS/broker/uptime"].endswith(" seconds")
    assert ours["$SYS/brokers"] == "house"


def test_who_connects_is_told_in_json(gateway, client):
    port = gateway().port
    watcher = client(port)
    watcher.subscribe("$SYS/brokers/+/clients/+/connected")
    client(port, client_id="panel/1")
    body = json.loads(watcher.wait_for("$SYS/brokers/house/clients/panel%2F1/connected").payload)
    assert (body["clientid"], body["ipaddress"], body["sockport"]) == ("panel/1", "127.0.0.1", port)


def test_devices_that_share_a_client_id_are_named_in_the_log(gateway, client):
    house = gateway()
    for _ in range(4):
        client(house.port, client_id="panel")
    house.wait_for_log("'panel' is taken over again and again (3 times)")


def test_the_bridge_tells_whether_it_is_connected(gateway, client, mosquitto):
    server = mosquitto()
    house = gateway(upstream={"central": {"url": f"mqtt://127.0.0.1:{server.port}", "client_id": "house-17",
                                          "out": [{"filter": "house/#"}]}})
    watcher = client(house.port)
    watcher.subscribe("$SYS/broker/connection/+/state", "$SYS/martlet/bridges/#")
    state = "$SYS/broker/connection/house-17/state"
    watcher.wait_for(state, lambda message: message.payload == b"1")
    watcher.wait_for("$SYS/martlet/bridges/house-17/queued")
    server.kill()
    watcher.wait_for(state, lambda message: message.payload == b"0")
