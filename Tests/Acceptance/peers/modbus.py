"""Modbus units on a serial line, answered for by pymodbus."""
import asyncio
import dataclasses
import struct
import threading
import time

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from .terminals import Line
from .waiting import Log

# Input registers of an SDM630 with what they hold here: Eastron's protocol manual, table of input registers
# (address 3X 30001 is 0x0000).
SDM630 = {
    "voltage_l1": (0x0000, 230.2),
    "voltage_l2": (0x0002, 229.7),
    "voltage_l3": (0x0004, 231.15),
    "current_l1": (0x0006, 5.361),
    "current_l2": (0x0008, 0.044),
    "current_l3": (0x000A, 12.9),
    "power_l1": (0x000C, 1234.5),
    "power_l2": (0x000E, -10.1),
    "power_l3": (0x0010, 2981.835),
    "power_factor_l1": (0x001E, 0.987),
    "power": (0x0034, 4206.235),
    "frequency": (0x0046, 49.98),
    "import_energy": (0x0048, 81723.06),
    "export_energy": (0x004A, 12.001),
}


@dataclasses.dataclass
class Asked:
    """One request that arrived at the far end."""

    at: float
    unit: int
    function: int
    address: int


def energy_meter(unit):
    """An SDM630 that refuses more than 80 registers at once, as the real one does."""
    registers = [0] * 0x188
    for address, value in SDM630.values():
        registers[address:address + 2] = struct.unpack(">HH", struct.pack(">f", value))

    async def answer(function, start, address, count, current, new):
        return ExcCodes.ILLEGAL_ADDRESS if count > 80 else None

    return SimDevice(unit, simdata=(*_nothing(3), [SimData(0, values=registers, datatype=DataType.REGISTERS)]),
                     action=answer)


def relay_board(unit):
    """Eight coils, all off."""
    return SimDevice(unit, simdata=([SimData(0, values=[False] * 8, datatype=DataType.BITS)], *_nothing(4)[1:]))


def _nothing(count):
    """Empty tables; pymodbus wants at least one entry in each."""
    bits = SimData(0xFFF0, values=[False], datatype=DataType.BITS)
    registers = SimData(0xFFF0, values=[0], datatype=DataType.REGISTERS)
    return [[bits], [bits], [registers], [registers]][:count]


class Bus:
    """A serial line with units on it. Units in `silent` are there and never answer."""

    def __init__(self, folder, name, units, framer=FramerType.RTU):
        self._framer = framer
        self.line = Line(folder, name)
        self.asked = Log()
        self.silent = set()
        self._units = units
        self._thread = None
        self._start()

    @property
    def path(self):
        return str(self.line.near)

    def coil(self, unit, address):
        """How a relay stands."""
        values = self._server.async_getValues(unit, 1, address, 1)
        return bool(asyncio.run_coroutine_threadsafe(values, self._loop).result(5)[0])

    def set_coil(self, unit, address, is_on):
        """Switches a relay by hand."""
        setting = self._server.async_setValues(unit, 5, address, [is_on])
        asyncio.run_coroutine_threadsafe(setting, self._loop).result(5)

    def asked_of(self, unit):
        return [asked for asked in self.asked.entries if asked.unit == unit]

    def wait_until_asked(self, unit, times, timeout, after=0):
        """Waits until the unit was asked so many times, not counting the first `after` requests; returns those."""
        def enough(entries):
            found = [asked for asked in entries[after:] if asked.unit == unit]
            return found if len(found) >= times else None

        return self.asked.wait_until(enough, f"unit {unit} is asked {times} times", timeout)

    def unplug(self):
        self._stop()
        self.line.unplug()

    def plug(self):
        self.line.plug()
        self._start()

    end = unplug

    def _start(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10), "pymodbus did not start"

    def _stop(self):
        if self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
            self._thread = None

    async def _serve(self, ready):
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._server = ModbusSerialServer(
            self._units, port=str(self.line.far), baudrate=9600, framer=self._framer,
            trace_pdu=self._trace, trace_packet=self._mute)
        await self._server.serve_forever(background=True)
        ready.set()
        await self._stopping.wait()
        await self._server.shutdown()

    def _trace(self, is_answer, pdu):
        if not is_answer:
            self.asked.add(Asked(time.monotonic(), pdu.dev_id, pdu.function_code, pdu.address))
        return pdu

    def _mute(self, is_answer, packet):
        return b"" if is_answer and packet[0] in self.silent else packet
