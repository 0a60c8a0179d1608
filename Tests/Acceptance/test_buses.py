"""Buses with many units, some of them ill, and many ports at once. A minute and 10 seconds here; `make soak` takes longer."""
import os
import pathlib
import pty
import random
import threading
import time
import tty

from peers.waiting import eventually, free_port
from test_meters import telegram

BUS_SECONDS = float(os.environ.get("BUS_SECONDS", 60))
PORTS_SECONDS = float(os.environ.get("PORTS_SECONDS", 10))
POLL = 10
GOOD, DEAD, LATE, NOISY = range(1, 28), range(28, 31), 31, 32
BYTE_TIME = 10 / 19_200


def crc(data):
    """CRC-16/MODBUS, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


class CrowdedBus:
    """32 units on one line at 19,200 baud: 27 are well, 3 dead, one answers when nobody waits any more, one sends noise."""

    def __init__(self):
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.path, self._slave = os.ttyname(slave), slave
        self.answered = {unit: [] for unit in GOOD}
        self._random, self._over = random.Random(7), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        os.close(self._slave)
        os.close(self._master)

    def _serve(self):
        request = b""
        while not self._over.is_set():
            try:
                request += os.read(self._master, 256)
            except OSError:
                return
            while len(request) >= 8:
                if crc(request[:6]) == request[6:8]:
                    self._asked(request[:8])
                    request = request[8:]
                else:
                    request = request[1:]

    def _asked(self, request):
        unit, count = request[0], int.from_bytes(request[4:6], "big")
        frame = bytes([unit, request[1], 2 * count]) + b"\x42\x48\x00\x00" * (count // 2)
        frame += crc(frame)
        # The request crosses the line, the unit thinks, the answer crosses it.
        time.sleep((len(request) + len(frame)) * BYTE_TIME + 0.015)
        if unit in GOOD:
            os.write(self._master, frame)
            self.answered[unit].append(time.monotonic())
        elif unit == LATE:
            threading.Timer(0.8, self._write_late, [frame]).start()
        elif unit == NOISY:
            os.write(self._master, self._random.randbytes(20))

    def _write_late(self, frame):
        if not self._over.is_set():
            os.write(self._master, frame)


def test_units_that_are_ill_cost_the_others_no_poll_and_the_log_stays_short(started, gateway):
    bus = started(CrowdedBus())
    few = {"apparent_power": "off", "reactive_power": "off", "power_factor": "off", "frequency": "off",
           "import_energy": "off", "export_energy": "off", "total_energy": "off"}
    devices = {
        f"meter-{unit}": {"profile": "eastron-sdm120", "port": "bus", "unit": unit, "poll": f"{POLL}s", "points": few}
        for unit in [*GOOD, *DEAD, LATE, NOISY]}
    process = gateway(ports={"bus": {"device": bus.path, "baudrate": 19200, "format": "8N1"}}, devices=devices)
    eventually(lambda: all(bus.answered.values()), "every good unit was asked", timeout=POLL * 2)
    began = time.monotonic()
    time.sleep(BUS_SECONDS)
    ended = time.monotonic()
    polls = {unit: sum(began <= at < ended for at in times) for unit, times in bus.answered.items()}
    wanted = int((ended - began) / POLL) * len(GOOD)
    missed = sum(max(0, int((ended - began) / POLL) - count) for count in polls.values())
    lines = process.log.count("\n")
    print(f"\n  {wanted} polls of {len(GOOD)} good units in {BUS_SECONDS:g} s: {missed} missed; {lines} lines in the log")
    assert missed < wanted / 100
    assert lines < 50


class Telegrams:
    """20 smart meters that never pause: each line carries as much as it can, 115,200 baud."""

    COUNT, PORTION = 20, 115

    def __init__(self):
        self.sent = 0
        pairs = [pty.openpty() for _ in range(self.COUNT)]
        for _, slave in pairs:
            tty.setraw(slave)
        self._pairs, self.paths = pairs, [os.ttyname(slave) for _, slave in pairs]
        self._whole = telegram("v5")

    def end(self):
        for pair in self._pairs:
            for descriptor in pair:
                os.close(descriptor)

    def speak(self, seconds):
        """At the pace of the wire, whole telegrams; returns how many bytes each line carried."""
        count = int(seconds * 11_520 / len(self._whole))
        stream = self._whole * count
        began = time.monotonic()
        for place in range(0, len(stream), self.PORTION):
            early = began + place / 11_520 - time.monotonic()
            if early > 0:
                time.sleep(early)
            for master, _ in self._pairs:
                # Waits where the reader is late: what is lost then would be the reader's loss on a wire.
                os.write(master, stream[place:place + self.PORTION])
        self.sent += count
        return len(stream)


def test_twenty_ports_at_full_speed_lose_no_byte(started, gateway, client):
    meters, port = started(Telegrams()), free_port()
    names = [f"p{number}" for number in range(Telegrams.COUNT)]
    process = gateway(
        port=port, broker={"listen": [{"address": "127.0.0.1", "port": port}], "sys_interval": "1s"},
        ports={name: {"device": path, "baudrate": 115200} for name, path in zip(names, meters.paths)},
        devices={f"meter-{name}": {"profile": "dsmr-p1", "port": name} for name in names})
    for name in names:
        process.wait_for_log(f"{name} is open")
    counts = "$SYS/martlet/devices"
    watcher = client(port)
    watcher.subscribe(f"{counts}/+/messages", f"{counts}/+/skipped_bytes")

    def all_there():
        for name in names:
            watcher.wait_for(
                f"{counts}/meter-{name}/messages", lambda message: int(message.payload) >= meters.sent, timeout=30)
            assert int(watcher.on(f"{counts}/meter-{name}/messages")[-1].payload) == meters.sent
            assert watcher.on(f"{counts}/meter-{name}/skipped_bytes")[-1].payload == b"0"

    meters.speak(2)
    all_there()
    memory, used, began = anonymous_memory(process), processor_seconds(process), time.monotonic()
    carried = meters.speak(PORTS_SECONDS) * len(names)
    took, used = time.monotonic() - began, processor_seconds(process) - used
    all_there()
    more = anonymous_memory(process) - memory
    print(f"\n  20 ports, {carried / took / 1000:.0f} kB/s: {100 * used / took:.0f} % of a processor, "
          f"{1e9 * used / carried:.0f} ns a byte; {more / 1e6:+.1f} MB of memory in {took:.0f} s")
    assert more < 6_000_000


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_memory(process):
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:"))
