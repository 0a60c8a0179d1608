#!/usr/bin/env python3
"""Martlet and mosquitto side by side: broker CPU per delivered message, latency and memory, in interleaved rounds on this
machine, over TCP, TLS and WebSocket.

    python3 Benchmarks/side-by-side.py [--rounds 5] [--martlet .build/release/martlet] [--mosquitto PATH]
                                       [--only NAME] [--markdown] [--json FILE] [--quick]

Both brokers run on loopback with their defaults, except: mosquitto without a log; Martlet with room for more than its
10,000 connections and 1,000 subscriptions of a client, and without its 500 new connections a second. They are driven by
mqttload, which checks that every message arrives once and in order, and takes the broker's CPU time, of all its threads,
from the kernel's nanoseconds. Machines are noisy: read the ratio of a row, not its absolute figures.
"""
import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from rig import HERE, Broker, Table, build_load, free_ports, in_rounds, median, write

# Name, transport, messages to send, mqttload's other arguments.
SCENARIOS = [
    ("fan-in 10->1 QoS 0", "tcp", 200000, ["fanin", "-q", "0", "-P", "10", "-o", "500"]),
    ("fan-in 10->1 QoS 1", "tcp", 100000, ["fanin", "-q", "1", "-P", "10", "-o", "500"]),
    ("fan-in 10->1 QoS 1, MQTT 5", "tcp", 100000, ["fanin", "-q", "1", "-P", "10", "-V", "5", "-o", "500"]),
    ("fan-in 10->1 QoS 2", "tcp", 50000, ["fanin", "-q", "2", "-P", "10", "-o", "500"]),
    ("fan-out 1->50 QoS 0", "tcp", 8000, ["fanout", "-q", "0", "-S", "50"]),
    ("fan-out 1->50 QoS 1", "tcp", 4000, ["fanout", "-q", "1", "-S", "50"]),
    ("fan-out 1->50 QoS 2", "tcp", 2000, ["fanout", "-q", "2", "-S", "50"]),
    ("lone: 20 pairs QoS 1, one in flight", "tcp", 20000,
     ["pairs", "-q", "1", "-P", "20", "--burst", "1", "--inflight", "1", "--outstanding", "20"]),
    ("paced 1000 msg/s, 10 pairs QoS 0", "tcp", 5000, ["pairs", "-q", "0", "-P", "10", "-r", "1000", "--burst", "1"]),
    ("one wildcard filter", "tcp", 50000, ["wildcard", "-q", "0", "-f", "1"]),
    ("10,000 wildcard filters", "tcp", 50000, ["wildcard", "-q", "0", "-f", "10000"]),
] + [
    (f"{transport.upper()}: {name}", transport, messages, arguments)
    for transport in ("tls", "ws", "wss")
    for name, messages, arguments in [
        ("fan-in 10->1 QoS 0", 100000, ["fanin", "-q", "0", "-P", "10", "-o", "500"]),
        ("fan-in 10->1 QoS 1", 50000, ["fanin", "-q", "1", "-P", "10", "-o", "500"]),
        ("fan-out 1->50 QoS 0", 4000, ["fanout", "-q", "0", "-S", "50"]),
        ("fan-out 1->50 QoS 1", 2000, ["fanout", "-q", "1", "-S", "50"]),
    ]
]
LOADS = {"tcp": [], "tls": ["--tls"], "ws": ["--ws", "/mqtt"], "wss": ["--tls", "--ws", "/mqtt"]}
# What stands in for a listener that a mosquitto was built without: the same without WebSocket.
STAND_INS = {"ws": "tcp", "wss": "tls"}


