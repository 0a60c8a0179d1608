#!/usr/bin/env python3
"""What a dead upstream costs local clients: their latency at 1,000 messages a second, beside gateways whose upstream lives
or who have none, in interleaved rounds on this machine.

    python3 Benchmarks/dead-upstream.py [--rounds 9] [--messages 10000] [--martlet .build/release/martlet] [--markdown]
                                        [--json FILE] [--local-only]

It runs in a network of its own (`unshare`, `ip`), where packets to the server vanish, a server accepts connections and says
nothing, or the name server never answers. Every message is for local clients and for the upstream too, which is the worst
case; with --local-only none is for the upstream. Machines are noisy: the ratios are medians over the rounds of each round's
own ratio.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from rig import HERE, Broker, Table, build_load, free_ports, in_rounds, median, write

sys.path.append(os.path.join(HERE, "..", "Tests", "Acceptance"))
from peers import deadend  # noqa: E402

INSIDE = "MARTLET_BENCHMARK_NETWORK"
TITLES = {"none": "no upstream", "alive": "an upstream that takes everything", "dropped": "packets vanish",
          "silent": "accepts and says nothing", "resolver": "the name server never answers"}


def enter_network():
    """Starts this script again in a network of its own."""
    unshare = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    os.environ[INSIDE] = "yes"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def start_mosquitto(folder):
    ports = free_ports(["tcp"])
    lines = ["log_type none", "allow_anonymous true", f"listener {ports['tcp']} 127.0.0.1"]
    if os.geteuid() == 0:
        lines.append("user root")
    path = os.environ["PATH"] + ":/usr/sbin"
    os.environ["PATH"] = path
    return Broker(["mosquitto", "-c", write(folder, "mosquitto.conf", lines)], ports)


def start_martlet(binary, folder, kind, url, filter):
    """A gateway whose upstream is of this kind."""
    ports = free_ports(["tcp"])
    state = os.path.join(folder, kind)
    os.mkdir(state)
    lines = ["version: 1", f"gateway: {{ id: bench-{kind}, state_dir: {state} }}", "broker:", "  listen:",
             f"    - {{ address: 127.0.0.1, port: {ports['tcp']} }}"]
    if url:
        lines += ["upstream:", "  central:", f"    url: {url}", f"    out: [ {{ filter: \"{filter}\" }} ]"]
    config = write(folder, f"{kind}.yaml", lines)
    if "state_dir" in subprocess.run([binary, "check", config], capture_output=True, text=True).stdout:
        config = write(folder, f"{kind}.yaml", [line.replace(f", state_dir: {state}", "") for line in lines])
    return Broker([binary, "run", "--config", config], ports)


def measure(load, broker, messages):
    done = subprocess.run(
        [load, "pairs", "-q", "0", "-P", "10", "-r", "1000", "--burst", "1", "-n", str(messages), "-i", "20", "--json",
         "-p", str(broker.ports["tcp"]), "--pid", str(broker.process.pid)], capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"mqttload failed: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(lines[-1])


def ratio(results, kind, reference, field):
    """Median of the rounds' ratios, and the lowest and the highest."""
    ratios = sorted(one[field] / other[field] for one, other in zip(results[kind], results[reference]))
    return f"{statistics.median(ratios):.3f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def run(chosen, folder):
    load, _ = build_load(folder)
    for prepare in (deadend.drop, deadend.fall_silent, deadend.lose_names):
        prepare()
    server = start_mosquitto(folder)
    urls = {"none": None, "alive": f"mqtt://127.0.0.1:{server.ports['tcp']}", **deadend.URLS}
    filter = "elsewhere/#" if chosen.local_only else "load/#"
    brokers = {kind: start_martlet(chosen.martlet, folder, kind, url, filter) for kind, url in urls.items()}
    try:
        results = in_rounds(chosen.rounds, lambda kind: measure(load, brokers[kind], chosen.messages), list(brokers))
    finally:
        for broker in [*brokers.values(), server]:
            broker.stop()
    return results


def show(results, markdown):
    table = Table(["upstream", "p50 us", "p99 us", "p99 to alive", "p99 to none", "us/msg", "lost"], markdown)
    for kind, rounds in results.items():
        table.row([TITLES[kind], f"{median(rounds, 'p50_us'):.0f}", f"{median(rounds, 'p99_us'):.0f}",
                   ratio(results, kind, "alive", "p99_us"), ratio(results, kind, "none", "p99_us"),
                   f"{median(rounds, 'cpu_us_per_msg'):.1f}", str(sum(round["lost"] for round in rounds))])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--messages", type=int, default=10000, help="of each gateway in each round, 1,000 a second")
    options.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    options.add_argument("--markdown", action="store_true", help="a table for a page")
    options.add_argument("--json", help="a file for all results of all rounds")
    options.add_argument("--local-only", action="store_true", help="no message is for the upstream")
    chosen = options.parse_args()
    if INSIDE not in os.environ:
        enter_network()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        results = run(chosen, folder)
    show(results, chosen.markdown)
    if chosen.json:
        with open(chosen.json, "w") as file:
            json.dump(results, file, indent=1)


main()
