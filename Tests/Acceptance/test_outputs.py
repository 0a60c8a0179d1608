"""Rules for outputs: what is switched on ends, what must not be on together is not, and what nobody commands is safe."""
import json
import signal

import pytest

from peers.gateway import LONGEST_STOP
from peers.modbus import relay_board
from peers.waiting import eventually

UNIT = 1


class Board:
    """A gateway with a relay board, and a client that sees everything."""

    def __init__(self, start, line, client, commands, **sections):
        points = {f"relay_{number}": {"command": command} for number, command in commands.items()}
        self.bus = line
        self._start = lambda: start(
            ports={"bus": {"device": line.path, "baudrate": 9600, "modbus": {"offline_after": 1, "timeout": "500ms", "probe_every": "1s"}}},
            devices={"relays": {"profile": "waveshare-modbus-relay-8", "port": "bus", "unit": UNIT, "poll": "300ms",
                                "points": points}}, **sections)
        self._client = client
        self.start()

    def start(self):
        self.gateway = self._start()
        self.client = self._client(self.gateway.port)
        self.client.subscribe("#")
        self.client.wait_for("house/relays/$online", lambda message: message.json["state"] == "online")
        return self

    def send(self, relay, payload, **keywords):
        """Sends a command, and returns its answer."""
        before = self.client.count
        self.client.publish(f"house/relays/relay_{relay}/set", payload.encode(), **keywords)
        return self.client.wait_for(
            f"house/relays/relay_{relay}/result", lambda message: "why" not in message.json, after=before).json

    def told(self, relay, why, after=0, **keywords):
        """What the gateway says that it has done by itself."""
        return self.client.wait_for(
            f"house/relays/relay_{relay}/result", lambda message: message.json.get("why") == why, after=after,
            **keywords).json

    def is_on(self, relay):
        return self.bus.coil(UNIT, relay - 1)


@pytest.fixture
def board(gateway, bus, client):
    """Starts one: `board({1: {"max_on": "2s"}})`."""
    line = bus("bus", [relay_board(UNIT)])
    return lambda commands, **sections: Board(gateway, line, client, commands, **sections)


def test_what_is_on_for_too_long_is_switched_off(board):
    board = board({1: {"max_on": "2s"}})
    answer = board.send(1, "ON")
    assert answer["ok"] and answer["off_at"] > 0
    assert board.is_on(1)
    told = board.told(1, "max_on")
    assert told["ok"] and told["value"] == "OFF" and "max_on" in told["detail"]
    assert not board.is_on(1)
    board.client.wait_for("house/relays/relay_1", lambda message: message.json["v"] == "OFF")


def test_what_somebody_switched_on_by_hand_is_ended_too(board):
    board = board({1: {"max_on": "1s"}})
    board.bus.set_coil(UNIT, 0, True)
    board.told(1, "max_on")
    assert not board.is_on(1)


def test_two_of_an_interlock_are_never_on(board):
    board = board({1: {"interlock": ["relay_2"]}})
    assert board.send(1, "ON")["ok"]
    answer = board.send(2, "ON")
    assert answer == {"ok": False, "error": "interlock", "detail": "relays/relay_1 is on, and must be off first"}
    assert board.is_on(1) and not board.is_on(2)
    # At once, one after the other: the second waits for the first.
    before = board.client.count
    board.client.publish("house/relays/relay_1/set", b"OFF")
    assert board.send(2, "ON")["ok"]
    assert board.client.wait_for("house/relays/relay_1/result", after=before).json["ok"]
    assert board.is_on(2) and not board.is_on(1)


def test_an_output_stays_off_for_a_while_and_the_answer_says_how_long(board):
    board = board({1: {"min_off": "2s"}})
    eventually(lambda: board.send(1, "ON")["ok"], "it has been off for two seconds")
    assert board.send(1, "OFF")["ok"]
    answer = board.send(1, "ON")
    assert answer["error"] == "min_off" and "it can be switched on again in" in answer["detail"]
    assert not board.is_on(1)
    eventually(lambda: board.send(1, "ON")["ok"], "it has been off for two seconds again")


def test_retained_old_and_too_many_commands_move_nothing(board):
    board = board({1: {"rate_limit": "2/h", "max_age": "5s"}})
    answer = board.send(1, "ON", retain=True)
    assert answer["error"] == "rejected_retained" and "reconnect" in answer["detail"]
    board.client.publish("house/relays/relay_1/set", b"", retain=True)
    answer = board.send(1, json.dumps({"value": "ON", "t": 1_700_000_000_000, "id": "c1"}))
    assert answer["error"] == "too_old" and answer["id"] == "c1"
    assert not board.is_on(1)
    assert [board.send(1, word).get("error") for word in ["ON", "OFF", "ON", "OFF"]] == [None, None, "rate_limited", None]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_makes_outputs_safe_before_the_devices_end(board, how):
    board = board({1: {"safe": "OFF"}, 2: {"safe": "ON"}, 3: {"safe": "OFF", "initial": "keep"}})
    eventually(lambda: board.is_on(2), "it begins at its safe state")
    assert board.send(1, "ON")["ok"] and board.send(2, "OFF")["ok"] and board.send(4, "ON")["ok"]
    status, took = board.gateway.stop(how)
    assert status == 0 and took < LONGEST_STOP
    assert [board.is_on(relay) for relay in [1, 2, 3, 4]] == [False, True, False, True]
    assert board.told(1, "stopping")["value"] == "OFF"
    # The last word on the output is that its device is offline, after its safe state was told.
    assert board.client.on("house/relays/$online")[-1].json["reason"] == "stopping"


