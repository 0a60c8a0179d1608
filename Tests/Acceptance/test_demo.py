"""What `make run` shows, on ports of its own."""
import time


def test_readings_come_within_five_seconds(demo):
    _, local = demo
    started = time.monotonic()
    devices = {"/".join(message.topic.split("/")[:2]) for message in local.received.wait_until(
        lambda entries: [entry for entry in entries if b'"v":' in entry.payload], "a reading", timeout=5)}
    assert devices
    # A simulated P1 meter speaks every few seconds, the others sooner.
    def all_online(entries):
        online = {entry.topic for entry in entries if entry.topic.endswith("/$online") and entry.json["state"] == "online"}
        return len(online) >= 4

    local.received.wait_until(all_online, "the gateway and three devices are online", timeout=15)
    assert time.monotonic() - started < 15


def test_a_relay_is_switched_and_the_answer_says_so(demo):
    _, local = demo
    local.wait_for("demo/relays/relay_1", lambda message: message.json["v"] == "OFF")
    local.publish("demo/relays/relay_1/set", b"ON", qos=0)
    result = local.wait_for("demo/relays/relay_1/result").json
    assert result["ok"] is True and result["value"] == "ON"
    local.wait_for("demo/relays/relay_1", lambda message: message.json["v"] == "ON")


def test_a_retained_command_is_refused(demo):
    _, local = demo
    local.wait_for("demo/relays/$online", lambda message: message.json["state"] == "online")
    local.publish("demo/relays/relay_2/set", b"ON", retain=True)
    result = local.wait_for("demo/relays/relay_2/result").json
    assert result["ok"] is False and result["error"] == "rejected_retained"
    local.publish("demo/relays/relay_2/set", b"", retain=True)
