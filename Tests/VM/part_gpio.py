"""Contacts, counters and outputs on the lines of a simulated chip, seen in the chip's own files."""
import time

from bench import LINES, TOOL
from checks import check, decoded, percentiles

CHIP = "/sys/kernel/config/gpio-sim/board"
PULSES = 10_000
ROUNDS = 300


def file(name, kind):
    """The file of a line in sysfs, for a script: `pull` sets what an input sees, `value` is what an output has."""
    return f"/sys/devices/platform/$(cat {CHIP}/dev_name)/$(cat {CHIP}/bank0/chip_name)/sim_gpio{LINES.index(name)}/{kind}"


def pull(bench, name, up):
    bench.machine(f"echo pull-{'up' if up else 'down'} >{file(name, 'pull')}")


def value(bench, name):
    return int(bench.machine(f"cat {file(name, 'value')}"))


def wait_for(client, topic, after=0, timeout=60, **wanted):
    """The next message on a topic that has these fields, and is of now."""
    def fits(message):
        told = message.json
        return not message.retain and all(told.get(key) == each for key, each in wanted.items())
    return decoded(client.wait_for(topic, fits, timeout, after))


def until_online(client, *names, after=0):
    for name in names:
        client.wait_for(f"bench/{name}/$online", lambda message: message.json["state"] == "online", 60, after)


def switch(client, name, word):
    """Publishes a command, and returns what came of it."""
    before = client.count
    client.publish(f"bench/{name}/switch/set", word)
    return decoded(client.wait_for(f"bench/{name}/switch/result", after=before))


@check
def the_lines_are_told_with_who_has_them(bench):
    said = bench.machine("systemctl restart martlet; sleep 3; martlet gpio list")
    assert "line: door" in said and "line: relay-1" in said and "in use by 'martlet'" in said, said
    return said


@check
def a_contact_is_told_with_the_time_at_which_the_kernel_saw_it(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "switch", "door")
        pull(bench, "switch", False)
        before = client.count
        # The gateway stands still meanwhile, so that the time can't be that at which it looked.
        said = bench.machine(f"systemctl kill --signal=STOP martlet; date +%s%3N; echo pull-up >{file('switch', 'pull')}; "
                             "date +%s%3N; sleep 2; systemctl kill --signal=CONT martlet")
        earliest, latest = map(int, said.split())
        told = wait_for(client, "bench/switch/contact", before, v="closed")
    # Milliseconds, each cut off.
    assert earliest - 1 <= told["t"] <= latest + 1, f"{told['t']} is not within {earliest} and {latest}"
    return f"closed at {told['t']}, between {earliest} and {latest}"


@check
def a_contact_that_bounces_is_not_told_until_it_is_quiet(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "door")
        pull(bench, "door", False)
        before = client.count
        bench.machine(f"{TOOL} toggle {file('door', 'pull')} 50 4000")
        pull(bench, "door", True)
        told = wait_for(client, "bench/door/contact", before, v="closed")
        others = [message for message in client.received.entries[before:]
                  if message.topic == "bench/door/contact" and not message.retain]
    assert len(others) == 1, [message.payload for message in others]
    return f"100 edges, 2 ms apart, were told as none; the level that stayed, once: {told['v']}"


@check
def ten_thousand_pulses_at_one_kilohertz_are_counted_without_a_loss(bench):
    with bench.client() as client:
        client.subscribe("bench/pulses/total")
        first = client.wait_for("bench/pulses/total").json["v"]
        said = bench.machine(f"b=$(date +%s%3N); {TOOL} toggle {file('pulses', 'pull')} {PULSES} 1000; "
                             "e=$(date +%s%3N); echo $((e - b))", 300)
        wait_for(client, "bench/pulses/total", v=first + PULSES)
    return f"{PULSES} pulses in {int(said)} ms"


@check
def an_output_that_is_set_over_mqtt_is_seen_at_the_line(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "lamp")
        for word, level in (("ON", 1), ("OFF", 0)):
            result = switch(client, "lamp", word)
            assert result["ok"] and result["value"] == word, result
            assert value(bench, "lamp") == level


@check
def an_output_is_not_on_for_longer_than_it_may(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "pump")
        before = client.count
        assert switch(client, "pump", "ON")["ok"]
        begun = time.monotonic()
        assert value(bench, "relay-1") == 1
        ended = wait_for(client, "bench/pump/switch/result", before, why="max_on")
        took = time.monotonic() - begun
        assert ended["ok"] and value(bench, "relay-1") == 0, ended
    # 2 s; the machine is emulated.
    assert 1.8 < took < 4, took
    return f"{ended['detail']}: after {took:.2f} s"


@check
def two_that_exclude_each_other_are_never_on_together(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "pump", "drain")
        assert switch(client, "drain", "ON")["ok"]
        refused = switch(client, "pump", "ON")
        levels = value(bench, "relay-1"), value(bench, "relay-2")
        assert switch(client, "drain", "OFF")["ok"]
        # Only the pump names the other one; it holds the other way round as well.
        assert switch(client, "pump", "ON")["ok"]
        refused_too = switch(client, "drain", "ON")
        levels_too = value(bench, "relay-1"), value(bench, "relay-2")
        assert switch(client, "pump", "OFF")["ok"]
    assert refused["error"] == "interlock" and levels == (0, 1), (refused, levels)
    assert refused_too["error"] == "interlock" and levels_too == (1, 0), (refused_too, levels_too)
    return refused["detail"]


