#!/usr/bin/env python3
"""Martlet and mosquitto side by side: broker CPU per delivered message, in interleaved rounds on this machine.

    python3 Benchmarks/side-by-side.py [--rounds 3] [--martlet .build/release/martlet] [--markdown]

Both brokers run on loopback with their defaults (mosquitto without a log), driven by mqttload, which checks that
every message arrives once and in order. Machines are noisy: read the ratio of a row, not its absolute figures.
"""
import argparse
import json
import os
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
            f"broker:\n  listen:\n    - {{ address: 127.0.0.1, port: {port} }}\n")
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


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--only", help="run scenarios whose name contains this")
    options.add_argument("--markdown", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load = os.path.join(folder, "mqttload")
        subprocess.run(["cc", "-O2", "-o", load, os.path.join(HERE, "mqttload.c")], check=True)
        brokers = {"martlet": start_martlet(chosen.martlet, folder), "mosquitto": start_mosquitto(folder)}
        try:
            print("| scenario | martlet us/msg | mosquitto us/msg | ratio | martlet msg/s | lost |" if chosen.markdown else
                  f"{'scenario':38} {'martlet':>9} {'mosquitto':>9} {'ratio':>6} {'msg/s':>9} {'lost':>5}")
            if chosen.markdown:
                print("|---|---|---|---|---|---|")
            for name, arguments in SCENARIOS:
                if chosen.only and chosen.only not in name:
                    continue
                figures = {"martlet": [], "mosquitto": []}
                rates, lost = [], 0
                for round_number in range(chosen.rounds):
                    order = list(brokers) if round_number % 2 == 0 else list(reversed(brokers))
                    for broker in order:
                        result = measure(load, arguments, *brokers[broker])
                        figures[broker].append(result["cpu_us_per_msg"])
                        if broker == "martlet":
                            rates.append(result.get("msg_per_s", 0))
                            lost += result.get("lost", 0)
                ours, theirs = (statistics.median(figures[b]) for b in ("martlet", "mosquitto"))
                row = (name, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}", f"{statistics.median(rates):.0f}", str(lost))
                print("| " + " | ".join(row) + " |" if chosen.markdown else
                      f"{row[0]:38} {row[1]:>9} {row[2]:>9} {row[3]:>6} {row[4]:>9} {row[5]:>5}", flush=True)
        finally:
            for _, process in brokers.values():
                process.terminate()
            for _, process in brokers.values():
                process.wait(timeout=10)


main()
