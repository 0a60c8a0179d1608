"""The gateway as a service: how it says that it is there, and how it ends."""
import contextlib
import shutil
import signal
import socket
import subprocess

import pytest

from peers.gateway import BINARY, LONGEST_STOP, ROOT, Gateway, configuration, martlet
from peers.modbus import relay_board
from peers.threads import held
from peers.waiting import free_port, is_listening


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_it_ends_cleanly_and_says_so_on_its_topics(bus, gateway, client, how):
    line = bus("meterbus", [relay_board(1)])
    broker = gateway(
        ports={"meterbus": {"device": line.path, "baudrate": 9600, "format": "8N1"}},
        devices={"relays": {"profile": "waveshare-modbus-relay-8", "port": "meterbus", "unit": 1, "poll": "500ms"}})
    watcher = client(broker.port)
    watcher.subscribe("house/#")
    watcher.wait_for("house/relays/$online", lambda message: message.json["state"] == "online")
    watcher.wait_for("house/$online", lambda message: message.json["state"] == "online")

    before = watcher.count
    status, took = broker.stop(how)
    assert status == 0, broker.log
    assert took < LONGEST_STOP
    for topic in ["house/relays/$online", "house/$online"]:
        last = watcher.wait_for(topic, lambda message: message.json["state"] == "offline", after=before).json
        assert last["reason"] == "stopping"


def test_it_ends_in_time_with_many_clients_and_a_silent_device(bus, gateway, client):
    line = bus("meterbus", [relay_board(1)])
    line.silent.add(1)
    broker = gateway(
        ports={"meterbus": {"device": line.path, "baudrate": 9600, "format": "8N1"}},
        devices={"relays": {"profile": "waveshare-modbus-relay-8", "port": "meterbus", "unit": 1, "poll": "500ms"}})
    for _ in range(20):
        client(broker.port).subscribe("#")
    line.wait_until_asked(1, times=2, timeout=10)
    status, took = broker.stop()
    assert status == 0 and took < LONGEST_STOP


class Systemd:
    """The socket that systemd would give to a service."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1000000"}

    def wait_for(self, assignment):
        """Everything that was said until this was, itself included."""
        told = []
        while True:
            told += self.socket.recv(4096).decode().splitlines()
            if assignment in told:
                return told

    def hears_nothing_for(self, seconds):
        """Whether no sign of life comes; what was said before is not counted."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(4096)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)

    def end(self):
        self.socket.close()


def test_systemd_is_told_what_it_waits_for(tmp_path, started, gateway):
    systemd = started(Systemd(tmp_path / "notify"))
    broker = gateway(environment=systemd.environment)
    systemd.wait_for("READY=1")
    for _ in range(4):
        systemd.wait_for("WATCHDOG=1")
    assert broker.stop()[0] == 0
    systemd.wait_for("STOPPING=1")


@pytest.mark.parametrize("loop", ["broker", "devices"])
def test_a_loop_that_is_stuck_gives_no_sign_of_life(tmp_path, started, gateway, loop):
    systemd = started(Systemd(tmp_path / "notify"))
    broker = gateway(environment=systemd.environment)
    systemd.wait_for("WATCHDOG=1")
    with held(broker.process.pid, loop):
        # A sign that was due may still be on its way; then systemd hears nothing for longer than it waits.
        systemd.hears_nothing_for(0.5)
        assert systemd.hears_nothing_for(1.5), f"the watchdog is fed while the loop '{loop}' hangs"
    systemd.wait_for("WATCHDOG=1")


def test_systemd_is_told_ready_only_when_clients_can_connect(tmp_path, started):
    systemd = started(Systemd(tmp_path / "notify"))
    port = free_port()
    config = tmp_path / "house.yaml"
    config.write_text(configuration("house", port))
    started(Gateway(config, port, systemd.environment))
    systemd.wait_for("READY=1")
    assert is_listening(port)


def test_a_port_in_use_is_one_clear_message(tmp_path):
    config = tmp_path / "house.yaml"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config.write_text(configuration("house", port))
        result = martlet("run", "--config", config)
    told = (result.stdout + result.stderr).strip().splitlines()
    assert result.returncode == 1, told
    about = [line for line in told if "in use" in line]
    assert len(about) == 1, told
    assert f"127.0.0.1:{port}" in about[0]


def test_a_missing_configuration_is_one_clear_message(tmp_path):
    for command in ("run", "check"):
        result = martlet(command, "--config", tmp_path / "nosuch.yaml")
        told = (result.stdout + result.stderr).strip()
        assert result.returncode == 2, told
        assert "nosuch.yaml" in told and "No such file" in told
        assert len(told.splitlines()) <= 2, told


UNIT = ROOT / "systemd/martlet.service"
SYSTEMD_ANALYZE = shutil.which("systemd-analyze")
needs_systemd_analyze = pytest.mark.skipif(not SYSTEMD_ANALYZE, reason="systemd-analyze comes with systemd")


@needs_systemd_analyze
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "martlet.service"
    unit.write_text(UNIT.read_text().replace("/usr/bin/martlet", str(BINARY)))
    result = subprocess.run([SYSTEMD_ANALYZE, "verify", "--man=no", unit], capture_output=True, text=True)
    about = [line for line in (result.stdout + result.stderr).splitlines() if "martlet" in line]
    assert about == []


@needs_systemd_analyze
def test_the_unit_leaves_little_to_attack():
    result = subprocess.run(
        [SYSTEMD_ANALYZE, "security", "--offline=yes", "--threshold=20", UNIT], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-300:]
