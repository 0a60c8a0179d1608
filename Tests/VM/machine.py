"""A virtual machine with a kernel of its own: QEMU, what is plugged into it, and an agent in it that runs scripts."""
import base64
import json
import pathlib
import select
import shlex
import socket
import subprocess
import tempfile
import time


class Monitor:
    """QEMU's own control: the machine protocol on a Unix socket."""

    def __init__(self, path):
        self._socket = connected(path)
        self._lines = self._socket.makefile("rw")
        self._events = []
        json.loads(self._lines.readline())
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self._lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._lines.flush()
        while True:
            message = json.loads(self._lines.readline())
            if "event" in message:
                self._events.append(message)
            elif "error" in message:
                raise RuntimeError(f"{command}: {message['error']['desc']}")
            else:
                return message["return"]

    def wait_for(self, event, device, timeout=20):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for message in self._events:
                if message["event"] == event and message.get("data", {}).get("device") == device:
                    self._events.remove(message)
                    return
            if select.select([self._socket], [], [], 0.1)[0]:
                message = json.loads(self._lines.readline())
                if "event" in message:
                    self._events.append(message)
        raise TimeoutError(f"no {event} of {device}")


def connected(path, timeout=20):
    """A connection to a Unix socket that somebody is about to open."""
    deadline = time.monotonic() + timeout
    while True:
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(str(path))
            return end
        except OSError:
            end.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# tcg by name: where /dev/kvm is there and does not work, a fallback hangs. The agent's line is the second serial port of a
# PC; QEMU's arm64 board has one, and gets another on its PCI bus.
BOARDS = {
    "amd64": ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-cpu", "max", "-smp", "1"],
    "arm64": ["qemu-system-aarch64", "-accel", "tcg", "-machine", "virt", "-cpu", "cortex-a72", "-smp", "1"],
}
AGENT = {"amd64": ["-serial", "chardev:agent"], "arm64": ["-device", "pci-serial,chardev=agent"]}
CONSOLE = {"amd64": "ttyS0", "arm64": "ttyAMA0"}


class Machine:
    """One machine, from its start to its end. What is written to its disk lasts as long as it does, over power cuts."""

    def __init__(self, image, share, console, meters, architecture="amd64"):
        self._folder = tempfile.TemporaryDirectory(prefix="martlet-vm.")
        folder = pathlib.Path(self._folder.name)
        self.ports = {1884: free_port()}
        forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{ours}-10.0.2.15:{its}" for its, ours in self.ports.items())
        image = pathlib.Path(image)
        command = [
            *BOARDS[architecture], "-m", "768", "-nodefaults", "-display", "none", "-serial", f"file:{console}",
            "-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off", *AGENT[architecture],
            "-qmp", f"unix:{folder}/monitor,server=on,wait=off",
            "-kernel", str(image / "vmlinux"), "-initrd", str(image / "initrd.gz"),
            "-append", f"console={CONSOLE[architecture]} panic=-1 quiet loglevel=3 net.ifnames=0",
            # The image stays as it is: what is written goes to a file of its own, which the end of QEMU deletes.
            "-drive", f"file={image / 'disk.ext4'},if=none,id=disk,format=raw,snapshot=on", "-device", "virtio-blk-pci,drive=disk",
            "-virtfs", f"local,path={share},mount_tag=work,security_model=none,readonly=on",
            "-netdev", f"user,id=net,restrict=on,{forwards}", "-device", "virtio-net-pci,netdev=net",
            "-device", "qemu-xhci,id=xhci"]
        self._meters = meters
        for number, meter in enumerate(meters):
            command += ["-chardev", f"serial,id=line{number},path={meter.path}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.monitor = Monitor(folder / "monitor")
        self._agent = connected(folder / "agent")
        self._heard = b""
        self._number = 0

    # MARK: scripts

    def _line(self, deadline):
        while b"\n" not in self._heard:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._agent], [], [], left)[0]:
                raise TimeoutError("the machine does not answer")
            self._heard += self._agent.recv(65536)
        line, self._heard = self._heard.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def wait_until_up(self, timeout=240):
        """Waits until the agent is there; what an earlier start left unsaid is passed over."""
        deadline = time.monotonic() + timeout
        while self._line(deadline) != "agent ready":
            pass

    def run(self, script, timeout=120):
        """Runs a script as root, and returns its status and all that it said."""
        self._number += 1
        self._agent.sendall(f"{self._number} {base64.b64encode(script.encode()).decode()}\n".encode())
        deadline = time.monotonic() + timeout
        while True:
            words = self._line(deadline).split(" ")
            if words[0] == str(self._number) and len(words) == 3:
                return int(words[1]), base64.b64decode(words[2]).decode(errors="replace").rstrip("\n")

    def __call__(self, script, timeout=120):
        """Runs a script that must succeed, and returns what it said."""
        status, said = self.run(script, timeout)
        assert status == 0, f"{script}\nended with status {status}:\n{said}"
        return said

    def until(self, script, timeout=60):
        """Runs a script in the machine again and again until it succeeds, and returns what it said then."""
        return self(f"while [ $SECONDS -lt {timeout} ]; do said=$(bash -c {shlex.quote(script)} 2>&1) && echo \"$said\" && exit; "
                    "sleep 0.1; done; echo \"$said\"; exit 1", timeout + 120)

    def write(self, path, text, mode="644"):
        self(f"base64 -d >{path} <<<{base64.b64encode(text.encode()).decode()} && chmod {mode} {path}")

    # MARK: power

    def cut_power(self):
        """What was not on the disk is lost."""
        self.monitor("system_reset")
        self._heard = b""

    def reboot(self):
        self._number += 1
        script = base64.b64encode(b"systemctl reboot").decode()
        self._agent.sendall(f"{self._number} {script}\n".encode())
        self.wait_until_up()

    # MARK: adapters

    def plug(self, number, serial):
        self.monitor("device_add", driver="usb-serial", id=f"usb{number}", chardev=f"line{number}", bus="xhci.0",
                     serial=serial)

    def unplug(self, number):
        """Pulls an adapter out; what its meter is asked just then stays without an answer."""
        with self._meters[number].silenced():
            self.monitor("device_del", id=f"usb{number}")
            self.monitor.wait_for("DEVICE_DELETED", f"usb{number}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self._agent.close()
        self._folder.cleanup()
