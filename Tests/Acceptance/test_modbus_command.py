"""A Modbus line by hand; on the other side is pymodbus."""
import asyncio
import re
import threading

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer

from peers.gateway import martlet
from peers.modbus import energy_meter, relay_board
from peers.waiting import free_port


def modbus(*words):
    return martlet("modbus", *words)


def test_a_scan_finds_who_is_there_and_nobody_else(bus):
    line = bus("line", [energy_meter(2), relay_board(5)])
    line.silent = {1, 3, 4, 6, 7, 8}
    found = modbus("scan", "--port", line.path, "--units", "1-6", "--table", "input", "--timeout", "200")
    assert found.returncode == 0, found.stderr
    assert re.findall(r"unit (\d+):", found.stdout) == ["2", "5"]
    assert "2 of 6 answered" in found.stderr
    # Those who are not there are asked once.
    assert len(line.asked_of(2)) == 1
    nobody = modbus("scan", "--port", line.path, "--units", "7-8", "--timeout", "100")
    assert nobody.returncode == 1 and nobody.stdout == ""


def test_a_register_is_shown_as_everything_that_it_could_be(bus):
    line = bus("line", [energy_meter(1)])
    read = modbus("read", "--port", line.path, "--table", "input", "--at", "0x0000", "--count", "2", "--all-types")
    assert read.returncode == 0, read.stderr
    assert re.search(r"^0: 0x43\w\w  \d+$", read.stdout, re.MULTILINE)
    assert re.search(r"2\d\d(\.\d+)?   name: \{ table: input, at: 0, type: float32 \}", read.stdout)
    # What can't be meant is left out: with its words the other way round it is next to nothing, or beyond all measure.
    assert "type: float32, order: CDAB" not in read.stdout


def test_what_went_wrong_is_said_with_what_to_do(bus):
    line = bus("line", [energy_meter(1)])
    refused = modbus("read", "--port", line.path, "--table", "input", "--at", "0", "--count", "100")
    assert refused.returncode == 1 and "unit 1 refused: illegal data address (2)" in refused.stderr
    line.silent = {9}
    silent = modbus("read", "--port", line.path, "--unit", "9", "--at", "0", "--timeout", "100")
    assert silent.returncode == 1 and "unit 9 did not answer: is it there" in silent.stderr
    for words in (["--at", "x"], ["--at", "0", "--count", "126"], ["--at", "0", "--format", "9Z1"]):
        assert modbus("read", "--port", line.path, *words).returncode == 2
    assert "--port PATH or --tcp HOST:PORT" in modbus("read", "--at", "0").stderr


def test_nothing_is_written_by_accident(bus):
    line = bus("line", [relay_board(1)])
    words = ["write", "--port", line.path, "--table", "coil", "--at", "3", "--value", "1"]
    said = modbus(*words)
    assert said.returncode == 0 and "01 05 00 03 FF 00" in said.stdout and "--yes" in said.stdout
    assert not line.asked.entries and not line.coil(1, 3)
    done = modbus(*words, "--yes")
    assert done.returncode == 0 and "confirmed" in done.stdout
    assert line.coil(1, 3)
    assert len(line.asked_of(1)) == 1


def test_a_device_on_the_network_that_is_not_there_is_said():
    nobody = modbus("read", "--tcp", "127.0.0.1:1", "--at", "0")
    assert nobody.returncode == 1 and "can't connect to 127.0.0.1:1" in nobody.stderr


class NetworkDevice:
    """A Modbus TCP device."""

    def __init__(self, unit):
        self.port, self._unit, ready = free_port(), unit, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10), "pymodbus did not start"

    async def _serve(self, ready):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = ModbusTcpServer([self._unit], address=("127.0.0.1", self.port))
        await server.serve_forever(background=True)
        ready.set()
        await self._over.wait()
        await server.shutdown()

    def end(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


def test_a_device_on_the_network_is_read_too(started):
    device = started(NetworkDevice(energy_meter(1)))
    read = modbus("read", "--tcp", f"127.0.0.1:{device.port}", "--table", "input", "--at", "0", "--count", "2")
    assert read.returncode == 0, read.stderr
    assert read.stdout.startswith("0: 0x43")


def test_all_units_are_told_at_once(bus):
    line = bus("line", [relay_board(1), relay_board(2)])
    told = modbus("write", "--port", line.path, "--unit", "0", "--table", "coil", "--at", "3", "--value", "1", "--yes")
    assert told.returncode == 0 and "said to all units; nobody confirms that" in told.stdout, told.stderr
    assert [(asked.unit, asked.function, asked.address) for asked in line.asked.entries] == [(0, 5, 3)]


def test_a_line_in_ascii_is_read_and_switched(bus, gateway, client):
    line = bus("line", [energy_meter(1), relay_board(2)], framer=FramerType.ASCII)
    read = modbus("read", "--port", line.path, "--ascii", "--table", "input", "--at", "0", "--count", "2", "--all-types")
    assert read.returncode == 0 and "type: float32" in read.stdout, read.stderr
    local = client(gateway(
        ports={"bus": {"device": line.path, "baudrate": 9600, "format": "8N1", "modbus": {"mode": "ascii"}}},
        devices={"meter": {"profile": "eastron-sdm630", "port": "bus", "unit": 1, "poll": "500ms"},
                 "relays": {"profile": "waveshare-modbus-relay-8", "port": "bus", "unit": 2, "poll": "500ms"}}).port)
    local.subscribe("house/#")
    assert local.wait_for("house/meter/voltage_l1").json["v"] == 230.2
    local.wait_for("house/relays/relay_3", lambda message: message.json["v"] == "OFF")
    local.publish("house/relays/relay_3/set", "ON")
    local.wait_for("house/relays/relay_3", lambda message: message.json["v"] == "ON")
    assert line.coil(2, 2)
