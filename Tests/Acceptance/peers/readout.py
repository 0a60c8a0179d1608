"""A meter after IEC 62056-21, mode C, on a pseudo-terminal: it looks at the speed that its reader has set."""
import functools
import operator
import os
import select
import threading
import tty

from .speeds import speed

SPEEDS = [300, 600, 1200, 2400, 4800, 9600, 19200]


def readout(energy):
    """The data of a meter, with their check character."""
    data = b"1.8.0(%.3f*kWh)\r\n32.7.0(230.1*V)\r\n!\r\n\x03" % energy
    return b"\x02" + data + bytes([functools.reduce(operator.xor, data)])


class ReadoutMeter:
    """Offers `offered`; a readout at a speed above `works` is noise, as with a slow optical head."""

    def __init__(self, offered=5, works=19200):
        self.identification = b"/LGZ%dZMF100AC.M26\r\n" % offered
        self._works = works
        self.rounds = []
        self.energy = 12345.678
        self._main, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def speed(self):
        """What the reader has set, in bits a second."""
        return speed(self._near)

    def close(self):
        self._ended.set()
        self._thread.join()
        os.close(self._main)
        os.close(self._near)

    def _serve(self):
        heard = b""
        while not self._ended.is_set():
            if not select.select([self._main], [], [], 0.05)[0]:
                continue
            heard += os.read(self._main, 256)
            if heard.endswith(b"/?!\r\n"):
                self.rounds.append({"asked at": self.speed()})
                os.write(self._main, self.identification)
                heard = b""
            elif len(heard) == 6 and heard.startswith(b"\x060") and heard.endswith(b"0\r\n"):
                wanted = SPEEDS[heard[2] - ord("0")]
                heard = b""
                self._answer(wanted)

    def _answer(self, wanted):
        """The reader has as long as the standard gives a meter to begin; it gets more, for a busy machine."""
        this = self.rounds[-1]
        this["agreed"] = wanted
        while self.speed() != wanted and not self._ended.wait(0.02):
            pass
        # It throws away what came before it has set the speed; a real meter begins no sooner.
        self._ended.wait(0.2)
        os.write(self._main, readout(self.energy) if wanted <= self._works else b"\xfe\x80\xf8" * 20)
