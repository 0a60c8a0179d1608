"""Real input: a Modbus bus answered by pymodbus, telegrams of real meters, forwarded to mosquitto."""
import datetime
import pathlib

import pytest

from conftest import Authority
from peers.modbus import SDM630, energy_meter, relay_board

TELEGRAMS = pathlib.Path(__file__).resolve().parents[1] / "DecodersTests/Telegrams"
AMSTERDAM_WINTER = datetime.timezone(datetime.timedelta(hours=1))
AMSTERDAM_SUMMER = datetime.timezone(datetime.timedelta(hours=2))


def telegram(name):
    return (TELEGRAMS / f"{name}.telegram").read_bytes()


def milliseconds(year, month, day, hour, minute, second, zone):
    return int(datetime.datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp() * 1000)


# What the captured telegrams say, read by eye; kW are said as W. The second column is the telegram's own time.
TOLD = [
    ("v4_2", milliseconds(2016, 11, 13, 20, 57, 57, AMSTERDAM_WINTER),
     {"import_energy_t1": 1581.123, "import_energy_t2": 1435.706, "import_power": 2027, "tariff": 2}),
    ("v5", milliseconds(2017, 1, 2, 19, 20, 2, AMSTERDAM_WINTER),
     {"import_energy_t1": 4.426, "import_energy_t2": 2.399, "export_energy_t1": 2.444, "import_power": 244,
      "voltage_l1": 230, "voltage_l3": 229, "current_l3": 0.86, "import_power_l3": 142}),
    ("v5_two_mbus", milliseconds(2020, 4, 26, 22, 33, 25, AMSTERDAM_SUMMER),
     {"import_energy_t1": 2130.115, "import_power": 111, "voltage_l2": 229.2}),
]

METERBUS = {"baudrate": 9600, "format": "8N1"}
EVERY_READING = {"report": {"when": "always"}}


def house(path_of_bus, path_of_p1):
    """Sections of a configuration: meter and relays on one bus, a smart meter on its own port."""
    return {
        "defaults": EVERY_READING,
        "ports": {
            "meterbus": {"device": path_of_bus, **METERBUS},
            "p1": {"device": path_of_p1, "baudrate": 115200, "format": "8N1"},
        },
        "devices": {
            "meter": {"profile": "eastron-sdm630", "port": "meterbus", "unit": 1, "poll": "500ms"},
            "relays": {"profile": "waveshare-modbus-relay-8", "port": "meterbus", "unit": 2, "poll": "500ms"},
            "smart-meter": {"profile": "dsmr-p1", "port": "p1"},
        },
    }


@pytest.fixture
def ports(bus, smart_meter):
    return bus("meterbus", [energy_meter(1), relay_board(2)]), smart_meter("p1")


def test_values_on_the_broker_equal_the_sources(ports, gateway, client):
    meterbus, p1 = ports
    broker = gateway(**house(meterbus.path, str(p1.line.near))).wait_for_log("p1 is open")
    local = client(broker.port)
    local.subscribe("house/#")

    for name, time, values in TOLD:
        before = local.count
        p1.send(telegram(name))
        for point, value in values.items():
            reading = local.wait_for(
                f"house/smart-meter/{point}", lambda message: message.json["t"] == time, after=before).json
            assert reading["v"] == value, f"{name}: {point}"
            assert reading["q"] == "good"
    for point, (_, value) in SDM630.items():
        # As the meter means it: 230.2, not what is left of it in 32 bits.
        assert local.wait_for(f"house/meter/{point}").json["v"] == value
    for topic in ["house/meter/$online", "house/smart-meter/$online", "house/relays/$online", "house/$online"]:
        assert local.wait_for(topic, lambda message: message.json["state"] == "online")


def test_a_sub_meter_keeps_its_own_time(ports, gateway, client):
    meterbus, p1 = ports
    local = client(gateway(**house(meterbus.path, str(p1.line.near))).wait_for_log("p1 is open").port)
    local.subscribe("house/smart-meter/+")
    p1.send(telegram("v5"))
    gas = local.wait_for("house/smart-meter/gas").json
    assert (gas["v"], gas["u"]) == (0.107, "m³")
    assert gas["t"] == milliseconds(2017, 1, 2, 16, 10, 5, AMSTERDAM_WINTER)


def test_a_telegram_with_a_wrong_checksum_is_not_believed(ports, gateway, client):
    meterbus, p1 = ports
    local = client(gateway(**house(meterbus.path, str(p1.line.near))).wait_for_log("p1 is open").port)
    local.subscribe("house/smart-meter/+")
    p1.send(telegram("v5").replace(b"000004.426", b"900004.426"))
    p1.send(telegram("v4_2"))
    first = local.wait_for("house/smart-meter/import_energy_t1").json
    assert first["v"] == 1581.123


def upstream(server, scheme="mqtt", **more):
    host = "localhost" if scheme == "mqtts" else "127.0.0.1"
    return {"upstream": {"central": {
        "url": f"{scheme}://{host}:{server.port}",
        "out": [{"filter": "house/#", "to": "sites/17/{topic}", "qos": 1}],
        "in": [{"filter": "sites/17/house/+/+/set", "to": "{topic:2..}"}],
        **more,
    }}}


