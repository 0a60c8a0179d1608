#!/usr/bin/env python3
"""How well a Modbus line is used: an SDM630's values are polled back to back over a pseudo-terminal that gives bytes at the
pace of a real line, by Martlet and by modpoll (PyPI) in turns on this machine.

    python3 Benchmarks/modbus-line.py [--rounds 3] [--seconds 15] [--bauds 9600,19200] [--values 40]
                                      [--martlet .build/release/martlet] [--modpoll modpoll] [--markdown] [--json FILE]

The meter answers after the shortest silence that the standard allows, 3.5 characters, so that what is measured is the
master: "busy" is the share of the time that requests, answers and the mandatory silences before both take. Both get the
same requests, publish each value to a topic of its own at a local broker, and are read there by mosquitto_sub. CPU is that
of the polling process alone; Martlet's broker is in it, modpoll's (mosquitto) is not.
"""
import argparse
import json
import os
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tty

from rig import HERE, Table, free_ports, write

PROFILE = os.path.join(HERE, "..", "devices", "eastron-sdm630.yaml")
TICK = os.sysconf("SC_CLK_TCK")


def crc(frame):
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


class PacedMeter:
    """A unit on a line: it sees the request as long after it was written as the line takes, and answers byte by byte."""

    def __init__(self, baud):
        self.character = 10 / baud
        # [Modbus over serial line V1.02, section 2.5.1.1]; 1.75 ms above 19200 baud.
        self.silence = max(3.5 * self.character, 0.00175 if baud > 19200 else 0)
        self.exchanges = []
        self._main, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def end(self):
        self._ended.set()
        self._thread.join()
        os.close(self._main)
        os.close(self._near)

    def _serve(self):
        heard, began = b"", 0.0
        while not self._ended.is_set():
            if not select.select([self._main], [], [], 0.2)[0]:
                heard = b""
                continue
            now = time.monotonic()
            began = began if heard else now
            heard += os.read(self._main, 256)
            if len(heard) < 8:
                continue
            request, heard = heard[:8], heard[8:]
            if crc(request[:6]) == request[6:]:
                self._answer(request, began)

    def _answer(self, request, began):
        unit, function, start, count = struct.unpack(">BBHH", request[:6])
        data = b"".join(struct.pack(">f", 230 + (start + at) / 100 + time.monotonic() % 1)
                        for at in range(0, count, 2))[:count * 2]
        frame = bytes([unit, function, count * 2]) + data
        frame += crc(frame)
        due = began + len(request) * self.character + self.silence
        sent = 0
        while sent < len(frame):
            # A byte is there when its last bit is.
            early = due + (sent + 1) * self.character - time.monotonic()
            if early > 0:
                time.sleep(early)
                continue
            ready = min(len(frame), int((time.monotonic() - due) / self.character))
            os.write(self._main, frame[sent:ready])
            sent = ready
        self.exchanges.append((began, time.monotonic(), len(request), len(frame), (function, start, count)))

    def busy(self):
        """The share of the time from the first to the last request that frames and mandatory silences take."""
        seen = self.exchanges[1:]
        possible = sum((asked + answered) * self.character + 2 * self.silence
                       for _, _, asked, answered, _ in seen[:-1])
        return possible / (seen[-1][0] - seen[0][0])

    def pauses(self):
        """What the master waits beyond the mandatory silence before it asks again, in seconds."""
        return [later[0] - earlier[1] - self.silence for earlier, later in zip(self.exchanges, self.exchanges[1:])]

    def lateness(self):
        """How late the last byte of an answer was on this machine, which is no master's fault, in seconds."""
        return statistics.median(
            done - (began + (asked + answered) * self.character + self.silence)
            for began, done, asked, answered, _ in self.exchanges)


def percentile(values, share):
    return sorted(values)[int(len(values) * share)]


