"""Debian's RabbitMQ with its MQTT plugin."""
import os
import pathlib
import subprocess

from .waiting import eventually, free_port, is_listening

SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMQ:
    """One server that keeps its queues when it is killed; Erlang's port mapper is its own, and ends with it."""

    def __init__(self, folder):
        self.folder, self.port, self.mapper = folder, free_port(), free_port()
        folder.mkdir()
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{free_port()}\n"
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "mqtt.allow_anonymous = true\nmqtt.subscription_ttl = 3600000\nmqtt.prefetch = 200\n"
            "default_user = guest\ndefault_pass = guest\nmqtt.default_user = guest\nmqtt.default_pass = guest\n")
        (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        self.environment = {
            **os.environ, "HOME": str(folder), "RABBITMQ_NODENAME": f"martlet{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(self.mapper), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self.process = None

    def start(self):
        with open(self.folder / "rabbitmq.log", "ab") as log:
            self.process = subprocess.Popen(
                [SERVER], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.environment,
                start_new_session=True)
        eventually(lambda: is_listening(self.port), "RabbitMQ listens for MQTT", timeout=180)
        return self

    def kill(self):
        if self.process:
            # The script has a virtual machine under it, in the same group.
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.process = None

    def end(self):
        self.kill()
        # It does not end while it knows of a node, and needs a moment to see that one is gone.
        eventually(self._ends_mapper, "Erlang's port mapper ends")

    def _ends_mapper(self):
        subprocess.run(["epmd", "-port", str(self.mapper), "-kill"], capture_output=True)
        return not is_listening(self.mapper)
