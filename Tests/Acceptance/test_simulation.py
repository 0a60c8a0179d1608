"""Every profile can be tried without its device."""
import json
import pathlib
import re

import pytest

from peers.gateway import martlet
from peers.waiting import free_port

PROFILES = pathlib.Path(__file__).parents[2] / "devices"


def names():
    done = martlet("profile", "list", "--devices", PROFILES)
    assert done.returncode == 0, done.stderr
    return re.findall(r"^[a-z0-9][\w.-]+", done.stdout, re.MULTILINE)


def test_every_shipped_profile_can_be_simulated_by_its_name(gateway, client):
    found = names()
    assert len(found) > 60
    port = free_port()
    gateway(port=port, devices={name: {"profile": name, "port": "simulated"} for name in found})
    panel = client(port)
    panel.subscribe("house/#")
    for name in found:
        panel.wait_for(f"house/{name}/$online", lambda message: b'"online"' in message.payload, timeout=60)
    said = {}
    for message in panel.received.entries:
        parts = message.topic.split("/")
        if len(parts) == 3 and parts[2] != "$online" and message.payload:
            said.setdefault(parts[1], {})[parts[2]] = json.loads(message.payload)
    assert set(found) - set(said) == set()
    bad = [(name, point) for name, points in said.items() for point, reading in points.items() if reading["q"] == "bad"]
    assert bad == []


@pytest.mark.parametrize("profile, relay", [
    ("waveshare-modbus-relay-8", "relay_1"), ("r421a08", "relay_8"), ("modbus-relay-4", "relay_2")])
def test_a_simulated_relay_is_switched_and_read_back(gateway, client, profile, relay):
    port = free_port()
    gateway(port=port, devices={"board": {"profile": profile, "port": "simulated", "poll": "1s"}})
    panel = client(port)
    panel.subscribe("house/#")
    panel.wait_for("house/board/$online", lambda message: b'"online"' in message.payload)
    for word in ("ON", "OFF"):
        panel.publish(f"house/board/{relay}/set", word.encode(), qos=1)
        answer = panel.wait_for(f"house/board/{relay}/result", lambda message: word.encode() in message.payload)
        assert json.loads(answer.payload)["ok"] is True, answer.payload


def test_what_devices_answer_is_counted(gateway, client):
    port = free_port()
    gateway(port=port, devices={
        "meter": {"profile": "eastron-sdm120", "port": "simulated", "poll": "500ms"},
        "p1": {"profile": "dsmr-p1", "port": "simulated"}, "co2": {"profile": "winsen-mh-z19b", "port": "simulated"},
    }, broker={"listen": [{"address": "127.0.0.1", "port": port}], "sys_interval": "1s"})
    panel = client(port)
    panel.subscribe("$SYS/martlet/devices/#", "$SYS/martlet/ports/#")

    def above(least):
        return lambda message: message.payload and float(message.payload) > least

    devices = "$SYS/martlet/devices"
    polls = panel.wait_for(f"{devices}/meter/polls", above(10), timeout=30)
    answers = panel.wait_for(f"{devices}/meter/answers", above(10), timeout=30)
    assert int(polls.payload) - int(answers.payload) <= 1
    # The simulated meter thinks for 25 ms.
    assert 25 <= float(panel.wait_for(f"{devices}/meter/response_ms/p50", above(0)).payload) < 500
    assert 0 < int(panel.wait_for("$SYS/martlet/ports/simulated-meter/load", above(0)).payload) <= 100
    panel.wait_for(f"{devices}/p1/messages", above(2))
    panel.wait_for(f"{devices}/co2/answers", above(0), timeout=30)
    for device in ("meter", "p1", "co2"):
        assert panel.on(f"{devices}/{device}/garbled")[-1].payload == b"0"