def start_martlet(binary, folder, transports):
    ports = free_ports(transports)
    tls = f"tls: {{ cert: {folder}/server.pem, key: {folder}/server.key }}"
    extra = {"tcp": "", "tls": f", {tls}", "ws": ", websocket: { path: /mqtt }", "wss": f", {tls}, websocket: {{ path: /mqtt }}"}
    listeners = [f"    - {{ address: 127.0.0.1, port: {port}{extra[name]} }}" for name, port in ports.items()]
    config = write(folder, "martlet.yaml", [
        "version: 1", f"gateway: {{ id: bench, state_dir: {folder}/state }}", "broker:", "  listen:", *listeners,
        "  limits: { connect_rate: off, max_connections: 20000, subscriptions: 20000 }"])
    return Broker([binary, "run", "--config", config], ports)


def start_mosquitto(binary, folder, transports):
    ports = free_ports(transports)
    lines = ["log_type none", "allow_anonymous true"]
    for name, port in ports.items():
        lines.append(f"listener {port} 127.0.0.1")
        if name in ("tls", "wss"):
            lines += [f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
        if name in ("ws", "wss"):
            lines.append("protocol websockets")
    # Started by root it would become `mosquitto`, who may not read the folder.
    if os.geteuid() == 0:
        lines.append("user root")
    return Broker([binary, "-c", write(folder, "mosquitto.conf", lines)], ports)


def has_websockets(binary, folder):
    """Whether this mosquitto was built with them; Debian 12's was not."""
    port = free_ports(["ws"])["ws"]
    config = write(folder, "probe.conf", [f"listener {port} 127.0.0.1", "protocol websockets", "allow_anonymous true"])
    try:
        subprocess.run([binary, "-c", config], capture_output=True, timeout=1)
        return False
    except subprocess.TimeoutExpired:
        return True


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", os.path.join(folder, "server.key"), "-out", os.path.join(folder, "server.pem")],
        check=True, capture_output=True)


