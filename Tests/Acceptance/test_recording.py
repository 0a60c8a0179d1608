"""What is heard on a line is kept with its times, and comes again as it was."""
import os
import subprocess
import time

from peers.gateway import BINARY, DEVICES, martlet
from peers.terminals import Line
from peers.waiting import eventually
from test_meters import telegram


def test_a_recording_is_read_by_a_profile_and_played_to_a_gateway(tmp_path, started, smart_meter, gateway, client):
    meter = smart_meter("p1")
    capture = tmp_path / "capture.txt"
    with open(capture, "wb") as file:
        process = subprocess.Popen([BINARY, "record", meter.line.near, "--baudrate", "115200"], stdout=file)
    try:
        eventually(lambda: capture.read_text().startswith("# martlet recording 1"), "it listens")
        for _ in range(2):
            meter.send(telegram("v5"))
            time.sleep(0.5)
    finally:
        process.terminate()
        assert process.wait(10) == 0
    pieces = [line.split(" ", 2) for line in capture.read_text().splitlines()[1:]]
    assert b"".join(bytes.fromhex(text) for _, _, text in pieces) == telegram("v5") * 2
    times = [float(at) for at, _, _ in pieces]
    assert times == sorted(times) and times[-1] - times[0] > 0.5

    shown = martlet("replay", capture, "--profile", "dsmr-p1", "--devices", DEVICES)
    assert shown.returncode == 0 and "2 telegrams, 0 bytes skipped" in shown.stderr

    path = tmp_path / "again"
    house = gateway(ports={"p1": {"device": str(path), "baudrate": 115200}},
                    devices={"meter": {"profile": "dsmr-p1", "port": "p1"}})
    local = client(house.port)
    local.subscribe("house/meter/$online")
    # The gateway finds the path within two seconds; the recording waits for nobody.
    late = capture.read_text().splitlines()
    first = float(late[1].split(" ", 1)[0])
    late[1:] = [f"{float(line.split(' ', 1)[0]) - first + 3:.3f} {line.split(' ', 1)[1]}" for line in late[1:]]
    (tmp_path / "late.txt").write_text("\n".join(late) + "\n")
    player = subprocess.Popen([BINARY, "replay", tmp_path / "late.txt", "--pty", path], stderr=subprocess.DEVNULL)
    try:
        local.wait_for("house/meter/$online", lambda message: b'"online"' in message.payload, timeout=30)
    finally:
        player.kill()
        player.wait()


def test_both_directions_of_a_line_are_told_apart(tmp_path, started):
    lines = [Line(tmp_path, name) for name in ("there", "back")]
    capture = tmp_path / "capture.txt"
    try:
        with open(capture, "wb") as file:
            process = subprocess.Popen(
                [BINARY, "record", lines[0].near, "--other", lines[1].near, "--seconds", "60"], stdout=file)
        eventually(lambda: capture.read_text().startswith("#"), "it listens")
        for line, sent in zip(lines, (b"\x01\x02", b"\x03")):
            far = os.open(line.far, os.O_WRONLY | os.O_NOCTTY)
            os.write(far, sent)
            os.close(far)
        eventually(lambda: len(capture.read_text().splitlines()) == 3, "both were heard")
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        for line in lines:
            line.unplug()
    heard = sorted(line.split(" ", 1)[1] for line in capture.read_text().splitlines()[1:])
    assert heard == ["< 01 02", "> 03"]


def test_what_has_no_times_is_not_played(tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("01 04 00")
    told = martlet("replay", plain, "--pty", tmp_path / "p")
    assert told.returncode == 2 and "only what `martlet record` wrote can be played" in told.stderr
    assert martlet("replay", plain).returncode == 2
