"""What a client is told that goes beyond a limit of `broker.limits`, over the wire."""
import socket
import struct
import time

import pytest

from peers.waiting import eventually, free_port


class Wire:
    """A client that sends bytes and reads packets, MQTT 5."""

    def __init__(self, port, client=b"c", flags=2):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        body = b"\x00\x04MQTT\x05" + bytes([flags]) + b"\x00\x3c\x00" + struct.pack(">H", len(client)) + client
        self.send(0x10, body)

    def send(self, first, body):
        length, head = len(body), b""
        while True:
            length, low = divmod(length, 128)
            head += bytes([low | (0x80 if length else 0)])
            if not length:
                break
        self.socket.sendall(bytes([first]) + head + body)

    def read(self):
        """The next packet's first byte and body; None at the end."""
        head = self._take(2)
        if head is None:
            return None
        assert head[1] < 128
        return head[0], self._take(head[1]) if head[1] else b""

    def _take(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def end(self):
        self.socket.close()


@pytest.fixture
def limited(gateway, started):
    """A gateway with these limits, and how to connect to it."""
    def start(**limits):
        running = gateway(port=(port := free_port()), broker={
            "listen": [{"address": "127.0.0.1", "port": port}], "limits": limits})
        return lambda client=b"c": started(Wire(running.port, client))

    return start


def connected(wire):
    first, body = wire.read()
    assert first == 0x20 and body[1] == 0, body
    return wire


def subscribe(wire, topic, qos=0):
    wire.send(0x82, b"\x00\x01\x00" + struct.pack(">H", len(topic)) + topic + bytes([qos]))
    first, body = wire.read()
    assert first == 0x90
    return body[-1]


def publish(topic, number=0, payload=b""):
    return struct.pack(">H", len(topic)) + topic + (struct.pack(">H", number) if number else b"") + b"\x00" + payload


def test_a_packet_that_is_too_large_is_answered_with_packet_too_large(limited):
    wire = connected(limited(max_packet_size="1000B")())
    wire.send(0x30, publish(b"t", payload=bytes(1000)))
    assert wire.read() == (0xE0, b"\x95")
    assert wire.read() is None


def test_a_quality_that_is_not_served_is_answered_with_qos_not_supported(limited):
    wire = connected(limited(max_qos=0)())
    wire.send(0x32, publish(b"t", 1))
    assert wire.read() == (0xE0, b"\x9b")


def test_a_retained_message_is_answered_with_retain_not_supported(limited):
    wire = connected(limited(retain=False)())
    wire.send(0x31, publish(b"t"))
    assert wire.read() == (0xE0, b"\x9a")


def test_too_many_messages_at_once_are_answered_with_receive_maximum_exceeded(limited):
    wire = connected(limited(receive_maximum=2)())
    # At QoS 2 and without PUBREL each stays open.
    for number in (1, 2, 3):
        wire.send(0x34, publish(b"t", number))
    packets = [wire.read() for _ in range(3)]
    assert [first for first, _ in packets] == [0x50, 0x50, 0xE0]
    assert packets[2][1] == b"\x93"


def test_no_more_is_sent_than_may_be_in_flight(limited):
    connect = limited(in_flight=2)
    reader = connected(connect(b"reader"))
    assert subscribe(reader, b"t", 1) == 1
    writer = connected(connect(b"writer"))
    for number in range(1, 6):
        writer.send(0x32, publish(b"t", number))
        assert writer.read()[0] == 0x40
    assert [reader.read()[0] for _ in range(2)] == [0x32, 0x32]
    # The answer to a ping comes now, and the third message once the first is acknowledged.
    reader.send(0xC0, b"")
    assert reader.read()[0] == 0xD0
    reader.send(0x40, b"\x00\x01")
    assert reader.read()[0] == 0x32


def test_a_subscription_too_many_is_answered_with_quota_exceeded(limited):
    wire = connected(limited(subscriptions=1)())
    assert subscribe(wire, b"a") == 0
    assert subscribe(wire, b"b") == 0x97


@pytest.mark.parametrize("limits, topic", [({"topic_levels": 3}, b"a/b/c/d"), ({"topic_length": 10}, b"0123456789a")])
def test_a_topic_beyond_the_limits_is_answered_with_topic_name_invalid(limited, limits, topic):
    wire = connected(limited(**limits)())
    wire.send(0x32, publish(topic, 1))
    first, body = wire.read()
    assert first == 0x40 and body[2] == 0x90
    assert subscribe(wire, topic) == 0x8F


def test_an_alias_beyond_the_maximum_is_answered_with_topic_alias_invalid(limited):
    wire = connected(limited(topic_alias_maximum=2)())
    wire.send(0x30, b"\x00\x01t\x03\x23\x00\x03")
    assert wire.read() == (0xE0, b"\x94")


def test_a_connection_too_many_is_closed_and_one_that_ends_makes_room(limited):
    connect = limited(max_connections=2)

    def comes_in():
        try:
            return connected(connect(b""))
        except (TypeError, OSError):
            return None

    # The gateway's own clients take no places.
    inside = [comes_in(), comes_in()]
    assert all(inside) and not comes_in()
    inside[0].socket.close()
    eventually(comes_in, "there is room again")


def test_who_does_not_connect_in_time_is_closed(limited):
    connect = limited(connect_timeout="300ms")
    wire = connect()
    connected(wire)
    silent = socket.create_connection(wire.socket.getpeername(), timeout=10)
    began = time.monotonic()
    assert silent.recv(1) == b""
    assert time.monotonic() - began > 0.25


def test_a_slow_greeting_has_one_time_limit_for_all_its_steps(gateway):
    """The upgrade to WebSocket takes most of it, CONNECT never comes."""
    port = free_port()
    gateway(port=port, broker={
        "listen": [{"address": "127.0.0.1", "port": port},
                   {"address": "127.0.0.1", "port": (web := free_port()), "websocket": {"path": "/mqtt"}}],
        "limits": {"connect_timeout": "4s"}})
    request = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", web), timeout=20) as wire:
        for part in (request[:40], request[40:80], request[80:]):
            time.sleep(1)
            wire.sendall(part)
        assert wire.recv(1000).startswith(b"HTTP/1.1 101 ")
        # The front of a frame with a CONNECT, and then nothing.
        wire.sendall(b"\x82\x8e\x00\x00\x00\x00\x10")
        while wire.recv(1000):
            pass
        # By steps it would be three seconds and four more.
        assert 3.9 < time.monotonic() - began < 6


def test_connections_beyond_the_rate_wait_and_lose_nothing(limited):
    connect = limited(connect_rate="20/s")
    # A second's worth may come at once.
    began = time.monotonic()
    wires = [connect(b"c%d" % number) for number in range(40)]
    for wire in wires:
        connected(wire)
    assert time.monotonic() - began > 0.8


def test_a_client_that_publishes_too_fast_is_slowed_down_and_loses_nothing(limited):
    wire = connected(limited(rate={"messages": "20/s"})())
    began = time.monotonic()
    for number in range(1, 41):
        wire.send(0x32, publish(b"t", number))
    for _ in range(40):
        assert wire.read()[0] == 0x40
    assert time.monotonic() - began > 0.8


def test_a_keep_alive_that_is_too_long_is_replaced_by_the_longest(limited):
    wire = limited(max_keep_alive="5s")()
    first, body = wire.read()
    assert first == 0x20 and b"\x13\x00\x05" in body
