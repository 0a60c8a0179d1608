"""What is judged by what stands there, and not by what arrives: retained messages; and wills, which nobody sends."""
import asyncio
import collections
import random

from peers import packets
from peers.durable import Ledger, Publisher, Subscriber, die, retained

TOPICS = [f"hold/{number}" for number in range(6)]
WILL = "will"


class Board:
    """Somebody writes on it and wipes it clean, and clients die with a will of a second's delay."""

    def __init__(self, crew, port, seed):
        self.crew, self.port, self.seed = crew, port, seed
        self.ledger, self.wills = Ledger(), Ledger()
        self.wiped = collections.defaultdict(set)
        self.floor, self.looks, self.found = {}, 0, []

    async def open(self):
        self.writer = Publisher(self.port, "board", self.ledger, packets.V311)
        self.heir = Subscriber(self.port, "heir", self.wills, packets.V5, filters=[(WILL, 1)])
        self.crew.others += [self.writer, self.heir]

    def begin(self):
        return [asyncio.create_task(self._write()), asyncio.create_task(self._die())]

    async def _write(self):
        chance = random.Random(self.seed + 100)
        while True:
            topic, deletes = chance.choice(TOPICS), chance.random() < 0.3
            # Noted before it is sent: what stands there may be gone before the number is known here.
            if deletes:
                self.wiped[topic].add(self.ledger.sent[topic] + 1)
            await self.writer.publish(topic, chance.choice([1, 2]), retain=True, deletes=deletes)
            await asyncio.sleep(chance.uniform(0.005, 0.06))

    async def _die(self):
        chance = random.Random(self.seed + 200)
        while True:
            number = self.wills.next(WILL)
            if await die(self.port, f"mortal-{number}", (WILL, b"%d " % number, 1), "alive"):
                self.wills.acknowledged[WILL].add(number)
            await asyncio.sleep(chance.uniform(0.1, 0.4))

    def killed(self):
        """What was acknowledged by now must be there afterwards, or what came later."""
        self.floor = {topic: max(numbers) for topic, numbers in list(self.ledger.acknowledged.items())}

    def look(self, is_last=False):
        """Reads the board; at the end each topic has its last message."""
        if is_last:
            self.killed()
        standing = self.crew.call(retained(self.port, "hold/#"))
        if standing is None:
            return
        self.looks += 1
        for topic, low in self.floor.items():
            number = int(standing[topic].split(b" ", 1)[0]) if topic in standing else None
            if number is None and not any(wiped >= low for wiped in self.wiped[topic]):
                self.found.append(f"{topic}: nothing is retained; number {low} was acknowledged")
            elif number is not None and number < low:
                what = "deleted" if low in self.wiped[topic] else "replaced"
                self.found.append(f"{topic}: number {number} is retained; it was {what} by number {low}")

    def counts(self):
        return (f"{self.ledger.acknowledged_count()} retained messages acknowledged, read {self.looks} times; "
                f"{self.wills.acknowledged_count()} wills, {len(self.wills.missing('heir').get(WILL, []))} lost")

    def complaints(self):
        found = self.found + self.ledger.complaints + self.wills.complaints
        for what, wills in (("lost", self.wills.missing("heir")), ("never made", self.wills.invented("heir"))):
            found += [f"wills: {what}: {numbers}" for numbers in wills.values()]
        if self.writer.refused or self.writer.outgoing:
            found.append(f"board: refused {dict(self.writer.refused)}, unanswered {len(self.writer.outgoing)}")
        return found
