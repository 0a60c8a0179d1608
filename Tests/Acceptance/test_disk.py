"""A disk that is full, read-only or damaged: what was acknowledged is there, and nothing else stops."""
import re
import signal

import pytest

from paho.mqtt.client import MQTTv5

from peers.gateway import Gateway, configuration, martlet
from peers.waiting import free_port

# The folders below the state directory that are kept in the form of `docs/store.md`.
JOURNAL = "journal"
COUNT = 300


class House:
    """Gateways that live one after the other on one state directory."""

    def __init__(self, folder, started, state=None, inside=()):
        self.state = state or folder / "state"
        self.port = free_port()
        self.config = folder / "house.yaml"
        self.config.write_text(configuration(
            "house", self.port, gateway={"state_dir": str(self.state)},
            store={"sync": "commit", "segment_size": "64KB", "reserve": "0B"},
            broker={"listen": [{"address": "127.0.0.1", "port": self.port}], "sys_interval": "1s"}))
        self.inside, self.started = inside, started

    def start(self):
        # The last one ends with the test; those before were killed.
        return self.started(Gateway(self.config, self.port, inside=self.inside)).wait_for_log("house runs")


def kill(gateway):
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()


@pytest.fixture
def house(tmp_path, started):
    return House(tmp_path, started)


def numbers(client):
    return [int(message.payload.split()[0]) for message in client.on("plant/a")]


def fill(house, client, count=COUNT):
    """A session that is away, and so many acknowledged messages for it, each in a commit of its own."""
    gateway = house.start()
    panel = client(house.port, version=MQTTv5, client_id="panel", clean=False, expiry=3600)
    panel.subscribe("plant/a")
    panel.disconnect()
    writer = client(house.port, version=MQTTv5)
    for number in range(count):
        writer.publish("plant/a", b"%d " % number + bytes(700))
    return gateway, writer


def collect(house, client, last):
    """What the session gets from a gateway that was just started, up to one last message."""
    client(house.port, version=MQTTv5).publish("plant/a", b"%d" % last)
    panel = client(house.port, version=MQTTv5, client_id="panel", clean=False, expiry=3600)
    assert panel.session_present
    panel.wait_for("plant/a", lambda message: message.payload == b"%d" % last, timeout=30)
    return panel


def files(house, kind):
    return sorted(file for file in (house.state / JOURNAL).iterdir() if re.fullmatch(rf"{kind}-\d+", file.name))


def damage(file, place):
    """Eight other bytes in the `middle`, or behind a commit that is the last one, at the `end`."""
    data = bytearray(file.read_bytes())
    start = len(data) // 2 if place == "middle" else len(data) - 8
    for index in range(start, start + 8):
        data[index] ^= 0x5A
    file.write_bytes(data)


def told(gateway, file):
    """What the log says about a file, and the copy that it names."""
    line = next(line for line in gateway.log.splitlines() if f"{file.name}: " in line)
    copy = re.search(rf"{file.name}\.damaged-\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d\S*", line)
    return line, copy and copy.group()


@pytest.mark.parametrize("place", ["middle", "end"])
def test_damage_in_any_segment_costs_what_it_hit_and_no_more(house, client, place):
    gateway, _ = fill(house, client)
    kill(gateway)
    segments = files(house, "segment")
    assert len(segments) >= 3
    before = {file: file.read_bytes() for file in segments}
    for file in segments:
        damage(file, place)
    damaged = {file: file.read_bytes() for file in segments}

    gateway = house.start()
    for file in segments:
        line, copy = told(gateway, file)
        print(line)
        # The end of the last one may as well have been written when the power went.
        if place == "end" and file == segments[-1]:
            assert "were not written to the end, and were cut" in line
        else:
            assert "ERROR" in line.upper() and "are damaged" in line
            assert (file.parent / copy).read_bytes() == damaged[file] != before[file]
    got = numbers(collect(house, client, COUNT))
    lost = set(range(COUNT)) - set(got)
    assert len(lost) <= len(segments)
    assert got == sorted(got)

    # It is told once, and what was set aside stays.
    kill(gateway)
    gateway = house.start()
    assert "are damaged" not in gateway.log
    assert len(list((house.state / JOURNAL).glob("*.damaged-*"))) == len(segments) - (place == "end")


def test_a_damaged_snapshot_costs_what_it_hit_and_no_more(house, client):
    # So much that a snapshot is due; the session that holds it all outlives the gateway.
    gateway, writer = fill(house, client)
    padding = bytes(700)
    count = COUNT
    while not files(house, "snapshot"):
        writer.publish("plant/a", b"%d " % count + padding)
        count += 1
        assert count < 5000, "no snapshot was taken"
    kill(gateway)
    [snapshot] = files(house, "snapshot")
    damage(snapshot, "middle")

    gateway = house.start()
    line, copy = told(gateway, snapshot)
    assert "are damaged" in line and (snapshot.parent / copy).exists()
    got = numbers(collect(house, client, count))
    print(f"{len(got)} of {count} messages are there")
    # A snapshot is written in parts of about 16,000 bytes, of which one is lost.
    assert len(got) > count - 40 and got == sorted(got)


def test_a_second_gateway_on_the_same_folder_is_told_who_has_it(house, tmp_path):
    gateway = house.start()
    (tmp_path / "second").mkdir()
    second = House(tmp_path / "second", house.started, state=house.state)
    answer = martlet("run", "--config", second.config)
    assert answer.returncode == 1
    assert f"process {gateway.process.pid} keeps its data in {house.state / JOURNAL}" in answer.stderr
    assert "gateway.state_dir" in answer.stderr
    # The first one notices nothing, and the second may have the folder when it is gone.
    assert gateway.process.poll() is None
    kill(gateway)
    second.start()
