"""Real servers as upstreams, across an outage and the loss of a node: nothing is lost, and every topic keeps its order.

5,000 messages and an outage of seconds here; `make soak` sends 100,000 across a minute, and to RabbitMQ as well.
"""
import asyncio
import contextlib
import os
import shutil
import socket
import threading
import time

import pytest

from peers import packets
from peers.durable import Crew, Publisher, Subscriber
from peers.link import Link
from peers.nats import Nats
from peers.rabbitmq import SERVER as RABBITMQ_SERVER, RabbitMQ
from peers.waiting import Log, free_port

MESSAGES = int(os.environ.get("UPSTREAM_MESSAGES", 5000))
OUTAGE = float(os.environ.get("UPSTREAM_OUTAGE", 3))
PATIENCE = 60 + OUTAGE
TOPICS = 5
WRITERS = 4


class Crossing:
    """Writers at the gateway, an observer at the server, and a link between the two that can be cut."""

    def __init__(self, started, gateway, link_port, observer_port, version=packets.V311, scheme="mqtt", **upstream):
        self.crew = started(Crew())
        port = free_port()
        gateway(port=port, broker={
            "listen": [{"address": "127.0.0.1", "port": port}], "limits": {"memory": "1GB"}, "sys_interval": "never"},
            upstream={"central": {
                "url": f"{scheme}://localhost:{link_port}", "client_id": "house",
                "out": [{"filter": "plant/#", "to": "site/{topic}", "qos": 1}],
                "buffer": {"max_messages": 1_000_000, "max_size": "500MB"}, **upstream}})
        # In whose eyes topics keep their order.
        self.witness = "observer"
        self.crew.call(self._open(port, observer_port, version))

    async def _open(self, port, observer_port, version):
        self.observer = self.crew.subscribers["observer"] = Subscriber(
            observer_port, "observer", self.crew.ledger, version, filters=[("site/#", 1)], prefix="site/")
        self.crew.publishers += [
            Publisher(port, f"writer-{number}", self.crew.ledger, window=50) for number in range(WRITERS)]
        await self.crew.ready(60)

    def begin(self, messages, seconds=0.0):
        """Publishes so many, evenly over so many seconds; returns what can be waited for."""
        each = messages // WRITERS
        return self.crew.begin(self._publish_all(each, seconds / each if each else 0))

    async def _publish_all(self, each, pause):
        await asyncio.gather(*(
            self._publish(number, publisher, each, pause) for number, publisher in enumerate(self.crew.publishers)))

    async def _publish(self, number, publisher, count, pause):
        began = time.monotonic()
        for index in range(count):
            await publisher.publish(f"plant/{number}/{index % TOPICS}", 1, padding=b"x" * 90)
            ahead = began + index * pause - time.monotonic()
            if ahead > 0.005:
                await asyncio.sleep(ahead)
        await publisher.drained()

    def arrives(self):
        """Waits until nothing is missing; returns how long that took and how often something came twice."""
        began, ledger = time.monotonic(), self.crew.ledger
        self.crew.wait_while(
            lambda: self.observer.count < ledger.acknowledged_count() or ledger.missing("observer"), PATIENCE)
        took = time.monotonic() - began
        assert ledger.missing("observer") == {}
        assert ledger.disordered(self.witness) == {}
        assert ledger.invented("observer") == {}
        assert [publisher.refused for publisher in self.crew.publishers if publisher.refused] == []
        return took, sum(map(len, ledger.doubled("observer").values()))

    def watch_the_wire(self):
        """From the next connection on the gateway itself is the witness: what it sends for the first time, in MQTT 3.1.1."""
        def watch():
            splitter = packets.Splitter()

            def see(data):
                for first, body in splitter.feed(data):
                    if first & 0xF0 == packets.PUBLISH:
                        topic, payload, *_ = packets.read_publish(packets.V311, first, body)
                        self.crew.ledger.arrived("wire", topic.removeprefix("site/"), int(payload.split(b" ", 1)[0]))
            return see

        self.link.watch, self.witness = watch, "wire"

    def across(self, disturb, messages=MESSAGES):
        """A third before, a third of which the link is cut, a third while `disturb` does its worst."""
        third = messages // 3
        self.begin(third).result(PATIENCE)
        self.arrives()
        meanwhile = self.begin(third, OUTAGE)
        self.link.cut()
        meanwhile.result(OUTAGE + PATIENCE)
        self.link.mend()
        last = self.begin(third, OUTAGE / 3)
        # In the middle of what had to wait.
        middle = self.observer.count + third // 3
        self.crew.wait_while(lambda: self.observer.count < middle, PATIENCE)
        disturb()
        last.result(OUTAGE + PATIENCE)
        took, twice = self.arrives()
        count = self.crew.ledger.acknowledged_count()
        print(f"{count} messages, {OUTAGE:g} s without a link: all there {took:.1f} s after the last, {twice} of them twice")