def measure(load, transport, arguments, broker):
    command = [load, *arguments, *LOADS[transport], "-p", str(broker.ports[transport]), "--pid", str(broker.process.pid), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"{' '.join(command[1:])} failed: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(lines[-1])


def failures(results):
    """What must be nothing for a figure to count."""
    return {field: sum(abs(result.get(field, 0)) for result in results)
            for field in ("lost", "duplicated", "out_of_order", "failed", "dropped_while_idle")}


def messages(chosen, load, brokers, table, record):
    for name, transport, count, arguments in SCENARIOS:
        if transport not in brokers["martlet"].ports or (chosen.only and chosen.only not in name):
            continue
        theirs = transport if transport in brokers["mosquitto"].ports else STAND_INS[transport]
        # What does not come within 20 s is lost; a busy machine may stop for some.
        arguments = [*arguments, "-n", str(max(100, count // (50 if chosen.quick else 1))), "-i", "20"]
        results = in_rounds(chosen.rounds, lambda broker: measure(
            load, transport if broker == "martlet" else theirs, arguments, brokers[broker]))
        ours, peers = ([result["cpu_us_per_msg"] for result in results[b]] for b in ("martlet", "mosquitto"))
        ratios = sorted(our / peer for our, peer in zip(ours, peers))
        latency = [f"{median(results[b], 'p50_us'):.0f}/{median(results[b], 'p99_us'):.0f}" for b in results]
        title = name if theirs == transport else f"{name} (mosquitto: {theirs.upper()})"
        ratio = statistics.median(ours) / statistics.median(peers)
        table.row([title, f"{statistics.median(ours):.2f}", f"{statistics.median(peers):.2f}", f"{ratio:.3f}",
                   f"{ratios[0]:.3f} to {ratios[-1]:.3f}", f"{median(results['martlet'], 'msg_per_s'):.0f}",
                   f"{median(results['mosquitto'], 'msg_per_s'):.0f}", *latency,
                   str(sum(failures(results["martlet"]).values()))])
        record.append({"scenario": name, "transport": transport, "mosquitto_transport": theirs, "ratio": ratio,
                       "failures": {broker: failures(results[broker]) for broker in results}, "rounds": results})


def connections(chosen, load, start, table, record):
    """Fresh brokers: memory at rest; then 10,000 connects, as fast as they go or paced, held idle.

    A few hundred come and go before: the pages of code that connecting needs are no connection's memory.
    """
    count, hold = (500, "0.2") if chosen.quick else (10000, "2")
    for title, pace in (("10,000 connects at once, then idle", []), ("5,000 connects a second, then idle", ["-R", "5000"])):
        def run(name):
            broker = start[name](["tcp"])
            try:
                time.sleep(0.5)
                rss, anonymous = broker.memory()
                measure(load, "tcp", ["storm", "-c", "300", "-h", "0.2"], broker)
                result = measure(load, "tcp", ["storm", "-c", str(count), "-h", hold, *pace], broker)
            finally:
                broker.stop()
            return {**result, "rest_rss_mb": rss, "rest_anonymous_mb": anonymous}

        for name, results in in_rounds(min(chosen.rounds, 3), run).items():
            rate = statistics.median(result["connections"] / result["secs"] for result in results)
            failed = failures(results)
            table.row([f"{title}: {name}", f"{median(results, 'rest_rss_mb'):.1f}", f"{median(results, 'rest_anonymous_mb'):.2f}",
                       f"{rate:.0f}", f"{median(results, 'cpu_us_per_msg'):.1f}",
                       f"{median(results, 'p50_us'):.0f}/{median(results, 'p99_us'):.0f}",
                       f"{median(results, 'rss_per_conn_bytes'):.0f}", f"{median(results, 'idle_cpu_ms'):.1f}",
                       str(sum(failed.values()))])
            record.append({"scenario": title, "broker": name, "failures": {name: failed}, "rounds": {name: results}})


def run(chosen, folder):
    load, with_tls = build_load(folder)
    make_certificate(folder)
    transports = ["tcp", "ws"] + (["tls", "wss"] if with_tls else [])
    theirs = transports if has_websockets(chosen.mosquitto, folder) else [t for t in transports if t not in STAND_INS]
    start = {"martlet": lambda names: start_martlet(chosen.martlet, folder, names),
             "mosquitto": lambda names: start_mosquitto(chosen.mosquitto, folder, names)}
    record = []
    brokers = {"martlet": start["martlet"](transports), "mosquitto": start["mosquitto"](theirs)}
    try:
        table = Table(["scenario", "martlet us/msg", "mosquitto us/msg", "ratio", "ratio of rounds", "martlet msg/s",
                       "mosquitto msg/s", "martlet p50/p99 us", "mosquitto p50/p99 us", "martlet failures"], chosen.markdown)
        messages(chosen, load, brokers, table, record)
    finally:
        for broker in brokers.values():
            broker.stop()
    if not chosen.only or chosen.only in "connections":
        print()
        table = Table(["connections", "rest RSS MB", "rest anonymous MB", "connects/s", "us/connect", "p50/p99 us", "bytes each",
                       "idle CPU ms/2s", "failures"], chosen.markdown)
        connections(chosen, load, start, table, record)
    return record


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--mosquitto", default=shutil.which("mosquitto") or "/usr/sbin/mosquitto")
    options.add_argument("--only", help="run scenarios whose name contains this; `connections` for the second table")
    options.add_argument("--markdown", action="store_true", help="tables for a page")
    options.add_argument("--json", help="a file for all results of all rounds")
    options.add_argument("--quick", action="store_true", help="few messages: enough to see that all works, too few for figures")
    chosen = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536) if most > 0 else 65536, most))
    with tempfile.TemporaryDirectory() as folder:
        record = run(chosen, folder)
    if chosen.json:
        machine = {"system": platform.platform(), "processors": os.cpu_count(), "rounds": chosen.rounds, "quick": chosen.quick}
        with open(chosen.json, "w") as file:
            json.dump({"machine": machine, "results": record}, file, indent=1)
    bad = [entry["scenario"] for entry in record if any(entry["failures"].get("martlet", {}).values())]
    if bad:
        sys.exit("Martlet lost, doubled, reordered or refused something: " + "; ".join(bad))


main()
