"""A client of MQTT 5 that authenticates with SCRAM-SHA-256 (RFC 5802, RFC 7677): no library at hand does."""
import base64
import hashlib
import hmac
import os
import socket
import struct

CONNACK, AUTH, DISCONNECT = 0x20, 0xF0, 0xE0
CONTINUE, AGAIN = 0x18, 0x19


def _text(value):
    return struct.pack("!H", len(value)) + value


def _authentication(method, data):
    properties = b"\x15" + _text(method) + b"\x16" + _text(data)
    return bytes([len(properties)]) + properties


class Scram:
    """One connection; `connect` and `again` return the server's reason code and whether the server proved itself."""

    def __init__(self, port, user, password, method=b"SCRAM-SHA-256"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.user, self.password, self.method = user.encode(), password.encode(), method

    def connect(self, client_id=b"scram"):
        first = self._first()
        body = _text(b"MQTT") + b"\x05\x02" + struct.pack("!H", 60) + _authentication(self.method, first)
        self._send(0x10, body + _text(client_id))
        return self._finish(first)

    def again(self):
        """Proves itself anew on the open connection."""
        first = self._first()
        self._send(AUTH, bytes([AGAIN]) + _authentication(self.method, first))
        return self._finish(first)

    def _first(self):
        return b"n,,n=" + self.user + b",r=" + base64.b64encode(os.urandom(18))

    def _finish(self, first):
        kind, code, challenge = self._receive()
        if kind != AUTH or code != CONTINUE:
            return code, False
        fields = dict(part.split(b"=", 1) for part in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        sign = lambda key, message: hmac.digest(key, message, "sha256")
        client_key = sign(salted, b"Client Key")
        start = b"c=biws,r=" + fields[b"r"]
        signed = b",".join([first[3:], challenge, start])
        signature = sign(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(left ^ right for left, right in zip(client_key, signature))
        final = start + b",p=" + base64.b64encode(proof)
        self._send(AUTH, bytes([CONTINUE]) + _authentication(self.method, final))
        kind, code, answer = self._receive()
        expected = b"v=" + base64.b64encode(sign(sign(salted, b"Server Key"), signed))
        return code, answer == expected

    def _send(self, first, body):
        length, size = b"", len(body)
        while True:
            size, digit = divmod(size, 128)
            length += bytes([digit | (0x80 if size else 0)])
            if not size:
                break
        self.socket.sendall(bytes([first]) + length + body)

    def _receive(self):
        """The next packet's kind, its reason code and its authentication data."""
        kind = self._exactly(1)[0]
        length, shift = 0, 0
        while True:
            digit = self._exactly(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                break
        body = self._exactly(length)
        if kind == CONNACK:
            body = body[1:]
        code = body[0] if body else 0
        marker = body.find(b"\x16", 2)
        if kind == DISCONNECT or marker < 0:
            return kind, code, b""
        size = struct.unpack("!H", body[marker + 1:marker + 3])[0]
        return kind, code, body[marker + 3:marker + 3 + size]

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the server closed the connection"
            data += more
        return data

    def end(self):
        self.socket.close()
