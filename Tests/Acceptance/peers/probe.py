"""A client in a process of its own, so that nothing but the broker can make it late: publishes to itself, and tells how
long each message took. `probe.py PORT` until its input ends; then a line of JSON."""
import json
import select
import socket
import sys
import time

PAUSE = 0.01
PATIENCE = 5.0


def read(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError("the broker ended the connection")
        data += part
    return data


def packet(connection):
    """One packet of less than 128 bytes."""
    head = read(connection, 2)
    return head + read(connection, head[1])


def main(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05probe")
    assert packet(connection) == b"\x20\x02\x00\x00"
    connection.sendall(b"\x82\x0f\x00\x01\x00\x0aprobe/only\x00")
    assert packet(connection)[0] == 0x90
    times = []
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        sent = time.perf_counter()
        message = b"\x30\x10\x00\x0aprobe/only" + len(times).to_bytes(4, "big")
        connection.sendall(message)
        assert packet(connection) == message
        times.append(time.perf_counter() - sent)
    times.sort()
    print(json.dumps({
        "count": len(times), "median": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "max": times[-1]}))


main(int(sys.argv[1]))
