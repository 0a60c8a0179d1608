"""A clock that a test can set: for one program, not for the machine."""
import mmap
import pathlib
import struct
import subprocess
import time


class Clock:
    """What the program sees as the time of day; `environment` is what it must be started with."""

    def __init__(self, folder):
        library = folder / "clock.so"
        source = pathlib.Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60)
        file = folder / "clock"
        file.write_bytes(bytes(16))
        with open(file, "r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 16)
        self.environment = {"LD_PRELOAD": str(library), "FAKE_CLOCK": str(file)}

    def set(self, offset_in_seconds, is_kept_right):
        """How far it is off from the machine's, and what the kernel says of it."""
        self._memory[:] = struct.pack("=qq", round(offset_in_seconds * 1000), is_kept_right)

    def start_in_1970(self):
        self.set(100 - time.time(), False)
