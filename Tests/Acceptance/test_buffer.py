"""What waits for a server: kept over a kill, looked at, dropped, sent late and marked."""
import json
import signal

import paho.mqtt.client as paho
import pytest

from peers.gateway import martlet
from peers.waiting import eventually, free_port

COUNT = 300


class Alone:
    """A gateway whose server is not there yet."""

    def __init__(self, gateway, client, folder, **upstream):
        self.folder, self._gateway, self._client = folder, gateway, client
        self.socket = folder / "m.sock"
        self.port, self.far_port = free_port(), free_port()
        self.sections = {
            "broker": {"listen": [{"address": "127.0.0.1", "port": self.port}, {"unix": str(self.socket)}]},
            "upstream": {"central": {
                "url": f"mqtt://127.0.0.1:{self.far_port}", "out": [{"filter": "plant/#", "to": "far/{topic}"}], **upstream}}}
        self.start()

    def start(self):
        self.process = self._gateway("house", port=self.port, **self.sections)
        self.local = self._client(self.port, client_id="panel")

    def kill(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()

    def publish(self, count=COUNT, first=0):
        handles = [self.local.paho.publish(f"plant/{number % 3}", b"%d" % number, qos=1)
                   for number in range(first, first + count)]
        for handle in handles:
            handle.wait_for_publish(30)

    def status(self):
        done = martlet("buffer", "status", "--json", "--unix", self.socket)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @property
    def files(self):
        return list((self.folder / "house.state" / "upstream" / "central").glob("segment-*"))


@pytest.fixture
def alone(gateway, client, tmp_path):
    return lambda **upstream: Alone(gateway, client, tmp_path, **upstream)


def test_what_waits_survives_a_kill_and_goes_out_in_order_marked_as_late(alone, mosquitto, client):
    house = alone()
    house.publish()
    assert house.status()["messages"] == COUNT
    assert house.files
    house.kill()
    house.start()
    status = house.status()
    assert (status["messages"], status["connected"]) == (COUNT, False)
    server = mosquitto(port=house.far_port)
    watcher = client(server.port, client_id="watcher", version=paho.MQTTv5)
    watcher.subscribe("far/#")
    eventually(lambda: house.status()["messages"] == 0, "all is sent")
    eventually(lambda: len(watcher.received.entries) >= COUNT, "all has arrived")
    for topic in range(3):
        numbers = [int(message.payload) for message in watcher.received.entries if message.topic == f"far/plant/{topic}"]
        assert numbers == list(range(topic, COUNT, 3))
    names = {name for message in watcher.received.entries for name, _ in message.properties.UserProperty}
    assert "martlet-replayed" in names
    eventually(lambda: not house.files, "nothing is left on the disk")


def test_what_waits_is_shown_and_dropped_only_when_somebody_is_sure(alone):
    house = alone()
    house.publish()
    shown = martlet("buffer", "status", "--unix", house.socket)
    assert shown.returncode == 0 and "300 of at most" in shown.stdout and "not connected" in shown.stdout
    unsure = martlet("buffer", "drop", "--unix", house.socket)
    assert unsure.returncode == 2 and "--yes" in unsure.stderr
    assert house.status()["messages"] == COUNT
    unknown = martlet("buffer", "drop", "--yes", "--upstream", "centre", "--unix", house.socket)
    assert unknown.returncode == 2 and "there are: central" in unknown.stderr
    dropped = martlet("buffer", "drop", "--yes", "--upstream", "central", "--unix", house.socket)
    assert dropped.returncode == 0 and "dropped 300 messages" in dropped.stdout
    status = house.status()
    assert (status["messages"], status["dropped_ordered"]) == (0, COUNT)


def test_with_a_rate_new_messages_go_first_and_an_order_ends_the_waiting(alone, mosquitto, client):
    house = alone(buffer={"replay": {"rate": "5/s"}})
    house.publish()
    server = mosquitto(port=house.far_port)
    watcher = client(server.port, client_id="watcher", version=paho.MQTTv5)
    watcher.subscribe("far/#")
    house.process.wait_for_log("central: connected")
    house.publish(1, first=COUNT)
    watcher.wait_for(f"far/plant/{COUNT % 3}", lambda message: message.payload == b"%d" % COUNT)
    assert house.status()["messages"] > COUNT // 2
    order = martlet("buffer", "drain", "--unix", house.socket)
    assert order.returncode == 0 and "are being sent" in order.stdout
    eventually(lambda: house.status()["messages"] == 0, "all is sent")


def test_a_full_buffer_gives_way_as_it_was_told_and_counts_it(alone, client):
    house = alone(buffer={"max_messages": 100})
    system = client(house.port, client_id="system")
    system.subscribe("$SYS/martlet/bridges/house/#")
    house.publish()
    status = house.status()
    assert (status["messages"], status["dropped_full"]) == (100, COUNT - 100)
    alarm = system.wait_for("$SYS/martlet/bridges/house/alarm", lambda message: message.payload)
    assert b"% full" in alarm.payload
    house.process.wait_for_log("the queue is 8")


def test_a_folder_that_nobody_may_write_to_is_told_before_anything_runs(alone, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    house = alone()
    house.process.stop()
    text = json.loads((tmp_path / "house.yaml").read_text())
    text["upstream"]["central"]["buffer"] = {"path": str(blocked)}
    (tmp_path / "house.yaml").write_text(json.dumps(text))
    done = martlet(
        "run", "--config", tmp_path / "house.yaml", env={"STATE_DIRECTORY": str(tmp_path / "house.state"), "PATH": "/"})
    assert done.returncode == 1 and "what waits for 'central' can't be kept" in done.stderr + done.stdout
