"""USB adapters are found by what they are, wherever they are plugged in: through libudev itself, with umockdev."""
import contextlib
import os
import pathlib
import subprocess
import threading
import time

import pytest

from peers.gateway import BINARY, Gateway, configuration, martlet
from peers.sockets import Sockets, can_mock
from peers.waiting import eventually, free_port
from test_meters import telegram

pytestmark = pytest.mark.skipif(not can_mock(), reason="Debian's umockdev is not installed")


class Meter:
    """A smart meter behind an adapter: a telegram every 0.2 s until the adapter is pulled out."""

    def __init__(self, adapter):
        self.adapter, self._over = adapter, threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self):
        while not self._over.wait(0.2):
            with contextlib.suppress(BlockingIOError):
                os.write(self.adapter.master, telegram("v5"))

    def pull(self, **how):
        self._over.set()
        self._thread.join()
        self.adapter.pull(**how)

    def end(self):
        self._over.set()
        self._thread.join()


@pytest.fixture
def sockets(started):
    return started(Sockets())


@pytest.fixture
def house(sockets, started, client, tmp_path):
    """Starts a gateway that looks for its meter by `match`; returns it and a client that sees all."""
    def start(**match):
        port = free_port()
        config = tmp_path / "house.yaml"
        config.write_text(configuration(
            "house", port, ports={"p1": {"match": {"usb": "0403:6001", **match}}},
            devices={"meter": {"profile": "dsmr-p1", "port": "p1"}}))
        process = started(Gateway(config, port, environment=sockets.environment)).wait_until_listening()
        watcher = client(port)
        watcher.subscribe("house/meter/$online")
        return process, watcher

    return start


def status(watcher, words, after=0):
    return watcher.wait_for("house/meter/$online", lambda message: words in message.payload.decode(), after=after)


def test_a_meter_is_read_again_when_its_adapter_comes_back_in_another_socket_under_another_name(sockets, house, started):
    meter = started(Meter(sockets.plug("/dev/ttyUSB0", serial="A1")))
    # Of the same kind, and not it.
    sockets.plug("/dev/ttyUSB5", socket="1-4", serial="B2")
    process, watcher = house(serial="A1")
    status(watcher, '"online"')
    assert meter.adapter.latency == 1, "an FTDI adapter hands bytes over after a millisecond"

    before = watcher.count
    meter.pull()
    assert "port_missing" in status(watcher, '"offline"', before).payload.decode()
    # So long that it is not looked for all the time.
    time.sleep(3)
    before, began = watcher.count, time.monotonic()
    started(Meter(sockets.plug("/dev/ttyUSB1", socket="1-3", serial="A1")))
    status(watcher, '"online"', before)
    print(f"read again {time.monotonic() - began:.2f} s after it was plugged in; the first telegram came after 0.2 s")
    assert "/dev/ttyUSB1 was plugged in" in process.log


def test_a_port_is_let_go_of_when_udev_says_that_it_is_gone(sockets, house, started):
    meter = started(Meter(sockets.plug("/dev/ttyUSB0", serial="A1")))
    process, watcher = house(serial="A1")
    status(watcher, '"online"')
    terminal = os.ttyname(meter.adapter._slave)

    def holds():
        links = pathlib.Path(f"/proc/{process.process.pid}/fd").iterdir()
        return any(os.path.realpath(link) == terminal for link in links)

    assert holds()
    before = watcher.count
    meter.pull(hangs_up=False)
    assert "port_missing" in status(watcher, '"offline"', before).payload.decode()
    eventually(lambda: not holds(), "the descriptor is closed")


def test_two_adapters_that_look_the_same_are_named_with_what_tells_them_apart(sockets, house, started):
    for number in (1, 2):
        started(Meter(sockets.plug(f"/dev/ttyUSB{number}", socket=f"1-{number}", serial="0001")))
    _, watcher = house(serial="0001")
    told = watcher.wait_for("house/meter/$online", lambda message: "/dev/ttyUSB1" in message.payload.decode()).json["detail"]
    for words in ("/dev/ttyUSB2", "usb-0:1:1.0", "usb-0:2:1.0", "path"):
        assert words in told
    listed = martlet("ports", env={**os.environ, **sockets.environment}).stdout
    assert 'path: "pci-0000:00:14.0-usb-0:2:1.0"' in listed and "driver ftdi_sio" in listed


def test_an_interface_of_an_adapter_with_several_is_chosen_by_its_number(sockets, house, started):
    sockets.plug("/dev/ttyUSB0", serial="Q4", interface=0)
    meter = started(Meter(sockets.plug("/dev/ttyUSB1", serial="Q4", interface=1)))
    process, watcher = house(serial="Q4", interface=1)
    status(watcher, '"online"')
    assert meter.adapter.latency == 1


def test_ports_are_followed_as_they_come_and_go(sockets, started, tmp_path):
    output = tmp_path / "watch.txt"
    with open(output, "wb") as file:
        process = subprocess.Popen(
            [BINARY, "ports", "--watch"], stdout=file, env={**os.environ, **sockets.environment})
    try:
        eventually(lambda: "Ctrl-C" in output.read_text(), "it watches")
        adapter = sockets.plug("/dev/ttyUSB3", serial="W1")
        eventually(lambda: '/dev/ttyUSB3 came' in output.read_text() and 'serial: "W1"' in output.read_text(), "it is told")
        adapter.pull()
        eventually(lambda: "/dev/ttyUSB3 went" in output.read_text(), "that it went is told")
    finally:
        process.kill()
        process.wait()
