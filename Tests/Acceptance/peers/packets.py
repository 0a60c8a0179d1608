"""MQTT 3.1.1 and 5 packets as bytes: for tests that must see what a library keeps to itself, like identifiers and DUP."""
import struct

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xD0
DISCONNECT = b"\xe0\x00"
PING = b"\xc0\x00"
V311, V5 = 4, 5
SESSION_EXPIRY = 0x11
WILL_DELAY = 0x18


def number(length):
    """A Variable Byte Integer."""
    data = b""
    while True:
        length, low = divmod(length, 128)
        data += bytes([low | (0x80 if length else 0)])
        if not length:
            return data


def read_number(data, place):
    """A Variable Byte Integer, and where it ends; None when there is more to come."""
    value = 0
    for count in range(4):
        if place + count >= len(data):
            return None
        value |= (data[place + count] & 0x7F) << 7 * count
        if data[place + count] < 0x80:
            return value, place + count + 1
    raise ValueError("a length of more than four bytes")


def packet(first, body):
    return bytes([first]) + number(len(body)) + body


def text(words):
    words = words if isinstance(words, bytes) else words.encode()
    return struct.pack(">H", len(words)) + words


def connect(version, client, clean=False, expiry=3600, keep_alive=0, user=None, password=None, will=None):
    """`will` is its topic, payload and, for version 5, delay in seconds; it goes at QoS 1."""
    flags = (2 if clean else 0) | (0x80 if user else 0) | (0x40 if password else 0) | (0x0C if will else 0)
    body = text("MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive)
    if version == V5:
        properties = struct.pack(">BI", SESSION_EXPIRY, expiry)
        body += number(len(properties)) + properties
    body += text(client)
    if will:
        topic, payload, delay = will
        body += (number(5) + struct.pack(">BI", WILL_DELAY, delay) if version == V5 else b"") + text(topic) + text(payload)
    body += (text(user) if user else b"") + (text(password) if password else b"")
    return packet(0x10, body)


def publish(version, topic, payload, qos, identifier=0, again=False, retain=False):
    body = text(topic) + (struct.pack(">H", identifier) if qos else b"") + (b"\0" if version == V5 else b"")
    return packet(PUBLISH | (8 if again else 0) | qos << 1 | retain, body + payload)


def subscribe(version, identifier, filters):
    """`filters` are pairs of a filter and a QoS."""
    body = struct.pack(">H", identifier) + (b"\0" if version == V5 else b"")
    return packet(0x82, body + b"".join(text(name) + bytes([qos]) for name, qos in filters))


def answer(kind, identifier):
    """PUBACK, PUBREC, PUBREL or PUBCOMP, with success."""
    return struct.pack(">BBH", kind | (2 if kind == PUBREL else 0), 2, identifier)


def read_answer(body):
    """The identifier, and the reason code: 0 where none is written."""
    return struct.unpack_from(">H", body)[0], body[2] if len(body) > 2 else 0


def read_publish(version, first, body):
    """Topic, payload, QoS, identifier (0 at QoS 0), and whether it is retained."""
    length = struct.unpack_from(">H", body)[0]
    topic, place, qos = body[2:2 + length].decode(), 2 + length, first >> 1 & 3
    identifier = 0
    if qos:
        identifier = struct.unpack_from(">H", body, place)[0]
        place += 2
    if version == V5:
        properties, place = read_number(body, place)
        place += properties
    return topic, bytes(body[place:]), qos, identifier, bool(first & 1)


class Splitter:
    """Cuts what a connection brings into packets."""

    def __init__(self):
        self._data = bytearray()

    def feed(self, data):
        """The whole packets that there are now: first byte and body."""
        self._data += data
        packets, place = [], 0
        while place < len(self._data):
            found = read_number(self._data, place + 1)
            if found is None or found[1] + found[0] > len(self._data):
                break
            length, begin = found
            packets.append((self._data[place], bytes(self._data[begin:begin + length])))
            place = begin + length
        del self._data[:place]
        return packets
