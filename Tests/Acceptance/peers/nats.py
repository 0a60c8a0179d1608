"""Debian's nats-server: a cluster of three that keeps MQTT messages on three disks."""
import json
import subprocess
import urllib.request

from .waiting import eventually, free_port, is_listening

# Where it keeps the messages of all MQTT clients.
STREAM = "$MQTT_msgs"


class Node:
    """One server of the cluster."""

    def __init__(self, folder, name, routes, route):
        self.name, self.port, self.monitor, self.folder = name, free_port(), free_port(), folder / name
        self.folder.mkdir(parents=True)
        self.config = self.folder / "nats.conf"
        self.config.write_text(f"""
            server_name: {name}
            listen: 127.0.0.1:{free_port()}
            http: 127.0.0.1:{self.monitor}
            jetstream: {{ store_dir: {json.dumps(str(self.folder / "store"))} }}
            cluster: {{ name: fleet, listen: 127.0.0.1:{route}, routes: {json.dumps(routes)} }}
            mqtt: {{ listen: 127.0.0.1:{self.port}, max_ack_pending: 1000 }}
            """)
        self.process = None

    def start(self):
        with open(self.folder / "nats.log", "ab") as log:
            self.process = subprocess.Popen(
                ["nats-server", "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        return self

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, path):
        """What its monitoring says, None where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/{path}", timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None


class Nats:
    """Three nodes; `leader` is the one that the others follow for MQTT messages."""

    def __init__(self, folder):
        ports = [free_port() for _ in range(3)]
        routes = [f"nats://127.0.0.1:{port}" for port in ports]
        self.nodes = [Node(folder, f"n{number + 1}", routes, port) for number, port in enumerate(ports)]

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            eventually(lambda node=node: is_listening(node.port), f"{node.name} listens", timeout=60)
        # Before there is a leader, no session can be made.
        eventually(lambda: (self.nodes[0].ask("jsz") or {}).get("meta_cluster", {}).get("leader"),
                   "the nodes choose a leader", timeout=60)
        return self

    def leader(self):
        """The node that leads the stream of messages, which is there as soon as one client has been."""
        return eventually(self._leader, "the stream of MQTT messages has a leader", timeout=60)

    def _leader(self):
        for node in self.nodes:
            for account in (node.process and node.ask("jsz?streams=true") or {}).get("account_details", []):
                for stream in account.get("stream_detail", []):
                    if stream["name"] == STREAM and "cluster" in stream:
                        return next((n for n in self.nodes if n.name == stream["cluster"].get("leader")), None)
        return None

    def end(self):
        for node in self.nodes:
            node.kill()
