"""A reboot: the service starts by itself, and has what it had."""
import re

from bench import TOOL
from checks import check
from part_gpio import file

COUNT = 50


def waiting(status):
    """How many messages wait for the server that is not there."""
    return int(re.search(r"(\d+) of at most", status).group(1))


@check
def a_reboot_keeps_what_was_retained_what_was_counted_and_what_waits_for_a_server(bench):
    with bench.client() as client:
        client.publish("kept/value", b"before the reboot", retain=True)
        for number in range(COUNT):
            client.publish(f"kept/queue/{number}", str(number).encode())
        client.subscribe("bench/left-meter/voltage_l1")
        number = client.wait_for("bench/left-meter/voltage_l1").json["n"]
        client.subscribe("bench/pulses/total")
        total = client.wait_for("bench/pulses/total").json["v"]
    before = bench.machine("martlet buffer status")
    bench.machine.reboot()
    bench.wait_until_active()
    with bench.client() as client:
        client.subscribe("kept/#", "bench/#")
        assert client.wait_for("kept/value").payload == b"before the reboot"
        later = client.wait_for("bench/left-meter/voltage_l1", lambda message: not message.retain, 60).json["n"]
        client.wait_for("bench/pulses/$online", lambda message: message.json["state"] == "online", 60)
        bench.machine(f"{TOOL} toggle {file('pulses', 'pull')} 5 10000")
        client.wait_for("bench/pulses/total", lambda message: message.json["v"] == total + 5)
    after = bench.machine("martlet buffer status")
    assert later > number, f"the gateway's readings are numbered from {number} on, and then from {later}"
    # A retained message is forwarded anew at each start, so that there may be one more.
    assert waiting(before) == COUNT + 1 <= waiting(after), f"before:\n{before}\nafter:\n{after}"
    return (f"started by itself; {waiting(after)} messages wait for the server, readings go on from {number} to {later}, "
            f"pulses from {total}")
