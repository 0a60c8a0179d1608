"""mosquitto's own clients, as `steps` asks them: a program for each thing that is done."""
import asyncio
import os

import steps


class Adapter:
    def __init__(self, version, port, options):
        name = {5: "mqttv5", 3: "mqttv31"}.get(version, "mqttv311")
        self.options = ["-p", str(port), "-V", name]
        if "ca" in options:
            self.options += ["-h", "localhost", "--cafile", options["ca"]]
        self.process = None

    async def connect(self, name, will):
        self.name = name
        self.will = will and ["--will-topic", will[0], "--will-payload", will[1].decode(), "--will-qos", str(will[2])]
        if will:
            await self.subscribe("nothing", 0)

    async def subscribe(self, topic, qos):
        # The format ends a line; the debug line tells that the subscription is there.
        self.process = await asyncio.create_subprocess_exec(
            "stdbuf", "-oL", "mosquitto_sub", *self.options, "-i", self.name, "-d", "-q", str(qos), "-t", topic, "-F",
            "message\\t%t\\t%p\\t%q\\t%r", *(self.will or []), stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"})
        while b"Subscribed" not in await self.process.stdout.readline():
            pass

    async def publish(self, topic, payload, qos, retain=False):
        done = await asyncio.create_subprocess_exec(
            "mosquitto_pub", *self.options, "-t", topic, "-q", str(qos), *(["-r"] if retain else []),
            *(["-m", payload.decode()] if payload else ["-n"]))
        assert await done.wait() == 0

    async def receive(self):
        while True:
            line = await self.process.stdout.readline()
            assert line, "mosquitto_sub ended"
            if line.startswith(b"message\t"):
                _, topic, payload, qos, retain = line.rstrip(b"\n").split(b"\t")
                return topic.decode(), payload, int(qos), int(retain)

    async def drop(self):
        self.process.kill()
        await self.process.wait()

    async def close(self):
        if self.process:
            self.process.terminate()
            await self.process.wait()


steps.main(Adapter)
