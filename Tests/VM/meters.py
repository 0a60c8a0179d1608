"""A Modbus meter at the far end of a serial adapter: the host's side of a pseudo-terminal."""
import contextlib
import os
import select
import struct
import threading
import time
import tty


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


class Meter(threading.Thread):
    """An SDM630, as far as its registers go: all phases have one voltage. `path` is what QEMU opens as a serial port."""

    def __init__(self, voltage, unit=1):
        super().__init__(daemon=True)
        self._near, far = os.openpty()
        tty.setraw(far)
        self.path = os.ttyname(far)
        # Held open: without anybody at the far end, reading here would fail.
        self._far = far
        self.unit = unit
        self.voltage = voltage
        self.mute = False
        self.asked = 0
        self._asked = threading.Condition()
        self.start()

    def run(self):
        heard = b""
        while True:
            ready, _, _ = select.select([self._near], [], [], 0.2)
            if not ready:
                heard = b""
                continue
            try:
                heard += os.read(self._near, 256)
            except OSError:
                time.sleep(0.05)
                continue
            while len(heard) >= 8:
                request, heard = heard[:8], heard[8:]
                if crc16(request[:6]) != request[6:] or request[0] != self.unit:
                    heard = b""
                    break
                self._answer(request)

    def _answer(self, request):
        with self._asked:
            self.asked += 1
            self._asked.notify_all()
        if self.mute:
            return
        function, address, count = struct.unpack(">BHH", request[1:6])
        if function == 4:
            registers = [self._register(address + place) for place in range(count)]
            answer = struct.pack(f">BBB{count}H", self.unit, 4, 2 * count, *registers)
        else:
            answer = bytes([self.unit, function | 0x80, 1])
        os.write(self._near, answer + crc16(answer))

    def _register(self, address):
        high, low = struct.unpack(">HH", struct.pack(">f", self.voltage if address < 6 else 0.0))
        return low if address % 2 else high

    @contextlib.contextmanager
    def silenced(self):
        """No bytes are on their way meanwhile: QEMU 7.2 ends with a segmentation fault, once in some ten times, when an answer
        reaches an adapter that is just taken out."""
        before, self.mute = self.mute, True
        # What was sent before is in the machine by then.
        time.sleep(0.1)
        yield
        self.mute = before

    def wait_until_asked(self, timeout=10):
        with self._asked:
            before = self.asked
            assert self._asked.wait_for(lambda: self.asked > before, timeout), "the meter is not asked any more"
