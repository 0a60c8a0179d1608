"""The loop that kills: publishers and subscribers with persistent sessions, a bridge to a mosquitto, and a gateway that
is ended with SIGKILL at random moments."""
import asyncio
import json
import random
import shutil
import signal
import time

from peers import packets
from peers.durable import Crew, Publisher, Subscriber
from peers.gateway import ROOT, Gateway

from .board import Board

LOCAL = ["panel-3", "panel-5", "ledger-1"]
UPSTREAM = "observer"
# A reader that is always there shows what is on its way; this one is away now and then.
AWAY = "panel-5"


class Siege:
    """One run: `fight` kills, `end` waits until everything has arrived; then `complaints` says what is wrong."""

    def __init__(self, folder, port, upstream_port, seed):
        self.folder, self.port, self.upstream_port, self.seed = folder, port, upstream_port, seed
        self.random = random.Random(seed)
        self.crew = Crew()
        self.ledger, self.publishers, self.subscribers = self.crew.ledger, self.crew.publishers, self.crew.subscribers
        self.board = Board(self.crew, port, seed)
        self.state = folder / "state"
        self.config = folder / "siege.yaml"
        self.config.write_text(json.dumps(self._configuration(), indent=1))
        self.kills = 0
        self.gateway = None

    def _configuration(self):
        return {
            "version": 1,
            "gateway": {"id": "house", "state_dir": str(self.state)},
            "store": {"sync": self.random.choice(["commit", "5ms", "50ms"])},
            "broker": {
                "listen": [{"address": "127.0.0.1", "port": self.port}], "sys_interval": "never",
                # Everything that waits must fit: what is dropped because a queue is full is no loss of the store's.
                "limits": {"connect_rate": "off", "queue": {"messages": 10_000_000, "bytes": "200MB"}}},
            "upstream": {"central": {
                "url": f"mqtt://127.0.0.1:{self.upstream_port}", "client_id": "house",
                "out": [{"filter": "kill/#", "to": "up/{topic}", "qos": 1}]}},
        }

    # MARK: the gateway

    def start(self):
        """Starts the gateway, whose state is what the last one left."""
        self.state.mkdir(exist_ok=True)
        self.gateway = Gateway(self.config, self.port)
        return self.gateway

    def kill(self):
        """Ends it as a power cut would; its log is kept until five more are there."""
        self.gateway.process.send_signal(signal.SIGKILL)
        self.gateway.process.wait()
        self.board.killed()
        self.kills += 1
        self.gateway.log_file.rename(self.folder / f"life-{self.kills:03}.log")
        for old in sorted(self.folder.glob("life-*.log"))[:-5]:
            old.unlink()

    def fight(self, kills):
        """Kills so many times; in between it lives for a moment, one time in five while it is still starting."""
        for _ in range(kills):
            gateway = self.start()
            if self.random.random() < 0.2:
                time.sleep(self.random.uniform(0, 0.3))
            else:
                gateway.wait_until_listening()
                self.board.look()
                time.sleep(self.random.uniform(*self.random.choice([(0.02, 0.3), (0.2, 1)])))
            assert gateway.process.poll() is None, f"it ended by itself (seed {self.seed}):\n{gateway.log}"
            self.kill()
        self.start().wait_until_listening()

    # MARK: the clients

    def open(self):
        """All clients, subscribed before the first message; the gateway must be there."""
        self.crew.call(self._open())

    async def _open(self):
        versions = [packets.V311, packets.V5, packets.V311]
        for name, version in zip(LOCAL, versions):
            self.subscribers[name] = Subscriber(
                self.port, name, self.ledger, version, filters=[("kill/#", 1 if name == "ledger-1" else 2)])
        self.subscribers[UPSTREAM] = Subscriber(
            self.upstream_port, UPSTREAM, self.ledger, packets.V5, filters=[("up/#", 2)], prefix="up/")
        for number in range(4):
            version = packets.V5 if number % 2 else packets.V311
            self.publishers.append(Publisher(self.port, f"writer-{number}", self.ledger, version))
        await self.board.open()
        await self.crew.ready()
        self.crew.tasks += [asyncio.create_task(self._publish(number, each))
                            for number, each in enumerate(self.publishers)]
        self.crew.tasks.append(asyncio.create_task(self._come_and_go()))
        self.crew.tasks += self.board.begin()

    async def _publish(self, number, publisher):
        """Bursts and pauses, on topics of its own, at QoS 1 and 2."""
        chance = random.Random(self.seed + number + 1)
        while True:
            for _ in range(chance.randrange(1, 12)):
                qos = chance.choice([1, 2])
                topic = f"kill/{number}/{qos}/{chance.randrange(3)}"
                await publisher.publish(topic, qos, padding=bytes(chance.choice([10, 100, 1000])))
            await asyncio.sleep(chance.uniform(0.005, 0.06))

    async def _come_and_go(self):
        chance = random.Random(self.seed)
        while True:
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            self.subscribers[AWAY].pause()
            await asyncio.sleep(chance.uniform(0.1, 3))
            self.subscribers[AWAY].resume()

    def end(self):
        """Stops publishing, and waits until all is acknowledged and nothing is missing, as long as there is progress."""
        self.crew.call(self._stop_publishing())
        self.crew.wait_while(lambda: any(publisher.outgoing for publisher in [*self.publishers, self.board.writer]))
        self.board.look(is_last=True)
        self.crew.wait_while(lambda: self.board.wills.missing("heir"))
        self.crew.wait_while(lambda: any(self.ledger.missing(name) for name in self._judged()))
        # What comes doubled comes now: the end of a session's queue is behind everything that was in it.
        self.crew.call(self._publish_last())
        self.crew.wait_while(lambda: any(self.ledger.missing(name) for name in self._judged()))

    async def _stop_publishing(self):
        for task in self.crew.tasks:
            task.cancel()
        await asyncio.gather(*self.crew.tasks, return_exceptions=True)
        self.subscribers[AWAY].resume()

    async def _publish_last(self):
        for number, publisher in enumerate(self.publishers):
            for qos in (1, 2):
                for topic in range(3):
                    await publisher.publish(f"kill/{number}/{qos}/{topic}", qos)
            await publisher.drained()

    def close(self):
        """Ends clients and gateway, whatever happened."""
        self.crew.end()
        if self.gateway:
            self.gateway.process.kill()
            self.gateway.process.wait()

    # MARK: the verdict

    def counts(self):
        """How much there was of what, for people."""
        repeated = {name: sum(map(len, self.ledger.doubled(name).values())) for name in self.subscribers}
        received = {name: subscriber.count for name, subscriber in self.subscribers.items()}
        note = "" if UPSTREAM in self._judged() else "; NOT JUDGED: the upstream"
        return (f"seed {self.seed}: {self.kills} kills, {self.ledger.acknowledged_count()} messages acknowledged; "
                f"received {received}, more than once {repeated}{note}; {self.board.counts()}")

    def complaints(self):
        """Everything that breaks the promise; nothing when all is well."""
        found = self.ledger.complaints + self.board.complaints()
        for publisher in self.publishers:
            if publisher.refused:
                found.append(f"{publisher.name}: refused with {dict(publisher.refused)}")
            if publisher.outgoing:
                found.append(f"{publisher.name}: {len(publisher.outgoing)} messages were never acknowledged")
        for name in self._judged():
            found += self._complaints(name)
        return found

    def _judged(self):
        """The upstream counts as soon as this Martlet has a buffer for it on disk."""
        return self.subscribers if (self.state / "upstream" / "central").is_dir() else LOCAL

    def _complaints(self, name):
        kinds = {"lost": self.ledger.missing(name), "out of order": self.ledger.disordered(name),
                 "never sent": self.ledger.invented(name)}
        if name in LOCAL:
            # At QoS 2 on both sides; `ledger-1` reads at QoS 1, and so does the bridge.
            exactly_once = (lambda topic: topic.split("/")[2] == "2") if name != "ledger-1" else (lambda topic: False)
            kinds["doubled"] = self.ledger.doubled(name, exactly_once)
        return [f"{name}: {topic}: {what}: {shown(numbers)}"
                for what, topics in kinds.items() for topic, numbers in sorted(topics.items())]

    def keep(self):
        """Puts the state directory and the logs aside, and returns where."""
        place = ROOT / ".build" / f"kill-{self.seed}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder, place, ignore=shutil.ignore_patterns("server"))
        return place


def shown(numbers):
    more = f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    return ", ".join(map(str, numbers[:20])) + more
