"""Clients that do a broker harm: they send nonsense, dawdle, vanish, come all at once, and take nothing."""
import asyncio
import base64
import contextlib
import os
import random
import re
import struct

from .gateway import ROOT

UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: %s\r\n\r\n")


def known_packets():
    """The bytes of the table of packets that the unit tests share."""
    text = "".join(file.read_text() for file in sorted((ROOT / "Tests/KnownPackets").glob("*.swift")))
    return [bytes.fromhex(found) for found in re.findall(r'"((?:[0-9A-F]{2}[ \n]*){2,})"', text)]


def connect(client, keep_alive=60, flags=2):
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + struct.pack(">HH", keep_alive, len(client)) + client
    return bytes([0x10, len(body)]) + body


def publish(topic, payload):
    body = struct.pack(">H", len(topic)) + topic + payload
    length, head = len(body), b""
    while True:
        length, low = divmod(length, 128)
        head += bytes([low | (0x80 if length else 0)])
        if not length:
            return b"\x30" + head + body


def frame(payload, opcode=2):
    """A WebSocket frame as clients send it, masked with zeros."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Crowd:
    """Runs until it is told to stop; counts what it did, and what it should not have seen in `complaints`."""

    def __init__(self, port, web_port, connect_timeout, seed):
        self.port, self.web_port, self.connect_timeout = port, web_port, connect_timeout
        self.random = random.Random(seed)
        self.packets = known_packets()
        assert len(self.packets) > 100, "the table of packets was not found"
        self.counts = {}
        self.complaints = []

    def run(self, seconds):
        asyncio.run(self._run(seconds))

    async def _run(self, seconds):
        jobs = ([self._mutants(False) for _ in range(6)] + [self._mutants(True) for _ in range(4)]
                + [self._loris(kind) for kind in range(30)] + [self._silent(number) for number in range(10)]
                + [self._storm()] + [self._slow(number) for number in range(5)] + [self._flood()])
        tasks = [asyncio.create_task(job) for job in jobs]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        left = set(tasks)
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.5)
        for task in done:
            task.result()

    def _count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    @contextlib.asynccontextmanager
    async def _connection(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def _mutated(self, data):
        data = bytearray(data)
        for _ in range(self.random.randrange(4)):
            place = self.random.randrange(len(data))
            kind = self.random.randrange(4)
            if kind == 0:
                data[place] = self.random.randrange(256)
            elif kind == 1:
                data[place] ^= 1 << self.random.randrange(8)
            elif kind == 2:
                data[place:place] = data[place:place + 20]
            elif len(data) > 2:
                del data[place]
        return bytes(data)

    async def _mutants(self, over_web):
        """Conversations that are damaged somewhere, in one piece or in small ones."""
        while True:
            talk = connect(b"mutant%d" % self.random.randrange(50)) + b"".join(self.random.choices(self.packets, k=6))
            talk = self._mutated(talk)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with self._connection(self.web_port if over_web else self.port) as (reader, writer):
                    if over_web:
                        await self._upgrade(reader, writer)
                        talk = frame(talk) if self.random.randrange(2) else self._mutated(frame(talk))
                    size = self.random.choice([len(talk), 1, 7])
                    for start in range(0, len(talk), size):
                        writer.write(talk[start:start + size])
                        await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await reader.read(4096)
            self._count("mutated over WebSocket" if over_web else "mutated over TCP")
            await asyncio.sleep(0.01)

    async def _upgrade(self, reader, writer):
        writer.write(UPGRADE % base64.b64encode(os.urandom(16)))
        await reader.readuntil(b"\r\n\r\n")

    async def _loris(self, kind):
        """Half a CONNECT, half an HTTP request, or nothing, and a byte now and then; must be closed in time."""
        loop = asyncio.get_running_loop()
        while True:
            over_web = kind % 3 == 1
            text = [connect(b"l" * 60), UPGRADE % b"x", b""][kind % 3]
            with contextlib.suppress(OSError):
                async with self._connection(self.web_port if over_web else self.port) as (reader, writer):
                    began = loop.time()
                    writer.write(text[:10])
                    for number in range(10, 1000):
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(0.5):
                                if not await reader.read(100):
                                    break
                        writer.write(text[number:number + 1])
                    if loop.time() - began > self.connect_timeout + 5:
                        self.complaints.append(f"a slow connection of kind {kind % 3} was let be")
            self._count("slow-loris")

    async def _silent(self, number):
        """Connected with a keep alive of a second, and then as if the network was gone."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._connection(self.port) as (reader, writer):
                writer.write(connect(b"silent%d" % number, keep_alive=1))
                await reader.readexactly(4)
                began = loop.time()
                with contextlib.suppress(OSError):
                    await reader.read(1)
                if not 1.4 < loop.time() - began < 8:
                    self.complaints.append(f"a silent client was closed after {loop.time() - began:.1f} s")
            self._count("half-open")

    async def _storm(self):
        """A hundred clients at once, each second."""
        while True:
            await asyncio.gather(*(self._caller(number) for number in range(100)))
            await asyncio.sleep(1)

    async def _caller(self, number):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with self._connection(self.port) as (reader, writer):
                writer.write(connect(b"caller%d" % number))
                if await reader.readexactly(4) != b"\x20\x02\x00\x00":
                    self.complaints.append("a caller was refused")
            self._count("storm")

    async def _slow(self, number):
        """Subscribes to everything that is loud, and takes nothing of it."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with self._connection(self.port) as (reader, writer):
                    writer.write(connect(b"slow%d" % number) + b"\x82\x0b\x00\x01\x00\x06load/#" + bytes([number % 2]))
                    await reader.readexactly(9)
                    writer.transport.pause_reading()
                    await asyncio.sleep(3)
            self._count("slow subscriber")

    async def _flood(self):
        """What the slow ones should take: about 2 MB a second."""
        async with self._connection(self.port) as (_, writer):
            writer.write(connect(b"flood"))
            while True:
                for number in range(20):
                    writer.write(publish(b"load/%d" % number, bytes(4000)))
                await writer.drain()
                self._count("flood of 20")
                await asyncio.sleep(0.04)