def both(bench):
    """Whether the relays that open and close the gate are on."""
    return value(bench, "gate-open"), value(bench, "gate-close")


def order(client, point, word):
    before = client.count
    client.publish(f"bench/gate/{point}/set", word)
    result = decoded(client.wait_for(f"bench/gate/{point}/result", after=before))
    assert result["ok"], result
    return before


@check
def a_gate_moves_for_as_long_as_its_way_takes_and_stops_at_its_contact(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "gate")
        client.publish("bench/gate/position/set", "50")
        refused = decoded(client.wait_for("bench/gate/position/result"))
        assert refused["error"] == "state_unknown", refused
        before = order(client, "cover", "CLOSE")
        assert both(bench) == (0, 1)
        began = wait_for(client, "bench/gate/cover", before, v="closing")["t"]
        ended = wait_for(client, "bench/gate/cover", before, v="closed")["t"]
        assert both(bench) == (0, 0)
        # A tenth more than its three seconds.
        assert 3200 < ended - began < 4000, ended - began
        before = order(client, "position", "50")
        assert both(bench) == (1, 0)
        wait_for(client, "bench/gate/cover", before, v="stopped")
        assert wait_for(client, "bench/gate/position", before, v=50) and both(bench) == (0, 0)
        before = order(client, "cover", "OPEN")
        before = order(client, "cover", "CLOSE")
        # Off, for half a second, and then the other one.
        wait_for(client, "bench/gate/position", before)
        before = order(client, "cover", "OPEN")
        wait_for(client, "bench/gate/cover", before, v="opening")
        pull(bench, "gate-opened", True)
        wait_for(client, "bench/gate/cover", before, v="open")
        assert wait_for(client, "bench/gate/position", before, v=100) and both(bench) == (0, 0)
    return f"closed after {ended - began} ms of 3 s and a tenth"


@check
def a_stepper_finds_its_contact_and_goes_where_it_is_sent(bench):
    with bench.client() as client:
        client.subscribe("bench/valve/#")
        client.wait_for("bench/valve/$online", lambda message: message.json["state"] == "online", 60)

        def order(point, word):
            before = client.count
            client.publish(f"bench/valve/{point}/set", word)
            return before, decoded(client.wait_for(f"bench/valve/{point}/result", after=before))

        assert order("position", "50")[1]["error"] == "state_unknown"
        before, result = order("stepper", "HOME")
        assert result["ok"], result
        wait_for(client, "bench/valve/stepper", before, v="homing")
        assert value(bench, "dir") == 0
        pull(bench, "home", True)
        wait_for(client, "bench/valve/position", before, v=0)
        pull(bench, "home", False)
        before, result = order("position", "50")
        assert result["ok"], result
        began = wait_for(client, "bench/valve/stepper", before, v="moving")["t"]
        ended = wait_for(client, "bench/valve/stepper", before, v="resting")["t"]
        wait_for(client, "bench/valve/position", before, v=50)
        assert value(bench, "dir") == 1 and value(bench, "step") == 0
    return f"100 steps at 200 a second in {ended - began} ms"


@check
def the_line_of_a_watchdog_is_still_as_soon_as_the_gateway_is(bench):
    count = f"{TOOL} changes {file('heart', 'value')} 1500"
    process = bench.process
    moving = int(bench.machine(count))
    still = int(bench.machine(f"kill -STOP {process}; sleep 0.1; {count}; kill -CONT {process}"))
    assert moving >= 3 and still == 0, (moving, still)
    return f"{moving} changes in 1.5 s, and none while the gateway hung"


@check
def a_pwm_channel_needs_the_right_to_be_set_and_is_off_after_a_stop(bench):
    machine = bench.machine
    duty = "cat /sys/devices/platform/pwm-sim/pwm/pwmchip*/pwm1/duty_cycle"
    with bench.client() as client:
        client.subscribe("bench/dimmer/#")
        refused = client.wait_for("bench/dimmer/$online", lambda message: message.json["state"] == "offline"
                                  and message.json.get("reason") == "port_failed", 60).json
    assert "can't be written" in refused["detail"], refused
    machine("install -D -m 644 /usr/share/doc/martlet/examples/martlet-pwm.conf /etc/systemd/system/martlet.service.d/pwm.conf; "
            "systemctl daemon-reload; systemctl restart martlet")
    with bench.client() as client:
        client.subscribe("bench/dimmer/#")
        client.wait_for("bench/dimmer/$online", lambda message: message.json["state"] == "online", 60)
        before = client.count
        client.publish("bench/dimmer/level/set", "40")
        result = decoded(client.wait_for("bench/dimmer/level/result", lambda message: "why" not in message.json, 30, before))
        assert result["ok"] and machine(duty) == "400000", (result, machine(duty))
        wait_for(client, "bench/dimmer/level", before, v=40)
        ended = wait_for(client, "bench/dimmer/level/result", before, why="max_on")
        assert ended["ok"] and machine(duty) == "0", ended
        client.publish("bench/dimmer/level/set", "100")
        wait_for(client, "bench/dimmer/level", before, v=100)
    machine("systemctl stop martlet")
    said = machine("ls -d /sys/devices/platform/pwm-sim/pwm/pwmchip*/pwm1 2>/dev/null || echo given back; "
                   "rm -r /etc/systemd/system/martlet.service.d; systemctl daemon-reload; systemctl start martlet")
    assert said == "given back", said
    return refused["detail"]


