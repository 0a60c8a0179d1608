"""What every client library is asked to do, in the words of an adapter; prints what worked, as JSON.

An adapter has `connect(name, will)`, `subscribe`, `publish`, `receive`, `drop` (without a word) and `close`.
"""
import asyncio
import json
import sys

PATIENCE = 20


async def exchange(make, qos):
    client = await make(f"q{qos}")
    await client.subscribe(f"q/{qos}", qos)
    await client.publish(f"q/{qos}", b"payload", qos)
    topic, payload, got, retain = await client.receive()
    assert (topic, payload, got, bool(retain)) == (f"q/{qos}", b"payload", qos, False), (topic, payload, got, retain)
    await client.close()


async def retained(make):
    first = await make("first")
    await first.publish("kept", b"value", 1, retain=True)
    second = await make("second")
    await second.subscribe("kept", 1)
    topic, payload, _, retain = await second.receive()
    assert (topic, payload, bool(retain)) == ("kept", b"value", True), (topic, payload, retain)
    await first.publish("kept", b"", 1, retain=True)
    await first.close()
    await second.close()


async def will(make):
    watcher = await make("watcher")
    await watcher.subscribe("last/words", 1)
    mortal = await make("mortal", will=("last/words", b"gone", 1))
    await mortal.drop()
    topic, payload, _, _ = await watcher.receive()
    assert (topic, payload) == ("last/words", b"gone"), (topic, payload)
    await watcher.close()


async def shared(make):
    members = [await make(f"member{number}") for number in range(2)]
    for member in members:
        await member.subscribe("$share/group/work", 1)
    publisher = await make("boss")
    for number in range(4):
        await publisher.publish("work", b"%d" % number, 1)
    got = [[(await member.receive())[1] for _ in range(2)] for member in members]
    assert sorted(sum(got, [])) == [b"0", b"1", b"2", b"3"], got
    for client in [*members, publisher]:
        await client.close()


async def run(make):
    steps = {f"QoS {qos}": lambda qos=qos: exchange(make, qos) for qos in range(3)}
    steps |= {"retained": lambda: retained(make), "will": lambda: will(make), "shared": lambda: shared(make)}
    outcome = {}
    for name, step in steps.items():
        try:
            await asyncio.wait_for(step(), PATIENCE)
            outcome[name] = "yes"
        except Exception as error:  # What went wrong is the outcome.
            outcome[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(outcome))


def main(adapter):
    """`PEER.py VERSION PORT [ca=FILE] [path=/mqtt]`"""
    version, port, *rest = sys.argv[1:]
    options = dict(item.split("=", 1) for item in rest)

    async def make(name, will=None):
        client = adapter(int(version), int(port), options)
        await client.connect(f"{name}-{version}", will)
        return client

    asyncio.run(run(make))
