#!/usr/bin/env python3
"""Martlet and mosquitto side by side: broker CPU per delivered message, latency and memory, in interleaved rounds on this
machine.

    python3 Benchmarks/side-by-side.py [--rounds 5] [--martlet .build/release/martlet] [--markdown]

Both brokers run on loopback with their defaults (mosquitto without a log), driven by mqttload, which checks that
every message arrives once and in order. Machines are noisy: read the ratio of a row, not its absolute figures.
"""
import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

SCENARIOS = [
    ("fan-in 10->1 QoS 0", ["fanin", "-q", "0", "-P", "10", "-n", "200000", "-o", "500"]),
    ("fan-in 10->1 QoS 1", ["fanin", "-q", "1", "-P", "10", "-n", "100000", "-o", "500"]),
    ("fan-in 10->1 QoS 1, MQTT 5", ["fanin", "-q", "1", "-P", "10", "-n", "100000", "-V", "5", "-o", "500"]),
    ("fan-in 10->1 QoS 2", ["fanin", "-q", "2", "-P", "10", "-n", "50000", "-o", "500"]),
    ("fan-out 1->50 QoS 0", ["fanout", "-q", "0", "-S", "50", "-n", "8000"]),
    ("fan-out 1->50 QoS 1", ["fanout", "-q", "1", "-S", "50", "-n", "4000"]),
    ("lone: 20 pairs QoS 1, one in flight", ["pairs", "-q", "1", "-P", "20", "-n", "20000", "--burst", "1", "--inflight", "1", "--outstanding", "20"]),
    ("one wildcard filter", ["wildcard", "-q", "0", "-f", "1", "-n", "50000"]),
    ("10,000 wildcard filters", ["wildcard", "-q", "0", "-f", "10000", "-n", "50000"]),
    ("paced 1000 msg/s, 10 pairs QoS 0", ["pairs", "-q", "0", "-P", "10", "-n", "5000", "-r", "1000", "--burst", "1"]),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"a broker ended at once with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("a broker did not listen within 10 s")


def start_martlet(binary, folder):
    port = free_port()
    config = os.path.join(folder, "martlet.yaml")
    with open(config, "w") as file:
        file.write(
            "version: 1\ngateway: { id: bench }\n"
            f"broker:\n  listen:\n    - {{ address: 127.0.0.1, port: {port} }}\n"
            # Subscribers of the wildcard scenarios and the idle connections are more than the defaults allow.
            "  limits: { connect_rate: off, max_connections: 20000, subscriptions: 20000 }\n")
    process = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(port, process)
    return port, process


def start_mosquitto(folder):
    port = free_port()
    config = os.path.join(folder, "mosquitto.conf")
    with open(config, "w") as file:
        file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type none\n")
    process = subprocess.Popen(
        [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", config], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(port, process)
    return port, process


def measure(load, arguments, port, process):
    done = subprocess.run(
        [load, *arguments, "-p", str(port), "--pid", str(process.pid), "--json"],
        capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"mqttload {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(lines[-1])
    result["exit"] = done.returncode
    return result


COLUMNS = ["scenario", "martlet us/msg", "mosquitto us/msg", "ratio", "martlet msg/s", "martlet p50/p99 us",
           "mosquitto p50/p99 us", "lost"]


class Table:
    """Rows as they come, for a terminal or for a page."""

    def __init__(self, columns, markdown):
        self.markdown = markdown
        self.widths = [max(len(column), 38 if index == 0 else 9) for index, column in enumerate(columns)]
        self.row(columns)
        if markdown:
            print("|" + "---|" * len(columns), flush=True)

    def row(self, cells):
        if self.markdown:
            print("| " + " | ".join(cells) + " |", flush=True)
        else:
            print("  ".join(cell.ljust(width) if index == 0 else cell.rjust(width)
                            for index, (cell, width) in enumerate(zip(cells, self.widths))), flush=True)


def in_rounds(rounds, load, arguments, brokers):
    """Each broker's results, in turns: what the machine does meanwhile hits both."""
    results = {name: [] for name in brokers}
    for number in range(rounds):
        order = list(brokers) if number % 2 == 0 else list(reversed(brokers))
        for name in order:
            results[name].append(measure(load, arguments, *brokers[name]))
    return results


def median(results, field):
    return statistics.median(result.get(field) or 0 for result in results)


def messages(table, name, results):
    ours, theirs = (median(results[broker], "cpu_us_per_msg") for broker in ("martlet", "mosquitto"))
    latency = [f"{median(results[b], 'p50_us'):.0f}/{median(results[b], 'p99_us'):.0f}" for b in ("martlet", "mosquitto")]
    lost = sum(result.get("lost", 0) for result in results["martlet"])
    table.row([name, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.3f}",
               f"{median(results['martlet'], 'msg_per_s'):.0f}", *latency, str(lost)])


def idle_memory(process):
    """RSS and anonymous memory in MB."""
    with open(f"/proc/{process.pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file if line.startswith(("VmRSS", "RssAnon")))
    return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]


def connections(table, load, folder, martlet, rounds):
    """Fresh brokers: memory at rest, 10,000 connects as fast as they go, then held idle."""
    for name, start in (("martlet", lambda: start_martlet(martlet, folder)), ("mosquitto", lambda: start_mosquitto(folder))):
        results, rests = [], []
        for _ in range(rounds):
            port, process = start()
            time.sleep(0.5)
            rests.append(idle_memory(process))
            results.append(measure(load, ["storm", "-c", "10000", "-h", "2"], port, process))
            process.terminate()
            process.wait(timeout=20)
        refused = sum(result["refused"] + result["dropped_while_idle"] for result in results)
        rate = statistics.median(result["connections"] / result["secs"] for result in results)
        table.row([name, f"{statistics.median(r[0] for r in rests):.1f}", f"{statistics.median(r[1] for r in rests):.2f}",
                   f"{rate:.0f}", f"{median(results, 'rss_per_conn_bytes'):.0f}",
                   f"{median(results, 'idle_cpu_ms'):.1f}", str(refused)])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--only", help="run scenarios whose name contains this")
    options.add_argument("--markdown", action="store_true")
    chosen = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536) if most > 0 else 65536, most))
    with tempfile.TemporaryDirectory() as folder:
        load = os.path.join(folder, "mqttload")
        subprocess.run(["cc", "-O2", "-o", load, os.path.join(HERE, "mqttload.c")], check=True)
        brokers = {"martlet": start_martlet(chosen.martlet, folder), "mosquitto": start_mosquitto(folder)}
        try:
            table = Table(COLUMNS, chosen.markdown)
            for name, arguments in SCENARIOS:
                if not chosen.only or chosen.only in name:
                    messages(table, name, in_rounds(chosen.rounds, load, arguments, brokers))
        finally:
            for _, process in brokers.values():
                process.terminate()
            for _, process in brokers.values():
                process.wait(timeout=20)
        if not chosen.only or chosen.only in "connections":
            print()
            table = Table(["10,000 connections", "idle RSS MB", "idle anonymous MB", "connects/s", "bytes each",
                           "idle CPU ms/2s", "refused"], chosen.markdown)
            connections(table, load, folder, chosen.martlet, min(chosen.rounds, 3))


main()
