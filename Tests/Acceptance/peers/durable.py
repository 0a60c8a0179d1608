"""MQTT ends that keep their half of the bargain over any number of lost connections.

Their sessions are persistent; what was not acknowledged is sent again with DUP and the identifier it had, in the order
of the first time [MQTT-4.4.0-1]; of a message at QoS 2 that comes twice under one identifier, the first counts. So
whatever is missing or doubled in the end, the broker did it.
"""
import asyncio
import collections
import contextlib
import dataclasses
import threading
import time

from . import packets


class Ledger:
    """What was sent, what was acknowledged, and what reached whom; messages are numbered for each topic."""

    def __init__(self):
        self.sent = collections.Counter()
        self.acknowledged = collections.defaultdict(set)
        self.received = collections.defaultdict(lambda: collections.defaultdict(list))
        self.complaints = []

    def next(self, topic):
        """The number of the next message on a topic; they begin with 1."""
        self.sent[topic] += 1
        return self.sent[topic]

    def arrived(self, receiver, topic, number):
        self.received[receiver][topic].append(number)

    def acknowledged_count(self):
        return sum(len(numbers) for numbers in self.acknowledged.values())

    def missing(self, receiver, topics=lambda topic: True):
        """Acknowledged numbers that this receiver has not got, by topic."""
        got = self.received[receiver]
        lost = {topic: sorted(numbers - set(got[topic]))
                for topic, numbers in list(self.acknowledged.items()) if topics(topic)}
        return {topic: numbers for topic, numbers in lost.items() if numbers}

    def doubled(self, receiver, topics=lambda topic: True):
        """Numbers that came more than once."""
        twice = {topic: sorted(number for number, count in collections.Counter(numbers).items() if count > 1)
                 for topic, numbers in self.received[receiver].items() if topics(topic)}
        return {topic: numbers for topic, numbers in twice.items() if numbers}

    def disordered(self, receiver):
        """Numbers that came for the first time after a higher one; repetitions are allowed at QoS 1 [MQTT-4.6.0]."""
        late = {topic: _late(numbers) for topic, numbers in self.received[receiver].items()}
        return {topic: numbers for topic, numbers in late.items() if numbers}

    def invented(self, receiver):
        """Numbers that nobody sent."""
        wrong = {topic: [number for number in numbers if not 1 <= number <= self.sent[topic]]
                 for topic, numbers in list(self.received[receiver].items())}
        return {topic: numbers for topic, numbers in wrong.items() if numbers}


def _late(numbers):
    late, seen, highest = [], set(), 0
    for number in numbers:
        if number not in seen and number < highest:
            late.append(number)
        seen.add(number)
        highest = max(highest, number)
    return late


@dataclasses.dataclass
class Outgoing:
    topic: str
    number: int
    payload: bytes
    qos: int
    retain: bool
    was_sent: bool = False
    is_released: bool = False


