"""The configuration is read again while the gateway runs: what changes, what stays, and what is said."""
import json
import signal
import subprocess

import pytest

from peers.gateway import martlet
from peers.waiting import eventually, free_port, is_listening


class Reloaded:
    """A gateway with a Unix socket, whose configuration is rewritten."""

    def __init__(self, start, folder):
        self.folder = folder
        self.socket = folder / "m.sock"
        self.ports = [free_port()]
        self.gateway = start(broker=self.broker(), port=self.ports[0])
        self.file = next(folder.glob("*.yaml"))

    def broker(self, **more):
        listen = [{"address": "127.0.0.1", "port": port} for port in self.ports] + [{"unix": str(self.socket)}]
        return {"listen": listen, **more}

    def write(self, **sections):
        text = json.loads(self.file.read_text())
        text.update(sections)
        self.file.write_text(json.dumps(text, indent=1))

    def reload(self):
        return martlet("reload", "--unix", self.socket)


@pytest.fixture
def reloaded(gateway, tmp_path):
    return Reloaded(gateway, tmp_path)


def publish(port, topic, *more):
    return subprocess.run(
        ["mosquitto_pub", "-p", str(port), "-q", "1", "-t", topic, *more], capture_output=True, timeout=30, text=True)


def test_a_session_and_its_queue_survive_while_listeners_come_and_go(reloaded):
    first = reloaded.ports[0]
    sleeper = ["mosquitto_sub", "-c", "-i", "sleeper", "-q", "1", "-t", "q"]
    subprocess.run([*sleeper, "-p", str(first), "-E"], check=True, timeout=30)
    assert publish(first, "q", "-m", "kept").returncode == 0
    second = free_port()
    reloaded.ports = [second]
    reloaded.write(broker=reloaded.broker())
    answer = reloaded.reload()
    assert answer.returncode == 0 and "is applied" in answer.stdout
    eventually(lambda: not is_listening(first), "the old listener is closed")
    got = subprocess.run([*sleeper, "-p", str(second), "-C", "1", "-W", "20"], capture_output=True, timeout=30, text=True)
    assert got.stdout == "kept\n"


def test_a_wrong_configuration_changes_nothing_and_is_told_in_the_same_words(reloaded):
    reloaded.write(broker=reloaded.broker(limits={"max_qs": 1}))
    answer = reloaded.reload()
    assert answer.returncode == 2
    assert "unknown key 'max_qs' in 'broker.limits'" in answer.stdout
    assert "nothing was changed" in answer.stdout
    reloaded.gateway.wait_for_log("unknown key 'max_qs' in 'broker.limits'")
    check = martlet("check", reloaded.file, "--devices", reloaded.folder)
    assert answer.stdout.split("\n\n")[0] in check.stdout
    got = subprocess.run(
        ["mosquitto_sub", "-p", str(reloaded.ports[0]), "-t", "house/$config", "-C", "1", "-W", "20"],
        capture_output=True, timeout=30, text=True)
    assert json.loads(got.stdout)["ok"] is False and "max_qs" in got.stdout


def test_a_listener_that_cannot_be_opened_changes_nothing(reloaded):
    taken = reloaded.ports[0]
    reloaded.ports = [taken, free_port()]
    broker = reloaded.broker(limits={"max_qos": 0})
    broker["listen"][1]["tls"] = {"cert": "/nowhere.pem", "key": "/nowhere.key"}
    reloaded.write(broker=broker)
    answer = reloaded.reload()
    assert answer.returncode == 2 and "/nowhere.pem" in answer.stdout
    assert publish(taken, "still", "-m", "x").returncode == 0


def test_limits_hold_for_clients_from_now_on_and_hang_up_does_the_same(reloaded):
    reloaded.write(broker=reloaded.broker(limits={"topic_levels": 2}))
    reloaded.gateway.process.send_signal(signal.SIGHUP)
    reloaded.gateway.wait_for_log("is applied")
    refused = publish(reloaded.ports[0], "a/b/c", "-V", "5", "-m", "x")
    assert "topic name invalid" in refused.stderr.lower()


def test_what_needs_a_restart_is_said(reloaded):
    reloaded.write(gateway={"id": "barn"})
    answer = reloaded.reload()
    assert answer.returncode == 0 and "at the next restart: gateway" in answer.stdout


def device(port, poll="1s"):
    return {"profile": "eastron-sdm120", "port": port, "poll": poll}


def test_devices_come_change_and_go_and_the_others_notice_nothing(reloaded, client):
    simulated = {"simulate": "eastron-sdm120"}
    ports = {"a": simulated, "b": simulated}
    reloaded.write(ports=ports, devices={"stays": device("a"), "changes": device("b")})
    assert reloaded.reload().returncode == 0
    panel = client(reloaded.ports[0])
    panel.subscribe("house/#")
    for name in ("stays", "changes"):
        panel.wait_for(f"house/{name}/$online", lambda message: b'"online"' in message.payload)
        panel.wait_for(f"house/{name}/voltage")
    before = len(panel.on("house/stays/$online"))

    reloaded.write(ports={**ports, "c": simulated}, devices={
        "stays": device("a"), "changes": device("b", poll="2s"), "comes": device("c")})
    answer = reloaded.reload()
    assert answer.returncode == 0 and "restart" not in answer.stdout
    panel.wait_for("house/comes/voltage")
    panel.wait_for("house/changes/$online", lambda message: b"its configuration was changed" in message.payload)

    reloaded.write(ports={"a": simulated}, devices={"stays": device("a")})
    assert reloaded.reload().returncode == 0
    gone = panel.wait_for("house/comes/$online", lambda message: b"removed" in message.payload)
    assert json.loads(gone.payload)["state"] == "offline"
    assert json.loads(panel.on("house/comes/voltage")[-1].payload)["q"] == "stale"
    assert len(panel.on("house/stays/$online")) == before


def test_nobody_reloads_over_the_network(reloaded):
    refused = publish(reloaded.ports[0], "$martlet/request/reload", "-V", "5", "-m", "x")
    assert "not authorized" in refused.stderr.lower()


def test_without_a_socket_reload_says_what_to_do(tmp_path):
    answer = martlet("reload", "--unix", tmp_path / "none.sock")
    assert answer.returncode == 1 and "SIGHUP" in answer.stderr