def test_a_command_given_to_the_server_reaches_the_coil(ports, gateway, client, mosquitto):
    meterbus, p1 = ports
    server = mosquitto()
    gateway(**house(meterbus.path, str(p1.line.near)), **upstream(server))
    remote = client(server.port)
    remote.subscribe("sites/17/#")
    remote.wait_for("sites/17/house/relays/relay_3", lambda message: message.json["v"] == "OFF")
    assert not meterbus.coil(2, 2)

    remote.publish("sites/17/house/relays/relay_3/set", '{"value":"ON","id":"c1"}')
    result = remote.wait_for("sites/17/house/relays/relay_3/result").json
    assert result["ok"] is True and result["value"] == "ON" and result["id"] == "c1"
    assert meterbus.coil(2, 2)
    remote.wait_for("sites/17/house/relays/relay_3", lambda message: message.json["v"] == "ON")

    remote.publish("sites/17/house/relays/relay_3/set", "SIDEWAYS")
    refused = remote.wait_for("sites/17/house/relays/relay_3/result", lambda message: not message.json["ok"]).json
    assert refused["error"] == "not_allowed_value" and "ON" in refused["detail"]
    assert meterbus.coil(2, 2)


def test_a_command_that_the_server_retained_switches_nothing(ports, gateway, client, mosquitto):
    meterbus, p1 = ports
    server = mosquitto()
    remote = client(server.port)
    remote.publish("sites/17/house/relays/relay_3/set", "ON", retain=True)
    remote.subscribe("sites/17/house/relays/+/result")
    gateway(**house(meterbus.path, str(p1.line.near)), **upstream(server))
    assert remote.wait_for("sites/17/house/relays/relay_3/result").json["error"] == "rejected_retained"
    assert not meterbus.coil(2, 2)


def numbers(messages):
    """The sequence numbers of readings; answers and availability have none."""
    return [message.json["n"] for message in messages if b'"n":' in message.payload]


def test_nothing_is_lost_while_the_server_is_away(ports, gateway, client, mosquitto):
    meterbus, p1 = ports
    server = mosquitto()
    broker = gateway(**house(meterbus.path, str(p1.line.near)), **upstream(server))
    p1.repeat(telegram("v5"), every=0.5)
    local = client(broker.port)
    local.subscribe("house/+/+")
    # A session that mosquitto keeps: what arrives before this listener is back waits for it there.
    keeper = dict(client_id="keeper", clean=False)
    before = client(server.port, **keeper)
    before.subscribe("sites/17/house/+/+")
    before.wait_for("sites/17/house/smart-meter/import_power")

    server.save()
    server.kill()
    since = local.count
    local.received.wait_until(
        lambda entries: len(numbers(entries[since:])) > 200, "200 readings while the server is away", timeout=30)
    server.start()
    after = client(server.port, **keeper)
    assert after.session_present

    last = max(numbers(local.received.entries))
    after.received.wait_until(lambda entries: last in numbers(entries), f"reading {last} arrives", timeout=30)
    here = set(numbers(local.received.entries))
    there = set(numbers(before.received.entries)) | set(numbers(after.received.entries))
    first = min(there)
    assert [n for n in range(first, last + 1) if n not in there] == []
    assert [n for n in range(min(here), last + 1) if n not in here] == []


def test_a_burst_is_forwarded_completely_and_in_order(gateway, client, mosquitto):
    server = mosquitto()
    broker = gateway(**upstream(server))
    remote = client(server.port)
    remote.subscribe("sites/17/house/log")
    local = client(broker.port)
    # The bridge is up when the first comes through.
    local.publish("house/log", "0")
    remote.wait_for("sites/17/house/log")
    count = 20_000
    for number in range(1, count):
        local.paho.publish("house/log", str(number), qos=1)
    remote.received.wait_until(lambda entries: len(entries) >= count, f"{count} messages arrive", timeout=60)
    assert [int(message.payload) for message in remote.received.entries] == list(range(count))


def test_the_server_can_be_reached_over_tls(ports, gateway, client, mosquitto, authority):
    meterbus, p1 = ports
    server = mosquitto(tls=authority)
    gateway(**house(meterbus.path, str(p1.line.near)),
            **upstream(server, "mqtts", tls={"ca": str(authority.ca)}))
    remote = client(server.port, tls=authority)
    remote.subscribe("sites/17/#")
    voltage = remote.wait_for("sites/17/house/meter/voltage_l1").json
    assert voltage["v"] == 230.2


def test_a_server_with_a_stranger_s_certificate_gets_nothing(ports, gateway, client, mosquitto, authority, tmp_path):
    folder = tmp_path / "stranger"
    folder.mkdir()
    meterbus, p1 = ports
    server = mosquitto(tls=authority)
    broker = gateway(**house(meterbus.path, str(p1.line.near)),
                     **upstream(server, "mqtts", tls={"ca": str(Authority(folder).ca)}))
    local = client(broker.port)
    remote = client(server.port, tls=authority)
    remote.subscribe("#")
    local.subscribe("house/meter/+")
    local.received.wait_until(lambda entries: len(entries) > 100, "a hundred readings")
    assert remote.received.entries == []
    assert "certificate" in broker.log.lower()
