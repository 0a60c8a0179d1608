"""What `make run` shows, on ports of its own."""
import subprocess
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


def test_the_two_commands_that_make_run_prints_do_what_it_says(demo):
    gateway, local = demo
    readings = subprocess.run(
        ["mosquitto_sub", "-p", str(gateway.port), "-v", "-t", "#", "-C", "30", "-W", "5"],
        capture_output=True, text=True, timeout=20)
    assert readings.returncode == 0, "not thirty messages within five seconds"
    assert any(line.startswith("demo/meter/voltage {\"v\":") for line in readings.stdout.splitlines()), readings.stdout

    subprocess.run(
        ["mosquitto_pub", "-p", str(gateway.port), "-t", "demo/relays/relay_1/set", "-m", "ON"], check=True, timeout=10)
    assert local.wait_for("demo/relays/relay_1/result").json["ok"] is True
