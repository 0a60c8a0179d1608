"""Meters that change the speed of the line for their readout: IEC 62056-21, mode C."""
import pytest

from peers.readout import ReadoutMeter, readout

PROFILE = """\
profile: quick-readout
version: 1
products: [ { model: "a meter that is asked often" } ]
source: "IEC 62056-21"
bus: { kind: serial, baudrate: 300, format: 7E1, decoder: iec-62056-21, every: 3s, speed_change: true }
requests:
  sign_on: { text: "/?!\\r\\n", every: 3s, wait: 2500ms }
points:
  import_energy: { obis: 1-0:1.8.0, unit: kWh }
tests:
  - send: "2F 3F 21 0D 0A"
    recv: "RECEIVED"
    gives: { import_energy: 12345.678 }
    from: "computed"
"""


@pytest.fixture
def meter():
    made = []

    def make(**more):
        made.append(ReadoutMeter(**more))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def often(tmp_path):
    """A folder with a profile that asks more often than the shipped one."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    sent = b"/LGZ5ZMF100AC.M26\r\n" + readout(12345.678)
    (folder / "quick.yaml").write_text(PROFILE.replace("RECEIVED", sent.hex(" ").upper()))
    return folder


def house(meter, profile="iec-62056-21"):
    return {
        "ports": {"optical": {"device": meter.path}},
        "devices": {"meter": {"profile": profile, "port": "optical"}},
        "defaults": {"report": {"when": "always"}},
    }


def test_a_readout_comes_at_the_speed_that_the_meter_offers(meter, gateway, client):
    mode_c = meter()
    local = client(gateway(**house(mode_c)).port)
    local.subscribe("house/#")
    assert local.wait_for("house/meter/import_energy").json["v"] == 12345.678
    assert mode_c.rounds == [{"asked at": 300, "agreed": 9600}]


def test_each_round_begins_at_300_baud_again(meter, gateway, client, often):
    mode_c = meter(offered=6)
    local = client(gateway(profiles=often, **house(mode_c, "quick-readout")).port)
    local.subscribe("house/#")
    local.wait_for("house/meter/import_energy", lambda message: message.json["v"] == 12345.678)
    mode_c.energy = 12346
    local.wait_for("house/meter/import_energy", lambda message: message.json["v"] == 12346)
    assert mode_c.rounds[:2] == [{"asked at": 300, "agreed": 19200}] * 2


def test_a_speed_that_the_optical_head_does_not_carry_is_given_up(meter, gateway, client, often):
    slow_head = meter(works=4800)
    broker = gateway(profiles=often, **house(slow_head, "quick-readout"))
    local = client(broker.port)
    local.subscribe("house/#")
    assert local.wait_for("house/meter/import_energy").json["v"] == 12345.678
    agreed = [each.get("agreed") for each in slow_head.rounds]
    assert agreed[0] == 9600 and 4800 in agreed
    broker.wait_for_log("no readout came at 9600 baud")
