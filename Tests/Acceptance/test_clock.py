"""A board without a clock of its own: what is measured before the time of day is known has its right time all the same."""
import time

import pytest

from peers.clock import Clock

NOT_BEFORE = 1_735_689_600_000
DEVICE = {
    "ports": {"toy": {"simulate": "eastron-sdm120"}},
    "devices": {"meter": {"profile": "eastron-sdm120", "port": "toy", "poll": "1s"}},
    "defaults": {"report": {"when": "always"}, "stale_after": "never"},
}
WAITING = "the clock is not set yet"


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def board(gateway, client, clock):
    """Starts a gateway with a simulated meter on this clock, and a client that sees everything."""
    def start(wait_for_sync):
        house = gateway(environment=clock.environment, gateway={"clock": {"wait_for_sync": wait_for_sync}}, **DEVICE)
        local = client(house.port)
        local.subscribe("house/#")
        return house, local

    return start


def readings(messages):
    return [message.json for message in messages if b'"n":' in message.payload]


def now():
    return time.time() * 1000


def test_readings_wait_for_the_clock_and_get_their_right_times(board, clock):
    clock.start_in_1970()
    began = now()
    house, local = board("1h")
    house.wait_for_log(WAITING).wait_for_log("meter answers")
    # A message of our own would come behind theirs.
    local.publish("house/marker", b"{}")
    local.wait_for("house/marker")
    assert [message.topic for message in local.received.entries] == ["house/marker"]
    was_set = now()
    clock.set(0, True)
    house.wait_for_log("the clock is set")
    local.received.wait_until(lambda entries: readings(entries) and readings(entries)[-1]["t"] > was_set + 500, "new readings")
    told = readings(local.received.entries)
    assert began - 1000 < told[0]["t"] < was_set
    times, numbers = [reading["t"] for reading in told], [reading["n"] for reading in told]
    assert times == sorted(times) and times[-1] < now() + 1000
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {reading["q"] for reading in told} == {"good"}
    online = local.wait_for("house/$online").json
    assert began - 1000 < online["since"] < was_set


def test_without_a_time_server_readings_go_out_as_estimates_and_never_in_1970(board, clock):
    clock.start_in_1970()
    house, local = board("1s")
    house.wait_for_log("the clock is still not set")
    local.received.wait_until(lambda entries: len(readings(entries)) > 20, "readings")
    told = readings(local.received.entries)
    assert {reading["q"] for reading in told} == {"estimated"}
    assert all(NOT_BEFORE <= reading["t"] < NOT_BEFORE + 3_600_000 for reading in told)
    clock.set(0, True)
    local.received.wait_until(lambda entries: readings(entries)[-1]["q"] == "good", "a good reading")


def test_after_a_restart_no_estimate_is_earlier_than_the_last_known_time(board, clock):
    clock.set(0, True)
    house, local = board("1s")
    local.received.wait_until(readings, "a reading")
    known = now()
    assert house.stop()[0] == 0
    clock.start_in_1970()
    house, local = board("1s")
    local.received.wait_until(readings, "a reading")
    told = readings(local.received.entries)
    assert told[0]["q"] == "estimated" and known - 1000 < told[0]["t"] < now() + 60_000


def test_a_step_of_the_clock_doubles_nothing_and_changes_no_order(board, clock):
    clock.set(0, True)
    house, local = board("1h")
    for offset in (-3600, 7200, 0):
        before = local.count
        local.received.wait_until(lambda entries: len(readings(entries[before:])) > 20, "readings")
        clock.set(offset, True)
    told = readings(local.received.entries)
    numbers = [reading["n"] for reading in told]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert min(reading["t"] for reading in told) < now() - 3_000_000
    assert "clock" not in house.log
