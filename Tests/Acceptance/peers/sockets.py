"""USB sockets that adapters are plugged into and pulled out of: libudev, /sys and /dev as a program sees them, by umockdev.

What is behind an adapter is a pseudo-terminal. As with the real thing, its end goes when the adapter does.
"""
import ctypes
import json
import os
import pathlib
import pty
import subprocess
import sys
import tty

LIBRARY, PRELOAD = "libumockdev.so.0", "libumockdev-preload.so.0"
CONTROLLER = "/devices/pci0000:00/0000:00:14.0"


class Sockets:
    """Programs started with `environment` live in this world, which a process of its own keeps."""

    def __init__(self):
        self._keeper = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "LD_PRELOAD": PRELOAD})
        self.root = pathlib.Path(self._keeper.stdout.readline().strip())
        self.environment = {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": str(self.root)}
        self._add(f"P: {CONTROLLER}\nE: SUBSYSTEM=pci\nE: PCI_SLOT_NAME=0000:00:14.0\n\n")

    def end(self):
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()

    def _do(self, *words):
        self._keeper.stdin.write(json.dumps(words) + "\n")
        self._keeper.stdin.flush()
        answer = self._keeper.stdout.readline()
        if answer != "done\n":
            raise OSError(f"umockdev: {answer}")

    def _add(self, text):
        self._do("add", text)

    def plug(self, node, socket="1-1", serial="A50285BI", interface=0, driver="ftdi_sio"):
        """An FTDI adapter; returns what is on its other side."""
        adapter = Adapter(self, node, f"{CONTROLLER}/usb1/{socket}", interface)
        name, device = adapter.name, adapter.device
        if not (self.root / f"sys{device}").exists():
            self._add(f"P: {device}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nA: idVendor=0403\\n\nA: idProduct=6001\\n\n"
                      f"A: serial={serial}\\n\nA: manufacturer=FTDI\\n\nA: product=FT232R USB UART\\n\n\n")
        side = f"{device}/{socket}:1.{interface}"
        self._add(f"P: {side}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\nE: DRIVER={driver}\n"
                  f"L: driver=../../../../../../bus/usb/drivers/{driver}\n"
                  f"A: bInterfaceNumber=0{interface}\\n\n\n"
                  f"P: {side}/{name}\nE: SUBSYSTEM=usb-serial\nE: DRIVER={driver}\nA: latency_timer=16\\n\n\n"
                  f"P: {adapter.path}\nE: SUBSYSTEM=tty\nE: DEVNAME=/dev/{name}\n"
                  f"L: device=../../../{name}\n\n")
        adapter.connect(self.root / "dev" / name)
        self._do("uevent", f"/sys{adapter.path}", "add")
        return adapter

    def remove(self, adapter):
        self._do("uevent", f"/sys{adapter.path}", "remove")
        self._do("remove", f"/sys{adapter.path}")


class Adapter:
    """What is plugged in; `master` is the other side of its line."""

    def __init__(self, sockets, node, device, interface):
        self._sockets, self.node, self.device = sockets, node, device
        self.name = pathlib.Path(node).name
        socket = pathlib.Path(device).name
        self.path = f"{device}/{socket}:1.{interface}/{self.name}/tty/{self.name}"
        self.master = self._slave = None

    def connect(self, link):
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        # What nobody reads is lost, as on a wire.
        os.set_blocking(self.master, False)
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))
        self._link = link

    def pull(self, hangs_up=True):
        """Out of its socket; `hangs_up` as the kernel does, or only with word of it."""
        self._link.unlink(missing_ok=True)
        if hangs_up:
            os.close(self.master)
            os.close(self._slave)
        self._sockets.remove(self)

    @property
    def latency(self):
        """In milliseconds."""
        return int((self._sockets.root / f"sys{self.path}/device/latency_timer").read_text().split()[0])


def can_mock():
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def keep():
    """The process that keeps the world: what to do comes as lines of JSON."""
    library = ctypes.CDLL(LIBRARY)

    def function(name, result, *arguments):
        found = getattr(library, f"umockdev_testbed_{name}")
        found.restype, found.argtypes = result, arguments
        return found

    bed = function("new", ctypes.c_void_p)()
    root = function("get_root_dir", ctypes.c_void_p, ctypes.c_void_p)(bed)
    add = function("add_from_string", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    uevent = function("uevent", None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
    remove = function("remove_device", None, ctypes.c_void_p, ctypes.c_char_p)
    print(ctypes.cast(root, ctypes.c_char_p).value.decode(), flush=True)
    for line in sys.stdin:
        what, *words = json.loads(line)
        words = [word.encode() for word in words]
        if what == "add":
            print("done" if add(bed, *words, None) else "it does not take this", flush=True)
            continue
        (uevent if what == "uevent" else remove)(bed, *words)
        print("done", flush=True)


if __name__ == "__main__":
    keep()
