#!/usr/bin/env python3
"""What waits for a server that is away: a million messages are published while there is none, Martlet is killed, started
again, and the server comes. How long until it is ready, how fast it drains, and what memory that took.

    python3 Benchmarks/offline.py [--messages 1000000] [--size 200] [--martlet .build/release/martlet] [--folder .build]

The server is mosquitto 2, over MQTT 5, on this machine; it says itself how many messages it took. Memory is the largest
resident set that was seen, looked at ten times a second.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from rig import HERE, free_ports, write

sys.path.append(os.path.join(HERE, "..", "Tests", "Acceptance"))
from peers import packets  # noqa: E402

PUBLISHERS = 4
WINDOW = 1000


class Watched:
    """A process whose memory is looked at."""

    def __init__(self, command, port):
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.most = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if self.process.poll() is not None:
                sys.exit(f"{command[0]} ended with status {self.process.returncode}")
            time.sleep(0.01)

    def _watch(self):
        while self.process.poll() is None:
            try:
                with open(f"/proc/{self.process.pid}/status") as file:
                    sizes = [int(line.split()[1]) for line in file if line.startswith("VmRSS")]
            except OSError:
                return
            self.most = max([self.most, *sizes])
            time.sleep(0.1)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Run:
    def __init__(self, chosen, folder):
        self.chosen, self.folder = chosen, folder
        self.ports = free_ports(["local", "server"])
        self.socket = f"{folder}/martlet.sock"
        self.config = write(folder, "martlet.yaml", [
            "version: 1", f"gateway: {{ id: bench, state_dir: {folder}/state }}",
            "broker:", "  listen:", f"    - {{ address: 127.0.0.1, port: {self.ports['local']} }}",
            f"    - {{ unix: {self.socket} }}",
            "upstream:", "  central:", f"    url: mqtt://127.0.0.1:{self.ports['server']}", "    version: 5",
            "    out: [ { filter: 'bench/#' } ]"])

    def start(self):
        return Watched([self.chosen.martlet, "run", "--config", self.config], self.ports["local"])

    def status(self):
        command = [self.chosen.martlet, "buffer", "status", "--json", "--unix", self.socket]
        done = subprocess.run(command, capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def publish(self):
        began = time.monotonic()
        each = self.chosen.messages // PUBLISHERS
        threads = [threading.Thread(target=self._publish, args=(number, each)) for number in range(PUBLISHERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return each * PUBLISHERS / (time.monotonic() - began)

    def _publish(self, number, count):
        """At QoS 1, a thousand messages on their way at once."""
        connection = socket.create_connection(("127.0.0.1", self.ports["local"]), timeout=60)
        connection.sendall(packets.connect(packets.V311, f"publisher-{number}", clean=True))
        connection.recv(4)
        payload = b"x" * self.chosen.size
        batch = [packets.publish(packets.V311, f"bench/{number}", payload, 1, place + 1) for place in range(WINDOW)]
        acknowledged, sent = 0, 0
        while acknowledged < 4 * count:
            # Never more than the window, and half of it at once: the identifiers come round in order.
            if sent < count and sent - acknowledged // 4 <= WINDOW // 2:
                many, first = min(WINDOW // 2, count - sent), sent % WINDOW
                connection.sendall(b"".join(batch[first:first + many]))
                sent += many
            else:
                acknowledged += len(connection.recv(65536))

    def start_server(self):
        config = write(self.folder, "mosquitto.conf", [
            "log_type none", "allow_anonymous true", "sys_interval 1", f"listener {self.ports['server']} 127.0.0.1"])
        return Watched([self.chosen.mosquitto, "-c", config], self.ports["server"])

    def taken(self):
        done = subprocess.run(
            ["mosquitto_sub", "-p", str(self.ports["server"]), "-t", "$SYS/broker/publish/messages/received", "-C", "2", "-W", "5"],
            capture_output=True, text=True)
        return int((done.stdout.split() or ["0"])[-1])

    def drain(self):
        """Seconds from the first message the server has to the last; the link may take its time to come."""
        full = self.status()["messages"]
        while (left := self.status()["messages"]) == full:
            time.sleep(0.02)
        began, first = time.monotonic(), left
        while (left := self.status()["messages"]) > 0:
            time.sleep(0.1)
        return first, time.monotonic() - began


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--size", type=int, default=200)
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--mosquitto", default=shutil.which("mosquitto") or "/usr/sbin/mosquitto")
    options.add_argument("--folder", help="on the disk to be measured; default: .build, or the current folder")
    chosen = options.parse_args()
    place = chosen.folder or (".build" if os.path.isdir(".build") else ".")
    with tempfile.TemporaryDirectory(dir=os.path.abspath(place), prefix="offline-") as folder:
        run = Run(chosen, folder)
        gateway = run.start()
        print(f"published         {run.publish():12,.0f} messages/s, all acknowledged, no server there", flush=True)
        kept = run.status()
        print(f"kept              {kept['messages']:12,} messages, {kept['bytes'] / 1e6:.0f} MB", flush=True)
        print(f"memory            {gateway.most / 1024:12.1f} MB at most", flush=True)
        gateway.kill()
        gateway = run.start()
        while run.status() is None:
            time.sleep(0.01)
        print(f"killed; ready in  {time.monotonic() - gateway.began:12.2f} s with {run.status()['messages']:,} messages", flush=True)
        server = run.start_server()
        count, seconds = run.drain()
        print(f"drained           {count / seconds:12,.0f} messages/s", flush=True)
        print(f"the server took   {run.taken():12,} messages", flush=True)
        print(f"memory            {gateway.most / 1024:12.1f} MB at most", flush=True)
        gateway.process.terminate()
        gateway.process.wait(20)
        server.kill()


main()
