"""The gateway killed, and power cut, while messages are published: what was acknowledged is there afterwards."""
import random
import threading
import time

import paho.mqtt.client as paho

from bench import LEFT
from checks import check

SUBSCRIBER = "keeper"


class Publisher:
    """Publishes numbers with QoS 1 as fast as they are acknowledged, and remembers which were."""

    def __init__(self, bench, first):
        self.acknowledged = []
        self._numbers = {}
        self._next = first
        self._lock = threading.Lock()
        self._client = bench.connect(client_id="publisher")
        self._client.paho.on_publish = self._published
        for _ in range(20):
            self._publish()

    def _publish(self):
        with self._lock:
            number = self._next
            self._next += 1
            info = self._client.paho.publish(f"power/{number % 10}", str(number), qos=1)
            self._numbers[info.mid] = number

    def _published(self, client, data, mid, reason, properties):
        with self._lock:
            number = self._numbers.pop(mid, None)
        if number is not None:
            self.acknowledged.append(number)
        self._publish()

    def wait_for(self, count, timeout=60):
        deadline = time.monotonic() + timeout
        while len(self.acknowledged) < count:
            assert time.monotonic() < deadline, f"only {len(self.acknowledged)} messages were acknowledged"
            time.sleep(0.01)

    def end(self):
        self._client.paho.on_publish = None
        self._client.vanish()
        return self._next


def keeper(bench):
    """A client whose session holds what is published while it is away."""
    return bench.connect(client_id=SUBSCRIBER, clean=False)


def lose_nothing(bench, rounds, strike, recover):
    """Publishes and strikes, again and again; returns how many messages were acknowledged."""
    chance = random.Random(6)
    subscriber = keeper(bench)
    subscriber.subscribe("power/#")
    subscriber.vanish()
    number = total = 0
    recovered = []
    for _ in range(rounds):
        publisher = Publisher(bench, number)
        publisher.wait_for(20 + chance.randrange(300))
        strike()
        acknowledged = list(publisher.acknowledged)
        number = publisher.end()
        began = time.monotonic()
        recover()
        recovered.append(time.monotonic() - began)
        subscriber = keeper(bench)
        assert subscriber.session_present, "the session is gone"
        wanted, last = set(acknowledged), acknowledged[-1]
        subscriber.received.wait_until(
            lambda entries: wanted <= {int(message.payload) for message in entries},
            f"{len(wanted)} messages that were acknowledged, the last of them {last}", 60)
        subscriber.disconnect()
        total += len(acknowledged)
    return total, max(recovered)


@check
def a_gateway_that_is_killed_loses_nothing_that_was_acknowledged(bench):
    machine = bench.machine

    def recover():
        bench.wait_until_active()

    total, longest = lose_nothing(
        bench, bench.options.kills, lambda: machine("systemctl kill --signal=KILL martlet"), recover)
    return f"{bench.options.kills} times, {total} messages; back after {longest:.1f} s at most"


@check
def a_machine_whose_power_is_cut_loses_nothing_that_was_acknowledged(bench):
    machine = bench.machine

    def recover():
        machine.wait_until_up()
        bench.wait_until_active()

    total, longest = lose_nothing(bench, bench.options.cuts, machine.cut_power, recover)
    return f"{bench.options.cuts} times, {total} messages; the machine and the gateway are back after {longest:.0f} s at most"


@check
def after_all_that_the_meters_are_still_read(bench):
    with bench.client() as client:
        client.subscribe("bench/left-meter/#")
        value = client.wait_for("bench/left-meter/voltage_l1", lambda message: not message.retain, 60).json["v"]
    assert value == bench.meters[LEFT[0]].voltage