class Crew:
    """The event loop of some ends, on a thread of its own, for tests that wait and kill meanwhile."""

    def __init__(self):
        self.ledger = Ledger()
        self.publishers, self.subscribers = [], {}
        # Ends that keep ledgers of their own.
        self.others = []
        self.tasks = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clients")
        self._thread.start()

    def call(self, coroutine, timeout=120):
        """Runs it to its end."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def begin(self, coroutine):
        """Runs it beside what the test does; `result` of what this returns waits for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def wait_while(self, is_unfinished, patience=30.0):
        """Until it is finished, or until nothing has moved for `patience` seconds; returns whether it is finished."""
        moved, seen = time.monotonic(), None
        while is_unfinished():
            now = (self.ledger.acknowledged_count(), [each.count for each in self.subscribers.values()])
            if now != seen:
                moved, seen = time.monotonic(), now
            elif time.monotonic() - moved > patience:
                return False
            time.sleep(0.05)
        return True

    async def ready(self, timeout=30):
        """Waits until all are connected and subscribed."""
        for end in [*self.subscribers.values(), *self.publishers, *self.others]:
            await asyncio.wait_for(end.ready.wait(), timeout)

    def end(self):
        with contextlib.suppress(Exception):
            self.call(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _leave(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*(end.leave() for end in [*self.publishers, *self.subscribers.values(), *self.others]))


class End:
    """One client with a persistent session, on the running event loop; connects anew until `leave`."""

    def __init__(self, port, name, ledger, version=packets.V311, tls=None, host="127.0.0.1", user=None, password=None):
        self.port, self.name, self.ledger, self.version, self.host = port, name, ledger, version, host
        self.tls, self.user, self.password = tls, user, password
        self.ready = asyncio.Event()
        self.connections = 0
        self._has_session = False
        self._writer = None
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._task = asyncio.create_task(self._run())

    def pause(self):
        """Says goodbye and stays away; the session goes on without it."""
        self._wanted.clear()
        self._write(packets.DISCONNECT)
        if self._writer:
            self._writer.close()

    def resume(self):
        self._wanted.set()

    async def leave(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self):
        while True:
            await self._wanted.wait()
            try:
                await self._connection()
            except OSError:
                pass
            except Exception as error:
                self.ledger.complaints.append(f"{self.name}: {error!r}")
                raise
            finally:
                self.ready.clear()
            await asyncio.sleep(0.02)

    async def _connection(self):
        reader, writer = await asyncio.open_connection(
            self.host, self.port, ssl=self.tls, server_hostname="localhost" if self.tls else None)
        self._writer = writer
        try:
            writer.write(packets.connect(self.version, self.name, user=self.user, password=self.password))
            splitter = packets.Splitter()
            while data := await reader.read(65536):
                for first, body in splitter.feed(data):
                    self._received(first, body)
        finally:
            self._writer = None
            writer.transport.abort()

    def _write(self, data):
        if self._writer and not self._writer.is_closing():
            self._writer.write(data)

    def _received(self, first, body):
        kind = first & 0xF0
        if kind == packets.CONNACK:
            self._connected(bool(body[0] & 1), body[1])
        else:
            self._handle(kind, first, body)

    def _connected(self, session_present, code):
        if code:
            raise OSError(f"{self.name} was refused with {code}")
        if self._has_session and not session_present:
            self.ledger.complaints.append(f"{self.name}: its session is lost (connection {self.connections + 1})")
            self._session_lost()
        self.connections += 1
        self._begin(session_present)

    def _session_lost(self):
        pass

    def _begin(self, session_present):
        """What follows CONNACK; sets `ready` sooner or later."""
        raise NotImplementedError

    def _handle(self, kind, first, body):
        raise NotImplementedError


class Publisher(End):
    """Publishes numbered messages; at most `window` of them are unacknowledged."""

    def __init__(self, *arguments, window=20, **keywords):
        self.outgoing = {}
        self.window = window
        self.refused = collections.Counter()
        self._identifier = 0
        self._room = asyncio.Event()
        super().__init__(*arguments, **keywords)

    async def publish(self, topic, qos, padding=b"", retain=False, deletes=False):
        """Sends the next message of a topic as soon as there is room for it; offline, it waits for the connection.

        One that `deletes` has a number too, but no payload. Returns the number.
        """
        while len(self.outgoing) >= self.window:
            self._room.clear()
            await self._room.wait()
        number = self.ledger.next(topic)
        message = Outgoing(topic, number, b"" if deletes else b"%d " % number + padding, qos, retain)
        identifier = self._free_identifier()
        self.outgoing[identifier] = message
        # Before CONNACK it is not known where to begin; what is in `outgoing` then is sent by `_begin`.
        if self.ready.is_set():
            self._send(identifier, message)
        return number

    async def drained(self):
        while self.outgoing:
            self._room.clear()
            await self._room.wait()

    def _free_identifier(self):
        while True:
            self._identifier = self._identifier % 65535 + 1
            if self._identifier not in self.outgoing:
                return self._identifier

    def _send(self, identifier, message, again=False):
        message.was_sent = True
        self._write(packets.publish(
            self.version, message.topic, message.payload, message.qos, identifier, again, message.retain))

    def _begin(self, session_present):
        self._has_session = True
        self.ready.set()
        for identifier, message in self.outgoing.items():
            if message.is_released:
                self._write(packets.answer(packets.PUBREL, identifier))
            else:
                self._send(identifier, message, again=session_present and message.was_sent)

    def _handle(self, kind, first, body):
        identifier, code = packets.read_answer(body)
        message = self.outgoing.get(identifier)
        if message is None:
            return
        if code >= 0x80 and kind != packets.PUBCOMP:
            self.refused[code] += 1
            self._done(identifier)
        elif kind == packets.PUBREC and message.qos == 2:
            self.ledger.acknowledged[message.topic].add(message.number)
            message.is_released = True
            self._write(packets.answer(packets.PUBREL, identifier))
        elif kind == packets.PUBACK and message.qos == 1:
            self.ledger.acknowledged[message.topic].add(message.number)
            self._done(identifier)
        elif kind == packets.PUBCOMP and message.is_released:
            self._done(identifier)

    def _done(self, identifier):
        del self.outgoing[identifier]
        self._room.set()


class Subscriber(End):
    """Receives what matches its filters, and enters it in the ledger under the topic without `prefix`."""

    def __init__(self, *arguments, filters, prefix="", **keywords):
        self.filters, self.prefix = filters, prefix
        self.count = 0
        self._open = set()
        super().__init__(*arguments, **keywords)

    def _session_lost(self):
        self._open.clear()

    def _begin(self, session_present):
        if session_present:
            self.ready.set()
        else:
            self._write(packets.subscribe(self.version, 1, self.filters))

    def _handle(self, kind, first, body):
        if kind == packets.SUBACK:
            assert not any(code & 0x80 for code in body[-len(self.filters):]), f"{self.name} may not subscribe"
            self._has_session = True
            self.ready.set()
        elif kind == packets.PUBLISH:
            self._message(first, body)
        elif kind == packets.PUBREL:
            identifier, _ = packets.read_answer(body)
            self._open.discard(identifier)
            self._write(packets.answer(packets.PUBCOMP, identifier))

    def _message(self, first, body):
        topic, payload, qos, identifier, _ = packets.read_publish(self.version, first, body)
        if identifier not in self._open:
            self.count += 1
            self.ledger.arrived(self.name, topic.removeprefix(self.prefix), int(payload.split(b" ", 1)[0]))
        if qos == 2:
            self._open.add(identifier)
            self._write(packets.answer(packets.PUBREC, identifier))
        elif qos == 1:
            self._write(packets.answer(packets.PUBACK, identifier))


async def retained(port, topics):
    """The retained messages under a filter, by topic; None if the broker ended meanwhile."""
    found = {}

    def arrived(writer, first, body):
        if first & 0xF0 == packets.CONNACK:
            # Behind the answer to the ping is nothing retained: at QoS 0 all of it is sent at once.
            writer.write(packets.subscribe(packets.V311, 1, [(topics, 0)]) + packets.PING)
        elif first & 0xF0 == packets.PUBLISH:
            topic, payload, _, _, is_retained = packets.read_publish(packets.V311, first, body)
            # Others are published just now.
            if is_retained:
                found[topic] = payload
        return first & 0xF0 == packets.PINGRESP

    return found if await _brief(port, packets.connect(packets.V311, "looks-once", clean=True), arrived) else None


async def die(port, name, will, alive):
    """Connects with a will, and vanishes; whether the broker has acknowledged a retained message to `alive` meanwhile.

    What is acknowledged after the CONNECT is not kept without what the CONNECT said.
    """
    def arrived(writer, first, body):
        if first & 0xF0 == packets.CONNACK:
            writer.write(packets.publish(packets.V5, alive, name.encode(), 1, 1, retain=True))
        return first & 0xF0 == packets.PUBACK

    return await _brief(port, packets.connect(packets.V5, name, clean=True, will=will), arrived)


async def _brief(port, connect, arrived):
    """One connection until `arrived` says that it is over; False if the broker ended it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    splitter = packets.Splitter()
    try:
        writer.write(connect)
        while data := await reader.read(65536):
            if any([arrived(writer, first, body) for first, body in splitter.feed(data)]):
                return True
    except OSError:
        pass
    finally:
        writer.transport.abort()
    return False
