"""A server of MQTT 5 that says in CONNACK what it allows, and answers each message as a test wants."""
import contextlib
import socket
import struct
import threading

from . import packets
from .waiting import Log


class Scripted:
    """`answer(topic, qos)` gives the reason code of the PUBACK, or None for hanging up; `limits` are CONNACK's properties.

    `messages` has topic, payload, QoS, whether it was retained, and how many were unanswered; `connections` a CONNECT each.
    """

    def __init__(self, limits=b"", answer=lambda topic, qos: 0):
        self.limits, self.answer = limits, answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.messages, self.connections = Log(), Log()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    self._talk(connection)

    def _talk(self, connection):
        splitter, aliases = packets.Splitter(), {}
        while data := connection.recv(65536):
            arrived = splitter.feed(data)
            for place, (first, body) in enumerate(arrived):
                if first >> 4 == 1:
                    self.connections.add(body)
                    connection.sendall(packets.packet(0x20, b"\0\0" + bytes([len(self.limits)]) + self.limits))
                elif first >> 4 == 3:
                    topic, payload, qos, identifier, retain = packets.read_publish(packets.V5, first, body)
                    topic = self._alias(body, qos, topic, aliases)
                    unanswered = sum(1 for kind, _ in arrived[place:] if kind >> 4 == 3)
                    self.messages.add((topic, payload, qos, retain, unanswered))
                    code = self.answer(topic, qos)
                    if code is None:
                        return
                    if qos:
                        connection.sendall(packets.packet(0x40, struct.pack(">HBB", identifier, code, 0)))
                elif first >> 4 == 12:
                    connection.sendall(b"\xd0\0")

    @staticmethod
    def _alias(body, qos, topic, aliases):
        """The topic, if only its number came; what has a number stands before what has a text."""
        place = 2 + struct.unpack_from(">H", body)[0] + (2 if qos else 0)
        length, place = packets.read_number(body, place)
        end, sizes = place + length, {0x01: 2, 0x02: 5}
        while place < end and body[place] in sizes:
            place += sizes[body[place]]
        if place == end or body[place] != 0x23:
            return topic
        return aliases.setdefault(struct.unpack_from(">H", body, place + 1)[0], topic)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
