"""What happens to the others when one device goes away."""
import pytest

from peers.modbus import energy_meter, relay_board
from test_meters import EVERY_READING, METERBUS, telegram

POLL = 0.5


def gaps(asked):
    """The pauses between polls; a poll that takes several requests counts once."""
    times = [each.at for each in asked]
    return [later - earlier for earlier, later in zip(times, times[1:])]


def relays(port, unit=1):
    return {"profile": "waveshare-modbus-relay-8", "port": port, "unit": unit, "poll": f"{POLL * 1000:.0f}ms"}


def states(client, topic):
    return [message.json["state"] for message in client.on(topic)]


@pytest.fixture
def house(bus, smart_meter, gateway, client):
    """Two buses with a relay board each, and a smart meter; all of them online."""
    garage, cellar, p1 = bus("garage", [relay_board(1)]), bus("cellar", [relay_board(1)]), smart_meter("p1")
    broker = gateway(
        defaults=EVERY_READING,
        ports={
            "garage": {"device": garage.path, **METERBUS},
            "cellar": {"device": cellar.path, **METERBUS},
            "p1": {"device": str(p1.line.near), "baudrate": 115200, "format": "8N1"},
        },
        devices={
            "garage": relays("garage"), "cellar": relays("cellar"),
            "smart-meter": {"profile": "dsmr-p1", "port": "p1"},
        })
    local = client(broker.port)
    local.subscribe("house/#")
    p1.repeat(telegram("v5"), every=0.5)
    for device in ["garage", "cellar", "smart-meter"]:
        local.wait_for(f"house/{device}/$online", lambda message: message.json["state"] == "online")
    return garage, cellar, p1, local


def test_an_unplugged_bus_comes_back_and_the_others_miss_no_poll(house):
    garage, cellar, _, local = house
    before, polls = local.count, len(cellar.asked_of(1))

    garage.unplug()
    offline = local.wait_for(
        "house/garage/$online", lambda message: message.json["state"] == "offline", after=before).json
    assert offline["reason"] == "port_missing", offline
    assert offline["detail"]
    # Long enough to fail some times to find it again.
    cellar.wait_until_asked(1, times=8, timeout=20, after=len(cellar.asked.entries))

    again = local.count
    garage.plug()
    local.wait_for("house/garage/$online", lambda message: message.json["state"] == "online", after=again)
    reading = local.wait_for("house/garage/relay_1", lambda message: message.json["q"] == "good", after=again)
    assert reading.json["v"] == "OFF"

    assert max(gaps(cellar.asked_of(1)[polls:])) < 1.8 * POLL, "the other bus missed a poll"
    assert states(local, "house/cellar/$online")[-1] == "online"
    assert "offline" not in states(local, "house/smart-meter/$online")[1:]


def test_an_unplugged_smart_meter_comes_back_and_the_others_miss_no_poll(house):
    garage, cellar, p1, local = house
    before, polls = local.count, len(cellar.asked_of(1))

    p1.unplug()
    offline = local.wait_for(
        "house/smart-meter/$online", lambda message: message.json["state"] == "offline", after=before).json
    assert offline["reason"] == "port_missing", offline
    cellar.wait_until_asked(1, times=8, timeout=20, after=len(cellar.asked.entries))

    again = local.count
    p1.plug()
    p1.repeat(telegram("v5"), every=0.5)
    local.wait_for("house/smart-meter/$online", lambda message: message.json["state"] == "online", after=again)
    local.wait_for("house/smart-meter/import_power", after=again)

    for other in (garage, cellar):
        assert max(gaps(other.asked_of(1)[polls:])) < 1.8 * POLL, "a bus missed a poll"


def test_a_port_that_is_not_there_at_the_start_is_found_when_it_comes(tmp_path, bus, gateway, client):
    later = bus("later", [relay_board(1)])
    later.unplug()
    broker = gateway(ports={"later": {"device": later.path, **METERBUS}}, devices={"board": relays("later")})
    local = client(broker.port)
    local.subscribe("house/#")
    assert local.wait_for(
        "house/board/$online", lambda message: message.json.get("reason") == "port_missing").json["state"] == "offline"
    later.plug()
    local.wait_for("house/board/$online", lambda message: message.json["state"] == "online")


def test_a_silent_unit_costs_its_neighbours_almost_nothing(bus, gateway, client, capsys):
    line = bus("meterbus", [relay_board(1), energy_meter(2), relay_board(9)])
    line.silent.add(9)
    broker = gateway(
        ports={"meterbus": {"device": line.path, **METERBUS}},
        devices={
            "near": relays("meterbus", 1),
            "dead": relays("meterbus", 9),
            "far": relays("meterbus", 2) | {"profile": "eastron-sdm630", "poll": "1s"},
        })
    local = client(broker.port)
    local.subscribe("house/#")

    # From its first poll on: also what it costs to find out that the unit is silent.
    polls = line.wait_until_asked(1, times=60, timeout=60)
    due = (polls[-1].at - polls[0].at) / POLL + 1
    lost = 1 - len(polls) / round(due)
    with capsys.disabled():
        print(f"\n  beside a silent unit: {len(polls)} of {round(due)} polls")
    assert lost < 0.02, f"{lost:.1%} of the polls were lost; longest pause {max(gaps(polls)):.2f} s"
    gone = local.wait_for("house/dead/$online", lambda message: message.json.get("reason") == "timeout").json
    assert gone["state"] == "offline"
    assert len(line.asked_of(9)) < 20, "a unit that was set aside is asked again and again"

    # It is tried again by itself, with one request.
    line.silent.clear()
    local.wait_for("house/dead/$online", lambda message: message.json["state"] == "online", timeout=45)