@pytest.fixture
def crossing(started, gateway):
    """Makes a Crossing to a server's port, through a link; the observer looks at another port."""
    def make(server_port, observer_port=None, hangs_up_on=None, **keywords):
        link = started(Link(server_port, hangs_up_on).start())
        crossing = Crossing(started, gateway, link.port, observer_port or server_port, **keywords)
        crossing.link = link
        return crossing

    return make


def restart(server):
    server.stop()
    server.start()


@pytest.mark.parametrize("version", [packets.V311, packets.V5], ids=["v3.1.1", "v5"])
def test_mosquitto(crossing, mosquitto, version):
    server = mosquitto()
    older = packets.V5 if version == packets.V311 else None
    crossing(server.port, version=version, hangs_up_on=older).across(lambda: restart(server))


def test_mosquitto_over_tls_with_a_client_certificate(crossing, mosquitto, authority):
    server = mosquitto(tls=authority, asks_for_certificates=True)
    tls = {"ca": str(authority.ca), "cert": str(authority.client_certificate), "key": str(authority.client_key)}
    crossing(server.port, server.plain_port, scheme="mqtts", tls=tls).across(lambda: restart(server))


@pytest.mark.skipif(not shutil.which("nats-server"), reason="Debian's nats-server is not installed")
def test_a_cluster_of_three_whose_leader_is_killed(crossing, started, tmp_path):
    cluster = started(Nats(tmp_path / "nats")).start()
    first, second, third = cluster.nodes
    observed = started(Link(second.port).start())
    crossing = crossing(first.port, observed.port)
    crossing.begin(WRITERS).result(PATIENCE)
    crossing.arrives()
    leader = cluster.leader()
    print(f"{leader.name} leads")
    # Whoever loses it finds another node under the same address, as behind a balancer.
    for link, node in ((crossing.link, first), (observed, second)):
        link.target = third.port if node is leader else node.port
    # The server gives the observer again what the dead node had given it last, and half a minute later: behind newer ones.
    crossing.watch_the_wire()
    crossing.link.cut()
    crossing.link.mend()
    # Each message is on the disks of two nodes before the next one is looked at.
    crossing.across(leader.kill, MESSAGES if "UPSTREAM_MESSAGES" in os.environ else MESSAGES // 5)


class OldServer:
    """Answers CONNECT of MQTT 3.1.1, and hangs up on what it does not know, as RabbitMQ 3 does."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.versions = Log()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                version = connection.recv(1000)[8]
                if version == packets.V311:
                    connection.sendall(b"\x20\x02\x00\x00")
                    self.last = connection
                else:
                    connection.close()
                self.versions.add(version)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_server_that_hangs_up_on_mqtt_5_is_spoken_to_in_3_1_1(gateway, started):
    server = started(OldServer())
    house = gateway(upstream={"central": {"url": f"mqtt://127.0.0.1:{server.port}", "out": [{"filter": "plant/#"}]}})
    server.versions.wait_until(lambda versions: packets.V311 in versions, "an attempt with 3.1.1", timeout=30)
    house.wait_for_log("the server speaks no MQTT 5; going on with 3.1.1").wait_for_log("central: connected")
    assert server.versions.entries == [packets.V5, packets.V5, packets.V311]


@pytest.mark.skipif("UPSTREAM_MESSAGES" not in os.environ, reason="RabbitMQ takes long to start; `make soak` tries it")
@pytest.mark.skipif(not RABBITMQ_SERVER.exists(), reason="Debian's rabbitmq-server is not installed")
def test_rabbitmq(crossing, started, tmp_path):
    began = time.monotonic()
    server = started(RabbitMQ(tmp_path / "rabbitmq")).start()
    print(f"RabbitMQ listens after {time.monotonic() - began:.1f} s")
    crossing(server.port).across(lambda: None)
