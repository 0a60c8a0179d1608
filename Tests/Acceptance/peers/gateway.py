"""The program under test, as a process."""
import json
import os
import pathlib
import signal
import subprocess
import time

from .waiting import eventually, is_listening

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("MARTLET", ROOT / ".build/release/martlet"))
DEVICES = ROOT / "devices"
# What systemd allows it, see systemd/martlet.service.
LONGEST_STOP = 5.0


def configuration(identity, port, gateway=None, **sections):
    """A configuration as JSON, which is YAML; `gateway` is what that section has beside the id."""
    return json.dumps({
        "version": 1,
        "gateway": {"id": identity, **(gateway or {})},
        "broker": {"listen": [{"address": "127.0.0.1", "port": port}]},
        **sections,
    }, indent=1)


def martlet(*arguments, timeout=30, **keywords):
    """Runs the binary to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        **keywords)


class Gateway:
    """`martlet run` on one configuration."""

    def __init__(self, config, port, environment=None, inside=(), profiles=DEVICES):
        """`inside` is what to start it with: the command line of a program that becomes the gateway."""
        self.port = port
        self.log_file = pathlib.Path(config).with_suffix(".log")
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [*inside, BINARY, "run", "--config", config, "--devices", profiles], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env={**os.environ, **self._own(config), **(environment or {})})

    @staticmethod
    def _own(config):
        """A place for its data beside its configuration, unless that names another one."""
        place = pathlib.Path(config).with_suffix(".state")
        place.mkdir(exist_ok=True)
        return {"STATE_DIRECTORY": str(place)}

    @property
    def log(self):
        return self.log_file.read_text(errors="replace")

    def wait_until_listening(self):
        def check():
            assert self.process.poll() is None, f"ended with status {self.process.returncode}:\n{self.log}"
            return is_listening(self.port)

        eventually(check, f"the gateway listens on port {self.port}")
        return self

    def wait_for_log(self, words):
        """For what it tells nobody but the log: that a port is open and bytes won't be lost."""
        eventually(lambda: words in self.log, f"the log says '{words}'")
        return self

    def resident_memory(self):
        """In bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def stop(self, how=signal.SIGTERM):
        """Asks it to end; returns the status and how long it took."""
        asked = time.monotonic()
        self.process.send_signal(how)
        status = self.process.wait(timeout=2 * LONGEST_STOP)
        return status, time.monotonic() - asked

    def end(self):
        """For the end of a test: what is still there must end well. pytest shows the log if the test fails."""
        try:
            self._end()
        finally:
            print(f"--- {self.log_file.name} ---\n{self.log}")

    def _end(self):
        if self.process.poll() is not None:
            return
        try:
            status, took = self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end after SIGTERM:\n{self.log}") from None
        assert status == 0, f"ended with status {status}:\n{self.log}"
        assert took < LONGEST_STOP, f"took {took:.1f} s to end"
