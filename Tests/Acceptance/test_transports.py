"""The broker's transports with real clients: TLS, client certificates, WebSocket, a proxy before it, systemd's sockets."""
import os
import socket
import ssl
import struct
import subprocess

import paho.mqtt.client as paho
import pytest

from peers.client import Client
from peers.gateway import BINARY, configuration
from peers.waiting import eventually, free_port, is_listening

VERSIONS = pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5], ids=["v3.1.1", "v5"])
QUALITIES = pytest.mark.parametrize("qos", [0, 1, 2])

CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture
def listen(gateway, client):
    """A gateway with a plain listener and one more: `listen(tls=…)` returns its port and a client on the plain one."""
    def start(auth=None, **listener):
        plain, port = free_port(), free_port()
        entry = {"address": "127.0.0.1", "port": port, **listener}
        sections = {"listen": [{"address": "127.0.0.1", "port": plain}, entry]}
        if auth:
            sections["auth"] = auth
        running = gateway(port=plain, broker=sections)
        return running, port, client(plain)

    return start


@pytest.fixture
def over(started):
    """Connects a client over TLS, WebSocket or both."""
    def connect(port, version=paho.MQTTv311, tls=None, certificate=None, websocket=False):
        connection = Client(port, version=version)
        if websocket:
            connection.paho._transport = "websockets"
            connection.paho.ws_set_options(path="/mqtt")
        if tls:
            shown = {"certfile": str(certificate[0]), "keyfile": str(certificate[1])} if certificate else {}
            connection.paho.tls_set(ca_certs=str(tls.ca), **shown)
            connection._target = ("localhost", port)
        return started(connection).connect()

    return connect


def exchange(one, other, qos):
    """Messages of many sizes, both ways."""
    for sender, receiver, topic in [(one, other, "there"), (other, one, "back")]:
        assert receiver.subscribe(topic, qos=qos) == [qos]
        sent = [(f"{number}:" + "x" * (number * 997 % 70_000)).encode() for number in range(60)]
        for payload in sent:
            sender.paho.publish(topic, payload, qos=qos)
        receiver.wait_for(topic, lambda message: message.payload == sent[-1])
        assert [message.payload for message in receiver.on(topic)] == sent


@VERSIONS
@QUALITIES
def test_tls(listen, over, authority, version, qos):
    _, port, plain = listen(tls={"cert": str(authority.certificate), "key": str(authority.key)})
    exchange(over(port, version, tls=authority), plain, qos)


@VERSIONS
@QUALITIES
def test_websocket(listen, over, version, qos):
    _, port, plain = listen(websocket={"path": "/mqtt"})
    exchange(over(port, version, websocket=True), plain, qos)


@VERSIONS
@QUALITIES
def test_secure_websocket(listen, over, authority, version, qos):
    _, port, plain = listen(
        tls={"cert": str(authority.certificate), "key": str(authority.key)}, websocket={"path": "/mqtt"})
    exchange(over(port, version, tls=authority, websocket=True), plain, qos)


UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")


@pytest.mark.parametrize("kind", ["plain", "tls", "websocket"])
def test_who_takes_nothing_any_more_is_let_go_when_it_is_thrown_out(gateway, client, authority, kind):
    plain, port = free_port(), free_port()
    extra = {"plain": {}, "websocket": {"websocket": {"path": "/mqtt"}},
             "tls": {"tls": {"cert": str(authority.certificate), "key": str(authority.key)}}}[kind]
    running = gateway(port=plain, broker={
        "listen": [{"address": "127.0.0.1", "port": plain}, {"address": "127.0.0.1", "port": port, **extra}],
        "limits": {"connect_timeout": "1s"}})

    def sockets():
        folder = f"/proc/{running.process.pid}/fd"
        links = []
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{name}"))
            except OSError:
                pass
        return sum(link.startswith("socket:") for link in links)

    def framed(packet):
        return b"\x82" + bytes([0x80 | len(packet)]) + bytes(4) + packet if kind == "websocket" else packet

    publisher = client(plain)
    before = sockets()
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(30)
        wire.connect(("127.0.0.1", port))
        if kind == "tls":
            wire = ssl.create_default_context(cafile=str(authority.ca)).wrap_socket(wire, server_hostname="localhost")
        if kind == "websocket":
            wire.sendall(UPGRADE)
            assert wire.recv(1000).startswith(b"HTTP/1.1 101 ")
        wire.sendall(framed(CONNECT) + framed(b"\x82\x0a\x00\x01\x00\x05flood\x00"))
        assert wire.recv(1)
        # Behind the answer to the last one, all have been handed on: more than the kernel takes for a client.
        for _ in range(12):
            publisher.publish("flood", bytes(900_000), qos=1)
        with socket.create_connection(("127.0.0.1", plain), timeout=30) as twin:
            twin.sendall(CONNECT)
            assert twin.recv(4) == CONNACK
        eventually(lambda: sockets() == before, "the place of who takes nothing is free again")
        wire.close()


