"""The chip of the board itself, on a processor of another kind."""
from bench import CONFIGURATION
from checks import check, decoded
from part_install import CONFIG

# QEMU's arm64 board has one PL061; its fourth line is the power button.
CHIP = "9030000.pl061"
LINES = CONFIGURATION[:CONFIGURATION.index("gpio:")] + f"""\
gpio:
  lamp: {{ line: {{ chip_label: {CHIP}, offset: 0 }}, output: {{}}, as: switch }}
  door: {{ line: {{ chip_label: {CHIP}, offset: 1 }}, as: contact }}
""" + CONFIGURATION[CONFIGURATION.index("broker:"):]


@check
def the_program_is_one_of_this_processor(bench):
    said = bench.machine("uname -m; martlet --version; systemctl show -P StatusText martlet")
    assert said.startswith("aarch64"), said
    return said


@check
def the_boards_own_chip_is_opened_and_an_output_set(bench):
    machine = bench.machine
    machine.write(CONFIG, LINES)
    machine("martlet check && systemctl restart martlet")
    bench.wait_until_active()
    with bench.client() as client:
        client.subscribe("bench/#")
        for name in ("lamp", "door"):
            client.wait_for(f"bench/{name}/$online", lambda message: message.json["state"] == "online", 60)
        for word in ("ON", "OFF"):
            before = client.count
            client.publish("bench/lamp/switch/set", word)
            result = decoded(client.wait_for("bench/lamp/switch/result", after=before))
            # It is read back from the line.
            assert result["ok"] and result["value"] == word, result
    said = machine("martlet gpio list")
    assert "output, in use by 'martlet'" in said, said
    return said
