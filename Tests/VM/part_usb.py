"""USB adapters that are plugged in another order, pulled in the middle of a poll, and plugged and pulled a hundred times."""
from bench import LEFT, RIGHT
from checks import check, decoded


def until_online(client, name, after=0, timeout=60):
    return client.wait_for(
        f"bench/{name}-meter/$online", lambda message: message.json["state"] == "online", timeout, after)


def kernel_time(bench, words):
    """When the kernel last said this, in milliseconds of the machine's clock."""
    return int(bench.machine(
        f"journalctl -k -b -o short-unix --no-pager | grep -F '{words}' | tail -n 1 | cut -d' ' -f1 | tr -d .")) // 1000


def longest_pause(messages):
    """The longest time between two readings of the right meter."""
    times = [decoded(message)["t"] for message in messages
             if message.topic == "bench/right-meter/voltage_l1" and not message.retain]
    return max((later - earlier for earlier, later in zip(times, times[1:])), default=0)


@check
def adapters_that_are_plugged_in_another_order_keep_their_names(bench):
    machine = bench.machine
    for number, _ in (LEFT, RIGHT):
        machine.unplug(number)
    machine.until("test ! -e /dev/ttyUSB0 -a ! -e /dev/ttyUSB1")
    with bench.client() as client:
        client.subscribe("bench/#")
        for name in ("left", "right"):
            client.wait_for(f"bench/{name}-meter/$online", lambda message: message.json["state"] == "offline")
        before = client.count
        machine.plug(*RIGHT)
        machine.until("test -e /dev/ttyUSB0")
        machine.plug(*LEFT)
        machine.until("test -e /dev/ttyUSB1")
        # Whatever they hang on now, each meter still has its own voltage.
        for name, meter in (("left", bench.meters[0]), ("right", bench.meters[1])):
            until_online(client, name, before)
            first = client.wait_for(f"bench/{name}-meter/voltage_l1", lambda message: not message.retain, 60, before)
            assert decoded(first)["v"] == meter.voltage, first.payload
    # The first one sees whose adapter became ttyUSB0: it was the other way round before.
    said = machine("udevadm info --query=property --property=ID_SERIAL_SHORT --value /dev/ttyUSB0")
    assert said.strip() == "RIGHT001", said


@check
def an_adapter_that_is_pulled_in_the_middle_of_a_poll_is_missed_and_taken_back(bench):
    machine, meter = bench.machine, bench.meters[LEFT[0]]
    with bench.client() as client:
        client.subscribe("bench/#")
        until_online(client, "left")
        until_online(client, "right")
        # How regular the other one is anyway, on a machine that has more to do.
        start = client.count
        for _ in range(12):
            client.wait_for("bench/right-meter/voltage_l1", after=client.count)
        usual = longest_pause(client.received.entries[start:])
        meter.mute = True
        meter.wait_until_asked()
        before = client.count
        machine.unplug(LEFT[0])
        offline = decoded(client.wait_for(
            "bench/left-meter/$online", lambda message: message.json["state"] == "offline", after=before))
        pulled = kernel_time(bench, "USB disconnect")
        meter.mute = False
        again = client.count
        machine.plug(*LEFT)
        online = decoded(until_online(client, "left", again))
        plugged = kernel_time(bench, "now attached to ttyUSB")
        others = client.received.entries[before:]
        states = [decoded(message) for message in client.received.entries[before:]
                  if message.topic == "bench/right-meter/$online"]
    missed, back = offline["since"] - pulled, online["since"] - plugged
    pause = longest_pause(others)
    assert offline.get("reason"), offline
    assert missed < 1000, f"offline {missed} ms after it was pulled"
    assert back < 2000, f"online {back} ms after it was plugged in"
    assert not states, f"the other one is told {states}"
    assert 0 < pause < max(1500, 2 * usual), f"the other one is read every 500 ms, and waited {pause} ms"
    return (f"offline after {missed} ms ({offline['reason']}: {offline.get('detail', '')}), back after {back} ms; "
            f"the other one's longest pause was {pause} ms, and {usual} ms before")


@check
def plugging_again_and_again_leaves_no_descriptor_and_no_memory(bench):
    machine = bench.machine
    samples = []
    with bench.client() as client:
        client.subscribe("bench/left-meter/$online")
        until_online(client, "left")
        for cycle in range(bench.options.plugs):
            machine.unplug(LEFT[0])
            before = client.count
            client.wait_for("bench/left-meter/$online", lambda message: message.json["state"] == "offline",
                            30, max(0, before - 1))
            before = client.count
            machine.plug(*LEFT)
            until_online(client, "left", before)
            # What is allocated in the first rounds is no leak.
            if cycle == min(4, (bench.options.plugs - 1) // 2) or cycle == bench.options.plugs - 1:
                samples.append(bench.memory())
    assert len(samples) == 2, "one cycle shows no leak"
    (memory, descriptors), (memory_at_last, descriptors_at_last) = samples[0], samples[-1]
    assert descriptors_at_last == descriptors, f"{descriptors} descriptors became {descriptors_at_last}"
    assert memory_at_last - memory < 1024, f"{memory} KB became {memory_at_last} KB"
    return f"{bench.options.plugs} times: {memory} KB became {memory_at_last} KB, {descriptors} descriptors stayed"
