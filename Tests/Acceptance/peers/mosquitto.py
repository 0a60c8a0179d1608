"""Debian's mosquitto: the server that the gateway forwards to."""
import os
import signal
import subprocess

from .waiting import eventually, free_port, is_listening


class Mosquitto:
    """One mosquitto with a port and a folder that it keeps when it is killed and started again."""

    def __init__(self, folder, tls=None, asks_for_certificates=False, websocket=False, port=None):
        self.port = port or free_port()
        # Another listener without TLS, for who only looks on.
        self.plain_port = free_port() if tls else self.port
        self.folder = folder
        self.database = folder / "mosquitto.db"
        folder.mkdir()
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
        ]
        if os.geteuid() == 0:
            # Or it would become a user who can't write to this folder.
            lines.append("user root")
        if tls:
            lines += [f"cafile {tls.ca}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
            lines += [f"require_certificate {str(asks_for_certificates).lower()}", f"listener {self.plain_port} 127.0.0.1"]
        if websocket:
            self.websocket_port = free_port()
            lines += [f"listener {self.websocket_port} 127.0.0.1", "protocol websockets"]
            if tls:
                lines += [f"cafile {tls.ca}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.process = None

    def start(self):
        with open(self.folder / "mosquitto.log", "ab") as log:
            self.process = subprocess.Popen(
                ["mosquitto", "-v", "-c", self.folder / "mosquitto.conf"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        eventually(lambda: is_listening(self.port), "mosquitto listens")
        return self

    def save(self):
        """Has it write down its sessions, so that they outlive a kill."""
        before = self._written()
        self.process.send_signal(signal.SIGUSR1)
        eventually(lambda: self._written() != before, "mosquitto writes its database")

    def _written(self):
        return self.database.stat().st_mtime_ns if self.database.exists() else None

    def stop(self):
        """Ends it well: it writes down its sessions first."""
        self.process.terminate()
        self.process.wait()
        self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def end(self):
        if self.process:
            self.kill()
