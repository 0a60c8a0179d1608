"""What people type."""
import re
import subprocess

import pytest

from peers.gateway import BINARY, DEVICES, martlet
from peers.waiting import free_port
from test_meters import TELEGRAMS


def told(*arguments, status=0):
    result = martlet(*arguments)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def test_it_knows_its_version():
    assert re.search(r"\d+\.\d+\.\d+", told("--version"))


@pytest.mark.parametrize("command", ["run", "check", "ports", "profile", "sub", "pub", "replay"])
def test_every_command_explains_itself(command):
    assert command in told("--help")
    assert "USAGE: martlet " + command in told(command, "--help")


def test_a_command_that_does_not_exist_is_a_wrong_command_line():
    result = martlet("rum")
    assert result.returncode == 2
    assert "rum" in result.stderr


def test_the_shipped_profiles_are_listed_shown_and_tested():
    listed = told("profile", "list", "--devices", DEVICES)
    for name in ["eastron-sdm120", "eastron-sdm630", "waveshare-modbus-relay-8", "dsmr-p1"]:
        assert name in listed
    shown = told("profile", "show", "eastron-sdm120", "--devices", DEVICES)
    assert "voltage" in shown and "kWh" in shown
    told("profile", "test", "--devices", DEVICES)


def test_a_profile_whose_frames_say_something_else_fails(tmp_path):
    wrong = tmp_path / "eastron-sdm120.yaml"
    text = (DEVICES / "eastron-sdm120.yaml").read_text()
    assert "voltage: 230.2" in text
    wrong.write_text(text.replace("voltage: 230.2", "voltage: 231.2", 1))
    result = martlet("profile", "test", wrong)
    assert result.returncode != 0
    assert "230.2" in result.stdout + result.stderr and "231.2" in result.stdout + result.stderr


def test_ports_can_be_listed_on_a_machine_without_any():
    told("ports")


def test_replay_says_what_a_profile_makes_of_recorded_bytes():
    said = told("replay", TELEGRAMS / "v5.telegram", "--profile", "dsmr-p1", "--devices", DEVICES)
    assert "import_energy_t1" in said and "4.426" in said
    assert "voltage_l1" in said and "230" in said


def test_sub_shows_what_pub_says(gateway):
    port = gateway().port
    with subprocess.Popen([BINARY, "sub", "-p", str(port), "-v", "-t", "plant/#"], stdout=subprocess.PIPE, text=True) as sub:
        try:
            # Retained, so that it does not matter who is first.
            told("pub", "-p", port, "-r", "-t", "plant/door", "-m", "open")
            assert sub.stdout.readline() == "plant/door open\n"
        finally:
            sub.terminate()


def test_pub_says_when_nobody_is_there():
    result = martlet("pub", "-p", free_port(), "-t", "plant/door", "-m", "open")
    assert result.returncode == 1
    assert "refused" in (result.stdout + result.stderr).lower()
