"""gmqtt, as `steps` asks it."""
import asyncio
import contextlib
import ssl

import gmqtt
import steps
from gmqtt.mqtt.constants import MQTTv50, MQTTv311


class Adapter:
    def __init__(self, version, port, options):
        self.version = MQTTv50 if version == 5 else MQTTv311
        self.port = port
        self.context = ssl.create_default_context(cafile=options["ca"]) if "ca" in options else False
        self.messages = asyncio.Queue()
        self.subscribed = asyncio.Queue()

    async def connect(self, name, will):
        will = will and gmqtt.Message(will[0], will[1], qos=will[2])
        self.client = gmqtt.Client(name, will_message=will)
        self.client.set_config({"reconnect_retries": 0})
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *arguments: self.subscribed.put_nowait(arguments)
        host = "localhost" if self.context else "127.0.0.1"
        await self.client.connect(host, self.port, ssl=self.context, version=self.version)

    def _on_message(self, client, topic, payload, qos, properties):
        self.messages.put_nowait((topic, bytes(payload), qos, properties.get("retain", 0)))
        return 0

    async def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos=qos)
        await self.subscribed.get()

    async def publish(self, topic, payload, qos, retain=False):
        self.client.publish(topic, payload, qos=qos, retain=retain)
        await asyncio.sleep(0)

    async def receive(self):
        return await self.messages.get()

    async def drop(self):
        self.client._connection._transport.abort()

    async def close(self):
        # asyncio calls an acknowledgement that arrives while its side of TLS is closed already an error.
        with contextlib.suppress(ssl.SSLError):
            await self.client.disconnect()


steps.main(Adapter)
