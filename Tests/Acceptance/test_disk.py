"""A disk that is full, read-only or damaged: what was acknowledged is there, and nothing else stops."""
import asyncio
import re
import signal
import socket

import pytest

from paho.mqtt.client import MQTTv5

from peers import packets
from peers.durable import Crew, Publisher, Subscriber
from peers.gateway import Gateway, configuration, martlet
from peers.smalldisk import SmallDisk, can_mount
from peers.waiting import eventually, free_port

# The folder of the broker's own log below the state directory, in the form of `docs/store.md`.
JOURNAL = "journal"
COUNT = 300


class House:
    """Gateways that live one after the other on one state directory."""

    def __init__(self, folder, started, state=None, inside=(), **sections):
        self.state = state or folder / "state"
        self.port = free_port()
        self.config = folder / "house.yaml"
        self.config.write_text(configuration(
            "house", self.port, gateway={"state_dir": str(self.state)},
            store={"sync": "commit", "segment_size": "64KB", "reserve": "0B", "daily_budget": "1MB"},
            broker={"listen": [{"address": "127.0.0.1", "port": self.port}], "sys_interval": "1s"}, **sections))
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


def files(house, kind, log=JOURNAL):
    return sorted(file for file in (house.state / log).iterdir() if re.fullmatch(rf"{kind}-\d+", file.name))


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


def test_what_is_written_is_told_and_too_much_of_it_in_a_day_is_a_warning(house, client):
    gateway, _ = fill(house, client)
    watcher = client(house.port)
    watcher.subscribe("$SYS/martlet/store/#")
    warning = watcher.wait_for("$SYS/martlet/store/warning")
    assert b"more than the 1 MB of 'store.daily_budget'" in warning.payload
    gateway.wait_for_log("more than the 1 MB of 'store.daily_budget'")
    assert gateway.log.count("'store.daily_budget'") == 1

    def above(least):
        return lambda message: int(message.payload) > least

    journal = "$SYS/martlet/store/journal"
    watcher.wait_for(f"{journal}/commits", above(COUNT))
    watcher.wait_for(f"{journal}/bytes_written", above(COUNT * 700))
    watcher.wait_for(f"{journal}/block_bytes_written", above(COUNT * 4096))
    watcher.wait_for(f"{journal}/bytes_on_disk", above(COUNT * 700))
    watcher.wait_for("$SYS/martlet/store/block_bytes_today", above(COUNT * 4096))
    assert watcher.wait_for(f"{journal}/failed_commits").payload == b"0"
    assert watcher.wait_for(f"{journal}/set_aside").payload == b"0"


class Traffic:
    """Publishers for a session that is away: of MQTT 5 and of 3.1.1, and others that come later."""

    def __init__(self, port):
        self.port, self.crew = port, Crew()
        self.ledger = self.crew.ledger
        self.crew.call(self._open())

    async def _open(self):
        panel = self.crew.subscribers["panel"] = Subscriber(
            self.port, "panel", self.ledger, packets.V5, filters=[("kept/#", 2)])
        await self.crew.ready()
        panel.pause()
        self.new, self.old = await self._add("new", packets.V5), await self._add("old", packets.V311)

    async def _add(self, name, version):
        publisher = Publisher(self.port, name, self.ledger, version)
        await asyncio.wait_for(publisher.ready.wait(), 30)
        self.crew.publishers.append(publisher)
        self.crew.tasks.append(asyncio.create_task(self._publish(publisher)))
        return publisher

    async def _publish(self, publisher):
        while True:
            for qos in (1, 2):
                await publisher.publish(f"kept/{publisher.name}/{qos}", qos, padding=bytes(500))
                await asyncio.sleep(0.005)

    def wait_for_more(self, count=30):
        """Until so many more messages of each publisher are acknowledged, at either QoS."""
        topics = [f"kept/{each.name}/{qos}" for each in self.crew.publishers for qos in (1, 2)]
        before = {topic: len(self.ledger.acknowledged[topic]) for topic in topics}
        eventually(lambda: all(len(self.ledger.acknowledged[topic]) >= before[topic] + count for topic in topics),
                   "more is acknowledged", timeout=60)

    def wait_until_refused(self, count=30):
        """With a publisher that has nothing of before to wait for."""
        late = self.crew.call(self._add(f"late-{len(self.crew.publishers)}", packets.V5))
        eventually(lambda: late.refused[0x97] >= count, "the disk is missed", timeout=60)
        assert not any(self.ledger.acknowledged[f"kept/{late.name}/{qos}"] for qos in (1, 2))

    def finish(self):
        """The session comes back, when all has been answered, and gets what is there."""
        self.crew.call(self._finish())
        self.crew.wait_while(lambda: self.ledger.missing("panel"))

    async def _finish(self):
        for task in self.crew.tasks:
            task.cancel()
        await asyncio.gather(*self.crew.tasks, return_exceptions=True)
        for publisher in self.crew.publishers:
            await publisher.drained()
        self.crew.subscribers["panel"].resume()

    def refusals(self):
        return {publisher.name: set(publisher.refused) for publisher in self.crew.publishers}

    def end(self):
        self.crew.end()


def refuses_subscriptions(port):
    """Whether the disk is missed for the subscription of a session that stays; whoever does without it is served."""
    assert suback(port, packets.connect(packets.V5, "passing", clean=True, expiry=0), packets.V5) == 1
    return (suback(port, packets.connect(packets.V5, "staying"), packets.V5),
            suback(port, packets.connect(packets.V311, "staying-too"), packets.V311)) == (0x97, 0x80)


