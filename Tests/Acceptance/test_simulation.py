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
