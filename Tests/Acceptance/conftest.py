"""Whatever a test starts ends with it: processes, connections, serial lines."""
import contextlib
import json
import pathlib
import subprocess

import pytest
import yaml

from peers.client import Client
from peers.gateway import BINARY, DEVICES, ROOT, Gateway, configuration
from peers.modbus import Bus
from peers.mosquitto import Mosquitto
from peers.terminals import SmartMeter
from peers.waiting import free_port


def pytest_sessionstart(session):
    if not pathlib.Path(BINARY).exists():
        pytest.exit(f"{BINARY} is not there: `make build` makes it", returncode=2)


@pytest.fixture
def started():
    """Ends in reverse order what was put on it, each with its `end`, and fails with the first that ended badly."""
    with contextlib.ExitStack() as stack:
        yield lambda thing: stack.callback(thing.end) and thing


@pytest.fixture
def gateway(tmp_path, started):
    """Starts a gateway: `gateway(id, ports=…, devices=…)`."""
    def start(identity="house", environment=None, port=None, profiles=DEVICES, **sections):
        port = port or free_port()
        config = tmp_path / f"{identity}.yaml"
        config.write_text(configuration(identity, port, **sections))
        return started(Gateway(config, port, environment, profiles=profiles)).wait_until_listening()

    return start


@pytest.fixture
def client(started):
    """Connects a client: `client(port, …)`."""
    return lambda port, **keywords: started(Client(port, **keywords)).connect()


@pytest.fixture
def bus(tmp_path, started):
    """Makes a Modbus line: `bus(name, units)`."""
    return lambda name, units, **more: started(Bus(tmp_path, name, units, **more))


@pytest.fixture
def smart_meter(tmp_path, started):
    """Makes a P1 port: `smart_meter(name)`."""
    return lambda name: started(SmartMeter(tmp_path, name))


@pytest.fixture
def mosquitto(tmp_path, started):
    """Starts a server: `mosquitto()`."""
    return lambda tls=None, **more: started(Mosquitto(tmp_path / "server", tls, **more)).start()


@pytest.fixture
def demo(tmp_path, started, client):
    """The demo's gateway and a client that sees everything."""
    # BaseLoader leaves every scalar the text that it is, as Martlet's own reader does.
    config = yaml.load((ROOT / "config/demo.yaml").read_text(), yaml.BaseLoader)
    port = free_port()
    config.setdefault("broker", {})["listen"] = [
        {"address": "127.0.0.1", "port": port}, {"unix": str(tmp_path / "demo.sock"), "mode": "0660"}]
    config["gateway"]["state_dir"] = str(tmp_path / "demo-state")
    file = tmp_path / "demo.yaml"
    file.write_text(json.dumps(config))
    gateway = started(Gateway(file, port)).wait_until_listening()
    local = client(port)
    local.subscribe("#")
    return gateway, local


class Authority:
    """A certificate authority, a certificate for localhost, and one for a client."""

    def __init__(self, folder):
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        extensions = folder / "extensions"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        ca_key, request = folder / "ca.key", folder / "request"
        openssl = lambda *arguments: subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=Martlet test authority",
                "-keyout", ca_key, "-out", self.ca)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", self.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", 2,
                "-extfile", extensions, "-out", self.certificate)
        self.client_certificate, self.client_key = folder / "client.pem", folder / "client.key"
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=house", "-keyout", self.client_key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", 2,
                "-out", self.client_certificate)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))
