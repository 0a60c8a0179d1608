"""What hangs on a line is found, and what is said on it shown: `martlet scan` and `martlet sniff`."""
import pytest

from peers.gateway import DEVICES, martlet
from peers.modbus import energy_meter, relay_board
from peers.readout import ReadoutMeter
from peers.speeds import SpeedGate
from test_meters import telegram


@pytest.fixture
def gate(started):
    """A line that needs the right speed: `gate(inner, baud)`."""
    return lambda inner, baud: started(SpeedGate(inner, baud))


def scan(*words, profiles=DEVICES):
    return martlet("scan", *words, "--devices", profiles, timeout=120)


@pytest.fixture
def few(tmp_path):
    """A folder with few profiles, so that less is tried."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("eastron-sdm630", "dsmr-p1", "iec-62056-21"):
        (folder / f"{name}.yaml").symlink_to(DEVICES / f"{name}.yaml")
    return folder


def test_a_meter_is_found_at_a_speed_of_its_own(bus, gate, tmp_path, few):
    line = bus("line", [energy_meter(3)])
    line.silent = set(range(1, 248)) - {3}
    outer = gate(line.path, 19200)
    found = scan(outer.path, "--listen", "1", "--timeout", "150", "--units", "1-4", profiles=few)
    assert found.returncode == 0, found.stderr
    assert "19200 baud" in found.stderr and "listening for 1 s" in found.stderr
    for words in ("baudrate: 19200", "profile: eastron-sdm630", "unit: 3", f"device: {outer.path}"):
        assert words in found.stdout, found.stdout
    # It is a configuration.
    config = tmp_path / "found.yaml"
    config.write_text("version: 1\ngateway: { id: shed }\n" + found.stdout)
    checked = martlet("check", config, "--devices", DEVICES)
    assert checked.returncode == 0, checked.stdout
    # Nobody was told to do anything.
    assert {asked.function for asked in line.asked.entries} <= {1, 2, 3, 4}


def test_several_units_go_into_a_configuration_whose_other_lines_stay(bus, tmp_path):
    line = bus("line", [energy_meter(1), relay_board(2)])
    line.silent = set(range(3, 248))
    config = tmp_path / "shed.yaml"
    before = [
        "version: 1", "gateway: { id: shed }  # ours", "", "ports:", "    bus:  # taken", "        tcp: \"127.0.0.1:9\"", "",
        "# and this", "devices:", "    heat: { profile: eastron-sdm120, port: bus, unit: 9 }", "", "broker:", "  listen: []",
    ]
    config.write_text("\n".join(before) + "\n")
    found = scan(line.path, "--listen", "1", "--baudrate", "9600", "--format", "8N1", "--units", "1-3", "--into", config)
    assert found.returncode == 0, found.stderr
    after = config.read_text().splitlines()
    kept = iter(after)
    assert all(line in kept for line in before), after
    checked = martlet("check", config, "--devices", DEVICES)
    assert checked.returncode == 0 and "2 ports, 3 devices" in checked.stdout, checked.stdout
    assert any(each.startswith("    eastron-sdm630-1:") for each in after), after
    assert "    bus-2:" in after and "      unit: 2" in after


def test_a_meter_that_speaks_by_itself_is_found_without_a_word(smart_meter, gate):
    meter = smart_meter("p1")
    outer = gate(str(meter.line.near), 115200)
    meter.repeat(telegram("v5"), 0.4)
    found = scan(outer.path, "--listen-only")
    assert found.returncode == 0, found.stderr
    assert "profile: dsmr-p1" in found.stdout and "baudrate: 115200" in found.stdout
    assert "asking" not in found.stderr


def test_a_meter_that_offers_a_faster_readout_is_found(few):
    meter = ReadoutMeter()
    try:
        found = scan(meter.path, "--listen", "1", "--baudrate", "300", "--format", "7E1", "--units", "1-1", profiles=few)
    finally:
        meter.close()
    assert found.returncode == 0, found.stderr
    assert "profile: iec-62056-21\n" in found.stdout and "baudrate: 300" in found.stdout
    assert meter.rounds[-1]["agreed"] == 9600


def test_a_unit_that_no_profile_fits_is_told_with_what_to_do(bus):
    line = bus("line", [relay_board(1)])
    line.silent = set(range(2, 248))
    found = martlet("scan", line.path, "--listen", "1", "--baudrate", "9600", "--format", "8N1", "--units", "1-1",
                    "--devices", "/nonexistent")
    assert found.returncode == 0 and found.stdout == ""
    assert "no profile fits" in found.stderr and "--all-types" in found.stderr


def test_nobody_there_is_a_status_of_its_own(bus, few):
    line = bus("line", [energy_meter(1)])
    line.silent = set(range(1, 248))
    found = scan(line.path, "--listen", "1", "--baudrate", "9600", "--format", "8N1", "--units", "1-2", "--timeout", "50",
                 profiles=few)
    assert found.returncode == 1 and found.stdout == ""
    assert "nothing was found: is the device powered" in found.stderr


def test_two_masters_are_one_too_many(smart_meter):
    """Another master's requests are heard, and no request of ours goes between them."""
    other = smart_meter("other")
    request = bytes.fromhex("01 04 00 00 00 02 71 CB".replace(" ", ""))
    other.repeat(request, 0.2)
    found = scan(str(other.line.near))
    assert found.returncode == 1
    assert "somebody asks on this line already (unit 1: read input 0 to 1)" in found.stderr


EXCHANGE = bytes.fromhex("01040000000271CB") + bytes.fromhex("010404436633341B38")


def test_the_speed_of_a_line_is_guessed_from_what_is_said_on_it(smart_meter, gate):
    other = smart_meter("other")
    outer = gate(str(other.line.near), 19200)
    other.repeat(EXCHANGE, 0.05)
    guessed = martlet("sniff", outer.path, "--guess-only", "--devices", DEVICES, timeout=120)
    assert guessed.returncode == 0, guessed.stderr
    assert guessed.stdout == "19200 baud 8N1\n" or guessed.stdout == "19200 baud 8E1\n"
    assert "frames of Modbus RTU, unit 1" in guessed.stderr
    assert "9600 baud 8N1: bytes that say nothing to us" in guessed.stderr


def test_what_is_said_on_a_line_is_shown_in_bytes_and_words(smart_meter):
    other = smart_meter("other")
    other.repeat(EXCHANGE + b"T=21.5\r\n", 0.3)
    heard = martlet("sniff", str(other.line.near), "--baudrate", "9600", "--seconds", "2")
    assert heard.returncode == 0, heard.stderr
    assert "01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B" in heard.stdout
    assert "38 54 3D 32 31 2E 35 0D 0A" in heard.stdout and "8T=21.5.." in heard.stdout
    assert "unit 1: read input 0 to 1" in heard.stdout and "unit 1: answer to function 4, 4 bytes" in heard.stdout


def test_a_silent_line_is_told(smart_meter):
    line = smart_meter("silent")
    heard = martlet("sniff", str(line.line.near), "--seconds", "1", "--devices", DEVICES)
    assert heard.returncode == 0 and "nothing was heard" in heard.stderr
