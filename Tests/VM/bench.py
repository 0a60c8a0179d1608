#!/usr/bin/env python3
"""The installed gateway in a virtual machine with a kernel of its own: package, systemd, udev, USB, power cuts.

    bench.py --image FOLDER --package FILE --next FILE [--architecture arm64]
             [--kills N] [--cuts N] [--plugs N] [--parts install,usb,…]

Prints what each check found, and at last 'N passed, N failed'.
"""
import argparse
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Acceptance")]

import checks  # noqa: E402
from machine import Machine  # noqa: E402
from meters import Meter  # noqa: E402
from peers.client import Client  # noqa: E402

PARTS = {
    "amd64": ["install", "gpio", "sysfs", "reboot", "usb", "power", "package"],
    # Without gpio-sim: the board's own chip is opened.
    "arm64": ["install", "board", "usb", "package"],
}
CONFIGURATION = """\
version: 1
gateway: { id: bench, clock: { wait_for_sync: off } }
ports:
  left: { match: { usb: "0403:6001", serial: LEFT0001 } }
  right: { match: { usb: "0403:6001", serial: RIGHT001 } }
defaults: { report: { when: always, min_interval: 100ms } }
devices:
  left-meter: { profile: eastron-sdm630, port: left, unit: 1, poll: 500ms }
  right-meter: { profile: eastron-sdm630, port: right, unit: 1, poll: 500ms }
gpio:
  door: { line: door, input: { debounce: 20ms }, as: contact, report: { when: change, min_interval: 0s } }
  switch: { line: switch, as: contact, report: { when: change, min_interval: 0s } }
  pulses: { line: pulses, as: counter, counter: { save: 1s } }
  pump: { line: relay-1, output: {}, as: switch, command: { max_on: 2s, interlock: [drain] } }
  drain: { line: { chip_label: board, offset: 4 }, output: {}, as: switch }
  lamp: { line: lamp, output: {}, as: switch }
  gate: { as: cover, lines: { open: gate-open, close: gate-close, opened: gate-opened }, cover: { open_time: 4s, close_time: 3s } }
  valve: { as: stepper, lines: { step: step, direction: dir, home: home },
           stepper: { maximum: 100, steps_per_unit: 2, speed: 200, unit: "%" } }
  heart: { line: heart, output: {}, as: watchdog, watchdog: { period: 200ms } }
  dimmer: { as: pwm, pwm: { chip: /sys/devices/platform/pwm-sim/pwm/pwmchip*, channel: 1, frequency: 1000 }, command: { max_on: 3s } }
  siren: { line: siren, output: { active: low }, as: switch }
broker:
  listen:
    - { address: 127.0.0.1, port: 1883 }
    - { unix: /run/martlet/martlet.sock, mode: "0660" }
    - { address: 0.0.0.0, port: 1884, auth: { anonymous: true } }
upstream:
  nowhere:
    url: mqtt://127.0.0.1:9
    out: [ { filter: "kept/#", qos: 1 } ]
"""
# The lines of the machine's GPIO chip, as the script gpio-chip names them.
LINES = ["door", "switch", "pulses", "relay-1", "relay-2", "lamp", "siren", "gate-open", "gate-close", "gate-opened", "heart",
         "step", "dir", "home"]
# What lines.c makes.
TOOL = "/mnt/work/lines"
LEFT, RIGHT = (0, "LEFT0001"), (1, "RIGHT001")


class Bench:
    """The machine, the meters that are plugged into it, and clients of its broker."""

    def __init__(self, options, share, console):
        self.options = options
        self.meters = [Meter(221.0), Meter(232.0)]
        self.machine = Machine(options.image, share, console, self.meters, options.architecture)

    def wait_until_active(self, timeout=90):
        self.machine.until("systemctl is-active -q martlet", timeout)

    @contextlib.contextmanager
    def client(self, **keywords):
        """A client of the gateway's broker, from outside the machine."""
        client = self.connect(**keywords)
        try:
            yield client
        finally:
            client.vanish()

    def connect(self, timeout=60, **keywords):
        """Tries again while the service starts."""
        deadline = time.monotonic() + timeout
        while True:
            client = Client(self.machine.ports[1884], **keywords)
            try:
                return client.connect()
            except (OSError, AssertionError):
                client.vanish()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    @property
    def process(self):
        return int(self.machine("systemctl show -P MainPID martlet"))

    def memory(self):
        """Resident memory of the gateway in KB, and how many descriptors it has open."""
        said = self.machine(
            "p=$(systemctl show -P MainPID martlet); awk '/^Pss:/ {print $2}' /proc/$p/smaps_rollup; ls /proc/$p/fd | wc -l")
        return tuple(map(int, said.split()))

    def log(self, lines=20):
        return self.machine(f"journalctl -u martlet -b --no-pager -o short-precise -n {lines}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", required=True, help="the folder that build-image.sh made")
    parser.add_argument("--package", required=True, help="the package to install")
    parser.add_argument("--next", required=True, help="the same with a higher version, to upgrade to")
    parser.add_argument("--architecture", default="amd64", choices=PARTS)
    parser.add_argument("--kills", type=int, default=20, help="how often the gateway is killed")
    parser.add_argument("--cuts", type=int, default=20, help="how often power is cut")
    parser.add_argument("--plugs", type=int, default=100, help="how often an adapter is pulled and plugged")
    parser.add_argument("--parts", help="which parts to check, like install,usb; 'install' comes first")
    parser.add_argument("--console", default="/dev/null", help="where the machine's console goes")
    options = parser.parse_args()
    parts = options.parts.split(",") if options.parts else PARTS[options.architecture]
    for part in parts:
        __import__(f"part_{part}")
    with tempfile.TemporaryDirectory(prefix="martlet-vm.") as share:
        shutil.copy(options.package, f"{share}/martlet.deb")
        shutil.copy(options.next, f"{share}/next.deb")
        if options.architecture == "amd64":
            subprocess.run(["gcc", "-O2", "-static", "-o", f"{share}/lines", str(HERE / "lines.c")], check=True)
        began = time.monotonic()
        bench = Bench(options, share, options.console)
        try:
            bench.machine.wait_until_up()
            print(f"the machine is up after {time.monotonic() - began:.0f} s", flush=True)
            passed, failed = checks.run(bench, parts)
        finally:
            bench.machine.end()
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
