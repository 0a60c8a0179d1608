"""Broken configurations: each is answered with where, what and how to mend it."""
import dataclasses
import os
import re
import subprocess

import pytest

from peers.gateway import BINARY, DEVICES, ROOT, martlet

GOOD = """\
version: 1
gateway: { id: house }
ports:
  meterbus:
    device: /dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0
    baudrate: 9600
    format: 8E1
devices:
  meter:
    profile: eastron-sdm630
    port: meterbus
    unit: 1
    poll: 2s
    points:
      power: { report: { deadband: 5 } }
      thd_voltage_l1: off
  relays: { profile: waveshare-modbus-relay-8, port: meterbus, unit: 2, poll: 1s }
topics:
  state: "{gateway}/{device}/{point}"
broker:
  listen:
    - { address: 127.0.0.1, port: 1883 }
upstream:
  central: { url: "mqtt://127.0.0.1:1884", out: [ { filter: "house/#", to: "sites/17/{topic}" } ] }
"""


@dataclasses.dataclass
class Broken:
    """One thing changed in the good file, and what must be said about it."""

    name: str
    good: str
    bad: str
    # The text at which the message must point; the first place, or the first after `below`.
    at: str
    says: list
    below: str = ""


BROKEN = [
    Broken("another program's spelling of a key", "baudrate: 9600", "baud_rate: 9600", "baud_rate",
           ["unknown key 'baud_rate'", "did you mean 'baudrate'?", "format"]),
    Broken("a tab before a key", "    baudrate: 9600", "\tbaudrate: 9600", "\t", ["tab"]),
    Broken("a time without a unit", "poll: 2s", "poll: 2", "2", ["'2'", "2s"]),
    Broken("a profile that is not there", "eastron-sdm630", "eastron-sdm63", "eastron-sdm63",
           ["'eastron-sdm63'", "did you mean 'eastron-sdm630'?"]),
    Broken("a port that is not described", "port: meterbus", "port: meterbuss", "meterbuss",
           ["'meterbuss'", "did you mean 'meterbus'?"]),
    Broken("a line format that does not exist", "format: 8E1", "format: 8X1", "8X1", ["'8X1'", "8N1"]),
    Broken("a unit that Modbus does not have", "unit: 1", "unit: 300", "300", ["'300'", "0 to 247"]),
    Broken("two devices with one number", "unit: 2", "unit: 1", "unit: 1",
           ["unit 1", "'meter'", "'relays'", "'meterbus'"], below="relays:"),
    Broken("a placeholder that topics don't have", "{gateway}/{device}", "{gateway}/{devise}", "{devise}",
           ["{devise}", "did you mean '{device}'?", "{point}"]),
    Broken("a TCP port beyond the last", "port: 1883", "port: 18830000", "18830000", ["'18830000'", "65535"]),
    Broken("an address of a web server", "mqtt://", "http://", '"http://', ["mqtt://", "mqtts://"]),
    Broken("a gateway without a name", "gateway: { id: house }", "gateway: { name: House }", "gateway",
           ["'id' is missing in 'gateway'", "id: my-gateway"]),
    Broken("a point that the profile does not have", "power: { report", "powr: { report", "powr",
           ["'powr'", "did you mean 'power'?"]),
    Broken("a value from the wrong list", "report: { deadband: 5 }", "report: { when: changed }", "changed",
           ["'changed'", "did you mean 'change'?", "interval", "always"]),
    Broken("a bracket that is not closed", "gateway: { id: house }", "gateway: { id: house", "{ id", ["'{'", "not closed"]),
    Broken("the same key twice", "    baudrate: 9600\n", "    baudrate: 9600\n    baudrate: 19200\n",
           "baudrate: 19200", ["'baudrate'", "twice"]),
    Broken("a wire that is nowhere", "device: /dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0",
           "flow: none", "meterbus:", ["ports.meterbus", "match", "device", "simulate"]),
]


def place(text, broken):
    """Line and column, counted from 1, of the place that must be named."""
    offset = text.index(broken.at, text.index(broken.below or broken.bad) if broken.at in broken.bad else 0)
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def check(config, command="check"):
    result = martlet(command, "--config", config, "--devices", DEVICES)
    return result.returncode, (result.stdout + result.stderr)


def test_the_good_one_is_good(tmp_path):
    config = tmp_path / "house.yaml"
    config.write_text(GOOD)
    status, told = check(config)
    assert status == 0, told
    assert "error" not in told


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name.replace(" ", "-"))
def test_a_broken_one_is_answered_with_where_what_and_how(tmp_path, broken):
    assert broken.good in GOOD
    text = GOOD.replace(broken.good, broken.bad, 1)
    config = tmp_path / "house.yaml"
    config.write_text(text)
    status, told = check(config)
    assert status == 2, told

    line, column = place(text, broken)
    assert f"{config}:{line}:{column}: error: " in told, told
    assert text.splitlines()[line - 1].replace("\t", " ") in told, told
    for words in broken.says:
        assert words in told, told
    assert told.count(": error: ") == 1, f"one mistake, one message:\n{told}"

    # Whoever only ever starts it reads the same.
    status, logged = check(config, "run")
    assert status == 2, logged
    for line in told.strip().splitlines():
        if "house.yaml" in line or line.startswith("  "):
            assert line.strip() in logged, logged


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path):
    config = tmp_path / "house.yaml"
    config.write_text(GOOD.replace("baudrate: 9600", "baud: 9600").replace("poll: 2s", "poll: soon")
                      .replace("port: 1883", "port: none").replace("unit: 2,", "unit: 2, qoss: 1,"))
    status, told = check(config)
    assert status == 2
    lines = [int(line.split(":")[1]) for line in told.splitlines() if ": error: " in line]
    assert lines == sorted(lines) == [6, 13, 17, 22], told


def test_bare_words_that_yaml_takes_for_something_else_stay_what_was_written(tmp_path):
    """8E1 is a number in YAML, `off` is false and 12:30 is 750: here the schema decides."""
    config = tmp_path / "house.yaml"
    config.write_text(GOOD.replace("gateway: { id: house }", "gateway: { id: 3e10, name: 12:30 }"))
    status, told = check(config)
    assert status == 0, told


def test_what_the_readme_shows_is_a_good_configuration(tmp_path):
    """Its pieces, put together, are one file."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 3
    config = tmp_path / "house.yaml"
    config.write_text("".join(blocks))
    status, told = check(config)
    assert status == 0 and "error" not in told, told


@pytest.mark.parametrize("config", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_configurations_are_good(config, tmp_path):
    # What an example leaves to files of secrets and of users.
    environment = {**os.environ, "MARTLET_SECRET_CENTRAL_PASSWORD": "x"}
    subprocess.run([BINARY, "passwd", tmp_path / "users", "anna"], input=b"x\n", check=True, capture_output=True)
    copy = tmp_path / config.name
    copy.write_text(config.read_text())
    result = martlet("check", "--config", copy, "--devices", DEVICES, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
