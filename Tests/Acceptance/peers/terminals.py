"""Serial lines made of two pseudo-terminals, joined by socat."""
import os
import subprocess
import threading
import time
import tty

from .waiting import eventually


class Line:
    """A serial line: the gateway opens `near`, the device `far`."""

    def __init__(self, folder, name):
        self.near = folder / f"{name}-near"
        self.far = folder / f"{name}-far"
        self._socat = None
        self.plug()

    def plug(self):
        self._socat = subprocess.Popen([
            "socat", f"pty,rawer,link={self.far}", f"pty,rawer,link={self.near}",
        ], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: self.near.exists() and self.far.exists(), f"socat makes {self.near}")

    def unplug(self):
        """Both terminals go away, with their paths."""
        if self._socat:
            self._socat.terminate()
            self._socat.wait()
            self._socat = None
        assert not self.near.exists()


class SmartMeter:
    """Sends telegrams as a P1 port does: 115200 baud, 8N1, unasked."""

    CHARACTERS_PER_SECOND = 115_200 / 10

    def __init__(self, folder, name):
        self.line = Line(folder, name)
        self._repeating = None
        self._ended = threading.Event()

    def send(self, telegram):
        far = os.open(self.line.far, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(far)
            # The pace of the wire; a pseudo-terminal has none of its own.
            started = time.monotonic()
            for offset in range(0, len(telegram), 32):
                while (early := started + offset / self.CHARACTERS_PER_SECOND - time.monotonic()) > 0:
                    time.sleep(early)
                os.write(far, telegram[offset:offset + 32])
        finally:
            os.close(far)

    def repeat(self, telegram, every):
        """Sends the same again and again, until the end or until it is unplugged."""
        def loop():
            while not self._ended.wait(every):
                try:
                    self.send(telegram)
                except OSError:
                    return

        self._ended.clear()
        self._repeating = threading.Thread(target=loop, daemon=True)
        self._repeating.start()

    def unplug(self):
        self._ended.set()
        if self._repeating:
            self._repeating.join()
            self._repeating = None
        self.line.unplug()

    def plug(self):
        self.line.plug()

    end = unplug