@check
def after_a_kill_the_next_start_switches_off_what_was_on_and_knows_its_count(bench):
    machine = bench.machine
    # Active low: the chip lets a line that nobody holds fall to 0, and so this one stays on when its holder is killed.
    level = f"cat {file('siren', 'value')}"
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "siren")
        total = client.wait_for("bench/pulses/total").json["v"]
        assert value(bench, "siren") == 1
        assert switch(client, "siren", "ON")["ok"]
    # The total was kept by now: once a second.
    said = machine(f"sleep 1.5; b=$(date +%s%3N); systemctl kill --signal=KILL martlet; sleep 0.1; {level}; "
                   f"until [ $({level}) = 1 ]; do sleep 0.02; done; e=$(date +%s%3N); echo $((e - b))", 90).split()
    assert said[0] == "0", "the line was off before the gateway was back"
    bench.wait_until_active()
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "pulses")
        after = client.wait_for("bench/pulses/total", lambda message: message.json["v"] >= total, 60).json["v"]
    assert after == total, f"{total} became {after}"
    return f"the line stayed on, and was off {said[1]} ms after the kill; {total} pulses were still there"


@check
def a_stop_leaves_everything_off(bench):
    machine = bench.machine
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "lamp", "drain")
        assert switch(client, "lamp", "ON")["ok"] and switch(client, "drain", "ON")["ok"]
    machine("systemctl stop martlet")
    levels = value(bench, "lamp"), value(bench, "relay-2")
    machine("systemctl start martlet")
    assert levels == (0, 0), levels


@check
def a_chip_that_goes_is_missed_and_taken_back(bench):
    machine = bench.machine
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "lamp", "door", "pulses", "pump")
        before = client.count
        went = int(machine(f"date +%s%3N; echo 0 >{CHIP}/live"))
        offline = [decoded(client.wait_for(f"bench/{name}/$online", lambda message: message.json["state"] == "offline",
                                           60, before)) for name in ("door", "lamp", "pulses", "pump")]
        refused = switch(client, "lamp", "ON")
        again = client.count
        came = int(machine(f"date +%s%3N; echo 1 >{CHIP}/live").split()[0])
        online = [decoded(client.wait_for(f"bench/{name}/$online", lambda message: message.json["state"] == "online",
                                          60, again)) for name in ("door", "lamp", "pulses", "pump")]
        assert switch(client, "lamp", "ON")["ok"] and value(bench, "lamp") == 1
        assert switch(client, "lamp", "OFF")["ok"]
    assert refused["error"] == "device_offline", refused
    missed, back = max(each["since"] for each in offline) - went, max(each["since"] for each in online) - came
    assert missed < 2500 and all(each["reason"] for each in offline), (missed, offline)
    return f"offline after {missed} ms ({offline[0]['reason']}: {offline[0]['detail']}), back {back} ms after the chip"


@check
def a_line_that_somebody_else_has_is_told_with_its_holder(bench):
    machine = bench.machine
    machine("systemctl stop martlet; systemd-run -q --unit=holder martlet gpio set lamp=on; "
            "until martlet gpio list | grep 'line: lamp' | grep -q 'in use'; do sleep 0.1; done; systemctl start martlet")
    with bench.client() as client:
        client.subscribe("bench/#")
        offline = client.wait_for("bench/lamp/$online", lambda message: message.json["state"] == "offline"
                                  and message.json.get("reason") == "port_failed", 60).json
        until_online(client, "pump")
        machine("systemctl stop holder")
        until_online(client, "lamp")
    assert "in use by" in offline["detail"], offline
    return offline["detail"]


def report(bench, kind, script):
    took = list(map(int, bench.machine(script, 300).split()))
    assert len(took) == ROUNDS
    half, most = percentiles(took)
    return f"{kind}: p50 {half / 1000:.1f} ms, p99 {most / 1000:.1f} ms ({ROUNDS} of them, in the emulated machine)"


@check
def how_long_an_edge_takes_to_a_subscriber_and_a_command_to_its_line(bench):
    """Reported, not judged: the machine is emulated."""
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "lamp", "switch")
    return "\n".join((
        report(bench, "from an edge to a subscriber", f"{TOOL} edges {file('switch', 'pull')} bench/switch/contact {ROUNDS}"),
        report(bench, "from a command to the line's level",
               f"{TOOL} commands {file('lamp', 'value')} bench/lamp/switch/set {ROUNDS}")))