def points(count):
    """Names and addresses of the profile's first values."""
    with open(PROFILE) as file:
        text = file.read().split("points:")[1].split("tests:")[0]
    found = re.findall(r"^  (\w+):\s*\{ at: (0x[0-9A-F]+)", text, re.MULTILINE)
    return [(name, int(address, 16)) for name, address in found[:count]], [name for name, _ in found[count:]]


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Reader:
    """Counts what is published."""

    def __init__(self, port, topic):
        self.count = 0
        self._process = subprocess.Popen(
            ["mosquitto_sub", "-p", str(port), "-t", topic, "-F", "x"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for _ in self._process.stdout:
            self.count += 1

    def end(self):
        self._process.terminate()
        self._process.wait()


def start_martlet(binary, folder, meter, baud, port, wanted, unwanted):
    # Every value each time, also those that the profile reads seldom.
    which = ", ".join([f"{name}: off" for name in unwanted] + [f"{name}: {{ poll: 100ms }}" for name, _ in wanted])
    config = write(folder, f"martlet-{baud}.yaml", [
        "version: 1", f"gateway: {{ id: bench, state_dir: {folder}/state-{port} }}",
        f"broker: {{ listen: [ {{ address: 127.0.0.1, port: {port} }} ] }}",
        "defaults: { report: { when: always } }",
        f"ports: {{ line: {{ device: {meter.path}, baudrate: {baud}, format: 8N1 }} }}",
        f"devices: {{ meter: {{ profile: eastron-sdm630, port: line, unit: 1, poll: 100ms, points: {{ {which} }} }} }}",
    ])
    for each in (f"state-{port}", "devices"):
        os.makedirs(os.path.join(folder, each), exist_ok=True)
    shutil.copy(PROFILE, os.path.join(folder, "devices"))
    return subprocess.Popen([binary, "run", "--config", config, "--devices", os.path.join(folder, "devices")],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_modpoll(program, folder, meter, baud, port, wanted, blocks):
    lines = ["device,meter,1,,"]
    for function, start, count in blocks:
        lines.append(f"poll,{'input_register' if function == 4 else 'holding_register'},{start},{count},BE_BE")
        lines += [f"ref,{name},{at},float32,r" for name, at in wanted if start <= at < start + count]
    config = write(folder, f"modpoll-{baud}.csv", lines)
    return subprocess.Popen(
        [program, "-d", "--rtu", meter.path, "--rtu-baud", str(baud), "--config", config, "--rate", "0", "--interval", "0",
         "--mqtt-host", "127.0.0.1", "--mqtt-port", str(port), "--mqtt-single", "--mqtt-version", "5.0", "--loglevel", "ERROR"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(start, meter, port, topic, seconds):
    process = start()
    reader = None
    try:
        for _ in range(400):
            if len(meter.exchanges) > 3:
                break
            if process.poll() is not None:
                sys.exit(f"{process.args[0]} ended at once with status {process.returncode}")
            time.sleep(0.05)
        else:
            sys.exit(f"{process.args[0]} asked nothing within 20 s")
        reader = Reader(port, topic)
        time.sleep(1)
        del meter.exchanges[:]
        before, values, began = processor_time(process.pid), reader.count, time.monotonic()
        time.sleep(seconds)
        taken = time.monotonic() - began
        values = reader.count - values
        used = processor_time(process.pid) - before
        return {"busy": meter.busy(), "values": values / taken, "cpu": used / max(1, values) * 1e6,
                "late": meter.lateness() * 1e3,
                "pause": statistics.median(meter.pauses()) * 1e3, "worst": percentile(meter.pauses(), 0.99) * 1e3, "blocks": sorted({each[4] for each in meter.exchanges})}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        if reader:
            reader.end()


def run(chosen, folder):
    wanted, unwanted = points(chosen.values)
    broker = free_ports(["mosquitto"])["mosquitto"]
    mosquitto = subprocess.Popen(
        [shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin"), "-p", str(broker)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    table = Table(["line", "busy", "values/s", "CPU us/value", "pause p50", "pause p99"], chosen.markdown)
    results = []
    try:
        for baud in chosen.bauds:
            rounds = {"martlet": [], "modpoll": []}
            for _ in range(chosen.rounds):
                for name in rounds if chosen.modpoll else ["martlet"]:
                    meter = PacedMeter(baud)
                    try:
                        if name == "martlet":
                            port = free_ports(["mqtt"])["mqtt"]
                            rounds[name].append(measure(
                                lambda: start_martlet(chosen.martlet, folder, meter, baud, port, wanted, unwanted), meter,
                                port, "bench/meter/+", chosen.seconds))
                        else:
                            blocks = rounds["martlet"][0]["blocks"]
                            rounds[name].append(measure(
                                lambda: start_modpoll(chosen.modpoll, folder, meter, baud, broker, wanted, blocks), meter,
                                broker, "modpoll/#", chosen.seconds))
                    finally:
                        meter.end()
            for name, found in rounds.items():
                if not found:
                    continue
                middle = {field: statistics.median(each[field] for each in found) for field in ("busy", "values", "cpu", "late", "pause", "worst")}
                results.append({"baud": baud, "master": name, "rounds": found, **middle})
                table.row([f"{baud} baud, {name}", f"{middle['busy'] * 100:.1f} %", f"{middle['values']:.1f}",
                           f"{middle['cpu']:.0f}", f"{middle['pause']:.2f} ms", f"{middle['worst']:.2f} ms"])
    finally:
        mosquitto.terminate()
        mosquitto.wait()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--bauds", type=lambda text: [int(each) for each in text.split(",")], default=[9600, 19200])
    parser.add_argument("--values", type=int, default=40)
    parser.add_argument("--martlet", default=os.path.join(HERE, "..", ".build", "release", "martlet"))
    parser.add_argument("--modpoll", default=shutil.which("modpoll"), help="default: the one on the path, if any")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = run(chosen, folder)
    if chosen.json:
        with open(chosen.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
