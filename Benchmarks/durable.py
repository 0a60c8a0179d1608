#!/usr/bin/env python3
"""What it costs to keep messages for a subscriber that is away: publish rate at QoS 1 and bytes written per 100-byte
message, of Martlet and of mosquitto, in interleaved rounds on this machine.

    python3 Benchmarks/durable.py [--rounds 5] [--messages 20000] [--autosave-messages 2000] [--publishers 10]
                                  [--martlet .build/release/martlet] [--folder .build] [--markdown] [--json FILE]

A client with a persistent session subscribes and leaves, publishers send as fast as they are acknowledged, and the client
comes back and takes it all. The rate is that of acknowledgements; bytes are those that the kernel counts for the process
while they are published (write_bytes of /proc/PID/io). Each round begins with an empty state.

mosquitto's default writes every 30 minutes; with `autosave_on_changes true` and `autosave_interval 1` it writes its whole
database after each change, so the bytes of a message grow with the number of messages: it gets fewer of them.

The last column is what that is good for: 1,000 messages are acknowledged, 0.1 s later the broker is killed (SIGKILL), started
again, and asked for them.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from rig import HERE, Broker, Table, build_load, free_ports, in_rounds, median, write

sys.path.append(os.path.join(HERE, "..", "Tests", "Acceptance"))
from peers import packets  # noqa: E402

TITLES = {
    "martlet": "Martlet, sync: 50ms (default)", "commit": "Martlet, sync: commit",
    "mosquitto": "mosquitto, default", "autosave": "mosquitto, autosave_on_changes, interval 1",
}
KEPT = 1000


class Client:
    """A connection that sends and reads packets, blocking."""

    def __init__(self, port, name, clean=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.splitter, self.waiting = packets.Splitter(), []
        self.socket.sendall(packets.connect(packets.V311, name, clean=clean))
        assert self.read()[0] == packets.CONNACK

    def read(self):
        """The next packet; None when nothing comes for two seconds."""
        while not self.waiting:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise EOFError("the broker ended the connection")
            self.waiting = self.splitter.feed(data)
        return self.waiting.pop(0)


def start_martlet(binary, folder, sync):
    ports = free_ports(["tcp"])
    config = write(folder, "martlet.yaml", [
        "version: 1", f"gateway: {{ id: bench, state_dir: {folder} }}", f"store: {{ sync: {sync} }}", "broker:", "  listen:",
        f"    - {{ address: 127.0.0.1, port: {ports['tcp']} }}",
        "  limits: { queue: { messages: 10000000, bytes: 200MB } }"])
    return Broker([binary, "run", "--config", config], ports)


def start_mosquitto(binary, folder, lines):
    ports = free_ports(["tcp"])
    lines = [*lines, "log_type none", "allow_anonymous true", "persistence true", f"persistence_location {folder}/",
             "max_queued_messages 0", f"listener {ports['tcp']} 127.0.0.1"]
    # Started by root it would become `mosquitto`, who may not write to the folder.
    if os.geteuid() == 0:
        lines.append("user root")
    return Broker([binary, "-c", write(folder, "mosquitto.conf", lines)], ports)


def starters(chosen):
    return {
        "martlet": lambda folder: start_martlet(chosen.martlet, folder, "50ms"),
        "commit": lambda folder: start_martlet(chosen.martlet, folder, "commit"),
        "mosquitto": lambda folder: start_mosquitto(chosen.mosquitto, folder, []),
        "autosave": lambda folder: start_mosquitto(
            chosen.mosquitto, folder, ["autosave_on_changes true", "autosave_interval 1"]),
    }


def measure(load, broker, messages, publishers):
    done = subprocess.run(
        [load, "offline", "-q", "1", "-s", "100", "-P", str(publishers), "-n", str(messages), "-i", "20", "-x", "600", "--json",
         "-p", str(broker.ports["tcp"]), "--pid", str(broker.process.pid)], capture_output=True, text=True, timeout=900)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"mqttload failed: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(lines[-1])


def kept(start, folder):
    """How many of the acknowledged messages outlive a kill."""
    broker = start(folder)
    reader = Client(broker.ports["tcp"], "reader")
    reader.socket.sendall(packets.subscribe(packets.V311, 1, [("kept", 1)]))
    reader.read()
    reader.socket.sendall(packets.DISCONNECT)
    writer = Client(broker.ports["tcp"], "writer", clean=True)
    for begin in range(1, KEPT + 1, 100):
        for number in range(begin, begin + 100):
            writer.socket.sendall(packets.publish(packets.V311, "kept", b"%d" % number, 1, number))
        for _ in range(100):
            assert writer.read()[0] == packets.PUBACK
    time.sleep(0.1)
    broker.process.kill()
    broker.process.wait()
    broker = start(folder)
    reader = Client(broker.ports["tcp"], "reader")
    reader.socket.settimeout(2)
    numbers = set()
    while len(numbers) < KEPT and (packet := reader.read()):
        _, payload, _, identifier, _ = packets.read_publish(packets.V311, *packet)
        numbers.add(payload)
        reader.socket.sendall(packets.answer(packets.PUBACK, identifier))
    broker.stop()
    return len(numbers)


def run(chosen, scratch):
    load, _ = build_load(scratch)
    start = starters(chosen)

    def fresh(name, use):
        folder = tempfile.mkdtemp(dir=scratch)
        try:
            return use(folder)
        finally:
            shutil.rmtree(folder)

    def one(name):
        def use(folder):
            broker = start[name](folder)
            count = chosen.autosave_messages if name == "autosave" else chosen.messages
            try:
                result = measure(load, broker, count, chosen.publishers)
            finally:
                broker.stop()
            return {**result, "rate": count / result["enqueue_secs"], "bytes": result["enqueue_write_bytes"] / count}

        return fresh(name, use)

    results = in_rounds(chosen.rounds, one, list(start))
    return results, {name: fresh(name, lambda folder: kept(start[name], folder)) for name in start}


def show(results, survivors, markdown):
    table = Table(["broker", "acknowledged/s", "bytes/message", "us/message", "lost", "to autosave", f"kept of {KEPT}"], markdown)
    reference = median(results["autosave"], "rate")
    for name, rounds in results.items():
        rate = median(rounds, "rate")
        table.row([TITLES[name], f"{rate:.0f}", f"{median(rounds, 'bytes'):.0f}",
                   f"{median(rounds, 'enqueue_cpu_us_per_msg'):.1f}", str(sum(round["lost"] for round in rounds)),
                   f"{rate / reference:.1f}x", str(survivors[name])])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--messages", type=int, default=20000)
    options.add_argument("--autosave-messages", type=int, default=2000)
    options.add_argument("--publishers", type=int, default=10)
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--mosquitto", default=shutil.which("mosquitto") or "/usr/sbin/mosquitto")
    options.add_argument("--folder", help="on the disk to be measured; default: .build, or the current folder")
    options.add_argument("--markdown", action="store_true", help="a table for a page")
    options.add_argument("--json", help="a file for all results of all rounds")
    chosen = options.parse_args()
    place = chosen.folder or (".build" if os.path.isdir(".build") else ".")
    with tempfile.TemporaryDirectory(dir=os.path.abspath(place), prefix="durable-") as scratch:
        results, survivors = run(chosen, scratch)
    show(results, survivors, chosen.markdown)
    if chosen.json:
        with open(chosen.json, "w") as file:
            json.dump({"rounds": results, "kept": survivors}, file, indent=1)


main()