def test_a_stop_is_in_time_when_the_board_does_not_answer(board):
    board = board({1: {"safe": "OFF"}})
    assert board.send(1, "ON")["ok"]
    board.bus.silent.add(UNIT)
    status, took = board.gateway.stop()
    assert status == 0 and took < LONGEST_STOP
    assert "relays/relay_1 can't be set to OFF" in board.gateway.log or "could not be made safe" in board.gateway.log


def test_after_a_kill_the_next_start_puts_the_output_right(board):
    board = board({1: {"max_on": "1h"}, 2: {"safe": "keep"}})
    assert board.send(1, "ON")["ok"] and board.send(2, "ON")["ok"]
    board.gateway.process.kill()
    board.gateway.process.wait()
    assert board.is_on(1)
    board.start()
    eventually(lambda: not board.is_on(1), "the initial state is written")
    assert board.is_on(2)


def test_a_lost_control_link_makes_it_safe(board):
    board = board({1: {"safe_after": "2s"}, 2: {}})
    assert board.send(1, "ON")["ok"] and board.send(2, "ON")["ok"]
    before = board.client.count
    assert board.told(1, "control_lost", after=before)["ok"]
    assert not board.is_on(1) and board.is_on(2)
    assert board.send(1, "ON")["ok"], "a command is a sign of life"


def test_signs_of_control_keep_it_on(board):
    board = board({1: {"safe_after": "3s"}})
    assert board.send(1, "ON")["ok"]
    began = board.client.wait_for("house/relays/relay_1/result").at
    polls = len(board.bus.asked.entries)
    while board.client.received.entries[-1].at < began + 6:
        board.client.publish("house/$control", b"here")
        polls = len(board.bus.asked.entries)
        board.bus.wait_until_asked(UNIT, 2, timeout=10, after=polls)
    assert board.is_on(1)
    assert board.told(1, "control_lost")["ok"]


def test_a_connected_server_is_a_sign_of_control(board, mosquitto):
    server = mosquitto()
    board = board(
        {1: {"safe_after": "1s"}},
        upstream={"central": {"url": f"mqtt://127.0.0.1:{server.port}", "in": [{"filter": "house/+/+/set"}]}})
    board.client.subscribe("$SYS/broker/connection/#")
    board.client.wait_for("$SYS/broker/connection/house/state", lambda message: message.payload == b"1")
    assert board.send(1, "ON")["ok"]
    polls = len(board.bus.asked.entries)
    board.bus.wait_until_asked(UNIT, 10, timeout=20, after=polls)
    assert board.is_on(1)
    server.stop()
    assert board.told(1, "control_lost", timeout=20)["ok"]


def test_a_refused_reload_makes_outputs_safe_once(board, tmp_path):
    board = board({1: {"safe": "OFF"}})
    assert board.send(1, "ON")["ok"]
    file = next(tmp_path.glob("*.yaml"))
    text = file.read_text()
    file.write_text(text.replace('"300ms"', '"300"'))
    board.gateway.process.send_signal(signal.SIGHUP)
    assert board.told(1, "reload_rejected")["ok"]
    assert not board.is_on(1)
    assert board.send(1, "ON")["ok"] and board.is_on(1)


def test_an_output_that_is_taken_out_is_made_safe_and_new_rules_hold_at_once(board, tmp_path):
    board = board({1: {"safe": "OFF"}, 2: {"safe": "OFF"}})
    assert board.send(1, "ON")["ok"] and board.send(2, "ON")["ok"]
    file = next(tmp_path.glob("*.yaml"))
    text = json.loads(file.read_text())
    text["devices"]["relays"]["points"] = {"relay_1": "off", "relay_2": {"command": {"max_on": "1s"}}}
    file.write_text(json.dumps(text))
    board.gateway.process.send_signal(signal.SIGHUP)
    assert board.told(1, "removed")["ok"]
    assert not board.is_on(1)
    assert board.told(2, "max_on")["ok"]
    assert not board.is_on(2)


def test_a_board_that_is_unplugged_when_max_on_ends_is_switched_off_when_it_is_back(board):
    board = board({1: {"max_on": "2s"}})
    assert board.send(1, "ON")["ok"]
    before = board.client.count
    board.bus.silent.add(UNIT)
    board.client.wait_for(
        "house/relays/$online", lambda message: message.json["state"] == "offline", timeout=30, after=before)
    # The frame that it does not answer may reach it all the same.
    board.bus.set_coil(UNIT, 0, True)
    before = board.client.count
    board.bus.silent.clear()
    assert board.told(1, "max_on", timeout=60, after=before)["ok"]
    assert not board.is_on(1)