def suback(port, connect, version):
    """The code in the answer to a SUBSCRIBE."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(connect + packets.subscribe(version, 1, [("other/#", 1)]))
        splitter, answers = packets.Splitter(), []
        while not answers:
            answers = [body for first, body in splitter.feed(link.recv(4096)) if first == packets.SUBACK]
        return answers[0][-1]


TROUBLES = {
    "full": (SmallDisk.fill, SmallDisk.clear, "is full"),
    "read-only": (SmallDisk.become_read_only, SmallDisk.become_writable, "can only be read"),
}


@pytest.mark.parametrize("killed", ["meanwhile", "afterwards"])
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted here (unshare, mount)")
def test_a_disk_that_takes_nothing_stops_what_needs_it_and_nothing_else(tmp_path, started, client, trouble, killed):
    begin, end, words = TROUBLES[trouble]
    disk = started(SmallDisk(tmp_path / "disk", "2m"))
    house = House(tmp_path, started, state=disk.path / "state", inside=disk.inside)
    gateway = house.start()
    traffic = started(Traffic(house.port))
    watcher = client(house.port, version=MQTTv5)
    watcher.subscribe("live/#", "$SYS/martlet/store/journal/problem")
    traffic.wait_for_more()

    begin(disk)
    gateway.wait_for_log("what must be kept is not acknowledged any more")
    traffic.wait_until_refused()
    problem = watcher.wait_for("$SYS/martlet/store/journal/problem", lambda message: message.payload)
    assert words in problem.payload.decode()
    for qos in (0, 1, 2):
        watcher.publish(f"live/{qos}", b"x", qos=qos)
        watcher.wait_for(f"live/{qos}")
    assert refuses_subscriptions(house.port)
    assert traffic.old.outgoing and not traffic.old.refused

    if killed == "meanwhile":
        kill(gateway)
        gateway = house.start()
        # What was not acknowledged comes again, and waits again or is refused.
        gateway.wait_for_log("what must be kept is not acknowledged any more")
        traffic.wait_until_refused()
        watcher = client(house.port, version=MQTTv5)
        watcher.subscribe("$SYS/martlet/store/journal/problem")
        watcher.wait_for("$SYS/martlet/store/journal/problem", lambda message: message.payload)
    end(disk)
    gateway.wait_for_log("the disk takes what must be kept again")
    watcher.wait_for("$SYS/martlet/store/journal/problem", lambda message: not message.payload)
    traffic.wait_for_more()
    if killed == "afterwards":
        kill(gateway)
        house.start()
        traffic.wait_for_more()
    traffic.finish()

    # The sessions of those that came later were never on the disk.
    assert [each for each in traffic.ledger.complaints if not each.startswith("late-")] == []
    refusals = traffic.refusals()
    assert not refusals.pop("old") and all(codes <= {0x97} for codes in refusals.values())
    assert not traffic.ledger.disordered("panel")
    assert not traffic.ledger.doubled("panel", lambda topic: topic.endswith("/2"))
    got = {topic: set(numbers) for topic, numbers in traffic.ledger.received["panel"].items()}
    # All that was acknowledged, and nothing that was refused.
    assert got == {topic: numbers for topic, numbers in traffic.ledger.acknowledged.items() if numbers}


@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted here (unshare, mount)")
def test_a_gateway_that_starts_on_a_read_only_disk_reads_it_and_goes_on_when_it_may_write(tmp_path, started, client):
    disk = started(SmallDisk(tmp_path / "disk", "2m"))
    house = House(tmp_path, started, state=disk.path / "state", inside=disk.inside)
    gateway, _ = fill(house, client, 10)
    kill(gateway)
    disk.remount("ro")
    gateway = house.start()
    panel = client(house.port, version=MQTTv5, client_id="panel", clean=False, expiry=3600)
    assert panel.session_present
    panel.wait_for("plant/a", lambda message: message.payload.startswith(b"9 "))
    disk.remount("rw")
    gateway.wait_for_log("the disk takes what must be kept again")
    client(house.port, version=MQTTv5).publish("plant/a", b"10 ")
    panel.wait_for("plant/a", lambda message: message.payload == b"10 ")
    assert numbers(panel) == list(range(11))


@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted here (unshare, mount)")
def test_a_buffer_without_a_place_keeps_and_acknowledges_nothing_until_it_has_one(tmp_path, started, client, mosquitto):
    disk = started(SmallDisk(tmp_path / "disk", "2m"))
    state, far_port = disk.path / "state", free_port()
    kill(House(tmp_path, started, state=state, inside=disk.inside).start())
    disk.remount("ro")
    upstream = {"central": {"url": f"mqtt://127.0.0.1:{far_port}", "out": [{"filter": "plant/#"}]}}
    house = House(tmp_path, started, state=state, inside=disk.inside, upstream=upstream)
    gateway = house.start()
    writer = client(house.port, version=MQTTv5)
    message = writer.paho.publish("plant/a", b"1", qos=1)
    gateway.wait_for_log("can't be kept and is not acknowledged until it can")
    client(house.port, version=MQTTv5).publish("other/a", b"for nobody upstream", qos=1)
    assert not message.is_published()

    disk.remount("rw")
    message.wait_for_publish(30)
    assert message.is_published()
    kill(gateway)
    watcher = client(mosquitto(port=far_port).port)
    watcher.subscribe("plant/#")
    house.start()
    assert watcher.wait_for("plant/a").payload == b"1"
