"""Real clients of other makers: what each of them can do with the broker; docs/interoperability.md is the table of it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from peers.gateway import ROOT
from peers.waiting import free_port

PEERS = pathlib.Path(__file__).parent / "peers" / "interoperability"
TABLE = ROOT / "docs" / "interoperability.md"
STEPS = ["QoS 0", "QoS 1", "QoS 2", "retained", "will", "shared"]

# Client, its versions of MQTT, its ways to connect, and what it can't be asked.
CLIENTS = {
    "mosquitto_sub and mosquitto_pub 2.0": ("mosquitto_peer.py", [3, 4, 5], ["TCP", "TLS"], []),
    "paho C 1.3": ("paho_c_peer", [4, 5], ["TCP", "TLS"], ["will"]),
    "aiomqtt 2.5 (paho Python)": ("aiomqtt_peer.py", [4, 5], ["TCP", "TLS", "WebSocket", "secure WebSocket"], []),
    "gmqtt 0.8": ("gmqtt_peer.py", [4, 5], ["TCP", "TLS"], []),
    "amqtt 0.12": ("amqtt_peer.py", [4], ["TCP", "WebSocket"], []),
    "MQTT.js 4.3": ("mqttjs_peer.js", [4, 5], ["TCP", "TLS", "WebSocket", "secure WebSocket"], []),
}
VERSIONS = {3: "3.1", 4: "3.1.1", 5: "5.0"}
CASES = [
    pytest.param(client, version, way, id=f"{client.split()[0]}-{VERSIONS[version]}-{way.replace(' ', '-')}")
    for client, (_, versions, ways, _) in CLIENTS.items() for version in versions for way in ways
]


@pytest.fixture(scope="module")
def observed():
    """What was seen, by client, version and way."""
    return {}


@pytest.fixture
def ways(gateway, authority):
    """Ports and options of all ways to connect to one gateway."""
    ports = {way: free_port() for way in ["TCP", "TLS", "WebSocket", "secure WebSocket"]}
    tls = {"cert": str(authority.certificate), "key": str(authority.key)}
    listen = []
    for way, port in ports.items():
        entry = {"address": "127.0.0.1", "port": port}
        if way in ("TLS", "secure WebSocket"):
            entry["tls"] = tls
        if "WebSocket" in way:
            entry["websocket"] = {}
        listen.append(entry)
    gateway(broker={"listen": listen}, port=ports["TCP"])
    options = {"TCP": [], "TLS": [f"ca={authority.ca}"], "WebSocket": ["path=/mqtt"]}
    options["secure WebSocket"] = options["TLS"] + options["WebSocket"]
    return {way: [str(ports[way]), *options[way]] for way in ports}


@pytest.fixture(scope="session")
def paho_c(tmp_path_factory):
    """The C program, compiled."""
    program = tmp_path_factory.mktemp("paho") / "paho_c_peer"
    subprocess.run(["cc", "-O1", "-o", program, PEERS / "paho_c_peer.c", "-lpaho-mqtt3cs"], check=True, timeout=120)
    return program


def command(file, paho_c):
    if file.endswith(".py"):
        return [sys.executable, PEERS / file]
    if file.endswith(".js"):
        return [shutil.which("nodejs") or "node", PEERS / file]
    return [paho_c]


@pytest.mark.parametrize("client, version, way", CASES)
def test_a_client_of_another_maker_is_served(client, version, way, ways, observed, paho_c):
    file, _, _, unasked = CLIENTS[client]
    done = subprocess.run(
        [*command(file, paho_c), str(version), *ways[way]], capture_output=True, text=True, timeout=240,
        env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-2000:]
    outcome = json.loads(lines[-1])
    observed[client, version, way] = outcome
    assert outcome == {step: "yes" for step in STEPS if step not in unasked}, done.stderr[-2000:]


def test_the_table_says_what_was_seen(observed):
    """With INTEROPERABILITY=write it is written anew."""
    if len(observed) < len(CASES):
        pytest.skip("not every client ran")
    rows = ["| client | MQTT | over | " + " | ".join(STEPS) + " |", "|---|---|---|" + "---|" * len(STEPS)]
    for (client, version, way), outcome in observed.items():
        cells = [outcome.get(step, "not asked") for step in STEPS]
        rows.append(f"| {client} | {VERSIONS[version]} | {way} | " + " | ".join(cells) + " |")
    table = "\n".join(rows) + "\n"
    if os.environ.get("INTEROPERABILITY") == "write":
        before = TABLE.read_text().split("| client |")[0] if TABLE.exists() else ""
        TABLE.write_text(before + table)
    assert TABLE.read_text().endswith(table), "run it with INTEROPERABILITY=write"
