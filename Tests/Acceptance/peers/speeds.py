"""A line on which only who has set the right speed understands the other side."""
import fcntl
import os
import select
import struct
import threading
import tty

TCGETS2 = 0x802C542A


def speed(descriptor):
    """What the reader of a terminal has set, in bits a second."""
    return struct.unpack_from("II", fcntl.ioctl(descriptor, TCGETS2, bytes(44)), 36)[1]


class SpeedGate:
    """Passes bytes between a new terminal, `path`, and the one at `inner` while `path` is set to `baud`; else it turns
    them into what a wrong speed makes of them. A pseudo-terminal has no parity to look at."""

    def __init__(self, inner, baud):
        self._baud = baud
        self._main, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)
        self._inner = os.open(inner, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._inner)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pass, daemon=True)
        self._thread.start()

    def end(self):
        self._ended.set()
        self._thread.join()
        for descriptor in (self._main, self._near, self._inner):
            os.close(descriptor)

    def _pass(self):
        others = {self._main: self._inner, self._inner: self._main}
        while not self._ended.is_set():
            for ready in select.select(list(others), [], [], 0.05)[0]:
                bytes_ = os.read(ready, 4096)
                if speed(self._near) == self._baud:
                    os.write(others[ready], bytes_)
                elif ready == self._inner:
                    os.write(self._main, bytes(0xF8 if byte & 1 else 0x80 for byte in bytes_))