def test_a_client_certificate_is_the_user(listen, over, authority):
    _, port, plain = listen(
        tls={"cert": str(authority.certificate), "key": str(authority.key), "client_ca": str(authority.ca),
             "client_cert": "require", "user_from": "cn"})
    exchange(over(port, tls=authority, certificate=(authority.certificate, authority.key)), plain, 1)
    with pytest.raises((AssertionError, OSError)):
        over(port, tls=authority)


def proxy_header(address, port):
    """The header of a proxy of version 2, with an addition behind the addresses."""
    body = socket.inet_aton(address) + socket.inet_aton("10.0.0.1") + struct.pack(">HH", port, 1883) + b"\x04\x00\x01x"
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(body)) + body


def test_behind_a_proxy_tls_begins_after_its_header(listen, authority):
    running, port, _ = listen(
        auth={"anonymous": True}, proxy_protocol=True,
        tls={"cert": str(authority.certificate), "key": str(authority.key)})
    context = ssl.create_default_context(cafile=str(authority.ca))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # In one segment with the first bytes of TLS, as a proxy may send it.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        pending = proxy_header("192.0.2.7", 50_001)

        def run(step):
            nonlocal pending
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    connection.sendall(pending + outgoing.read())
                    pending = b""
                    incoming.write(connection.recv(65_536))

        run(secure.do_handshake)
        secure.write(CONNECT)
        assert run(lambda: secure.read(4)) == CONNACK


def test_systemd_passes_the_sockets(tmp_path, started, client):
    ports = [free_port(), free_port()]
    listeners = [socket.create_server(("127.0.0.1", port)) for port in ports]
    config = tmp_path / "passed.yaml"
    config.write_text(configuration("passed", 0, broker={"listen": [{"systemd": "mqtt"}]}))
    log = open(tmp_path / "passed.log", "wb")

    def pass_on():
        # The child's own number, and its descriptors from three on.
        for place, listener in enumerate(listeners):
            os.dup2(listener.fileno(), 100 + place)
        for place in range(len(listeners)):
            os.dup2(100 + place, 3 + place)

    script = f'export LISTEN_PID=$$; exec "{BINARY}" run --config "{config}"'
    process = subprocess.Popen(
        ["/bin/sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, close_fds=False,
        preexec_fn=pass_on, env={**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "mqtt:mqtt"})
    for listener in listeners:
        listener.close()
    try:
        one, other = client(ports[0]), client(ports[1])
        exchange(one, other, 1)
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_slow_clients_go_and_the_others_don_t_notice(gateway, client, authority):
    """Slow-loris on every transport: none of them ever finishes its greeting."""
    plain, secure, web = free_port(), free_port(), free_port()
    running = gateway(port=plain, broker={
        "listen": [
            {"address": "127.0.0.1", "port": plain},
            {"address": "127.0.0.1", "port": secure,
             "tls": {"cert": str(authority.certificate), "key": str(authority.key)}},
            {"address": "127.0.0.1", "port": web, "websocket": {"path": "/mqtt"}},
        ],
        "limits": {"connect_timeout": "2s"},
    })
    beginnings = {plain: CONNECT[:5], secure: b"\x16\x03\x01\x02\x00\x01", web: b"GET /mqtt HTTP/1.1\r\nHost: x\r\n"}
    slow = []
    for port, beginning in beginnings.items():
        for _ in range(100):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(beginning)
            slow.append(connection)
    probe = client(plain)
    probe.subscribe("probe")
    probe.publish("probe", b"x")
    probe.wait_for("probe", timeout=5)
    for connection in slow:
        try:
            assert connection.recv(1000) == b""
        except ConnectionResetError:
            pass
        connection.close()
    assert "no TLS handshake within" in running.log
    assert "no WebSocket upgrade within" in running.log
