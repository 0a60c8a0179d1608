"""The broker among clients that do it harm. 20 seconds of it here; `make soak` takes ten minutes."""
import json
import os
import pathlib
import subprocess
import sys

from peers.crowd import Crowd
from peers.waiting import free_port

SECONDS = float(os.environ.get("SOAK_SECONDS", 20))
CONNECT_TIMEOUT = 2
# For 99 messages in 100 at least; the longest is told, but a machine that does other things as well may stand still.
LONGEST_WAIT = 0.1
# What the allocator keeps for the next time differs from one look to the other.
MEMORY_MARGIN = 6_000_000
LIMITS = {
    # What waits in the kernel's queue can't be told from what is let be.
    "connect_rate": "5000/s",
    "connect_timeout": f"{CONNECT_TIMEOUT}s", "session_expiry": {"max": "1s", "v3": "1s"},
    "queue": {"bytes": "1MB"}, "memory": "32MB",
}


class Place:
    """The broker under siege, and what can be seen of it from outside."""

    def __init__(self, gateway, client):
        self.port, self.web_port = free_port(), free_port()
        listen = [{"address": "127.0.0.1", "port": self.port},
                  {"address": "127.0.0.1", "port": self.web_port, "websocket": {"path": "/mqtt"}}]
        self.gateway = gateway(
            port=self.port, broker={"listen": listen, "limits": LIMITS, "sys_interval": "1s"})
        self.watcher = client(self.port)
        self.watcher.subscribe("$SYS/broker/clients/connected", "$SYS/broker/clients/total")

    def anonymous_memory(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.gateway.process.pid}/fd"))

    def forget_retained(self, client):
        """Takes back what damaged packets had retained."""
        sweeper = client(self.port)
        sweeper.subscribe("#", qos=0)
        sweeper.publish("swept", b"x")
        sweeper.wait_for("swept")
        for message in sweeper.received.entries:
            if message.retain:
                sweeper.publish(message.topic, b"", retain=True)
        sweeper.disconnect()

    def settle(self, client):
        """Waits until nobody but the watcher is left, and returns memory and descriptors then."""
        after = self.watcher.count
        self.forget_retained(client)
        self.watcher.wait_for("$SYS/broker/clients/connected", lambda message: message.payload == b"1", 30, after)
        self.watcher.wait_for("$SYS/broker/clients/total", lambda message: message.payload == b"1", 30, after)
        descriptors = self.descriptors()
        return self.anonymous_memory(), descriptors


class Probe:
    """A client that measures in a process of its own."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "peers/probe.py", str(port)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def result(self):
        output, _ = self.process.communicate("end\n", timeout=30)
        assert self.process.returncode == 0, "the probe was not served"
        return json.loads(output)

    def end(self):
        self.process.kill()
        self.process.wait()


def test_among_hostile_clients_a_good_one_is_served_and_nothing_is_left_behind(gateway, client, started):
    place = Place(gateway, client)
    crowd = Crowd(place.port, place.web_port, CONNECT_TIMEOUT, seed=1)
    before = place.descriptors()
    # The first quarter shows how much memory such a crowd needs; the rest must not need more.
    crowd.run(SECONDS / 4)
    warm, _ = place.settle(client)
    probe = started(Probe(place.port))
    crowd.run(SECONDS * 3 / 4)
    measured = probe.result()
    after, descriptors = place.settle(client)
    print(f"crowd: {crowd.counts}")
    print("probe: {count} messages, median {median:.6f} s, p99 {p99:.6f} s, max {max:.6f} s".format(**measured))
    print(f"anonymous memory: {warm} bytes after a quarter, {after} in the end; descriptors: {before}, {descriptors}")
    assert not crowd.complaints
    assert measured["p99"] < LONGEST_WAIT
    assert after < warm + MEMORY_MARGIN
    # The journal opens its first file when there is something to keep.
    assert descriptors <= before + 1
    assert place.gateway.process.poll() is None
