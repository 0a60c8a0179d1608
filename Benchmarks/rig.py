"""What the scripts here share: brokers as processes, the load generator, rounds in turns, tables."""
import os
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Broker:
    """A process with one listener for each transport."""

    def __init__(self, arguments, ports):
        self.ports = ports
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in ports.values():
            self._wait_for(port, arguments[0])

    def _wait_for(self, port, name):
        for _ in range(400):
            if self.process.poll() is not None:
                sys.exit(f"{name} ended at once with status {self.process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        sys.exit(f"{name} did not listen within 20 s")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def memory(self):
        """RSS and anonymous memory in MB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file if line.startswith(("VmRSS", "RssAnon")))
        return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]


def free_ports(names):
    probes = [socket.socket() for _ in names]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = dict(zip(names, (probe.getsockname()[1] for probe in probes)))
    for probe in probes:
        probe.close()
    return ports


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def build_load(folder):
    """mqttload; without TLS where OpenSSL's headers are missing."""
    load = os.path.join(folder, "mqttload")
    command = ["cc", "-O2", "-o", load, os.path.join(HERE, "mqttload.c")]
    with_tls = subprocess.run([*command, "-DWITH_TLS", "-lssl", "-lcrypto"], capture_output=True).returncode == 0
    if not with_tls:
        subprocess.run(command, check=True)
        print("No TLS rows: libssl-dev is not installed.", file=sys.stderr)
    return load, with_tls


class Table:
    """Rows as they come, for a terminal or for a page."""

    def __init__(self, columns, markdown):
        self.markdown = markdown
        self.widths = [max(len(column), 40 if index == 0 else 9) for index, column in enumerate(columns)]
        self.row(columns)
        if markdown:
            print("|" + "---|" * len(columns), flush=True)

    def row(self, cells):
        if self.markdown:
            print("| " + " | ".join(cells) + " |", flush=True)
        else:
            print("  ".join(cell.ljust(width) if index == 0 else cell.rjust(width)
                            for index, (cell, width) in enumerate(zip(cells, self.widths))), flush=True)


def in_rounds(rounds, run, names=("martlet", "mosquitto")):
    """Each broker's results, in turns: what the machine does meanwhile hits both."""
    results = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(run(name))
    return results


def median(results, field):
    return statistics.median(result.get(field) or 0 for result in results)
