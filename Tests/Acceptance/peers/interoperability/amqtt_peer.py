"""amqtt's client, as `steps` asks it; it speaks 3.1.1 only."""
import logging

import steps
from amqtt.client import MQTTClient

logging.disable()


class Adapter:
    def __init__(self, version, port, options):
        scheme = ("wss" if "ca" in options else "ws") if "path" in options else "mqtts" if "ca" in options else "mqtt"
        host = "localhost" if "ca" in options else "127.0.0.1"
        self.address = f"{scheme}://{host}:{port}{options.get('path', '')}"
        self.authority = options.get("ca")

    async def connect(self, name, will):
        config = {"auto_reconnect": False, "reconnect_retries": 0}
        if will:
            config["will"] = {"topic": will[0], "message": will[1].decode(), "qos": will[2], "retain": False}
        self.client = MQTTClient(client_id=name, config=config)
        await self.client.connect(self.address, cafile=self.authority)

    async def subscribe(self, topic, qos):
        await self.client.subscribe([(topic, qos)])

    async def publish(self, topic, payload, qos, retain=False):
        await self.client.publish(topic, payload, qos=qos, retain=retain)

    async def receive(self):
        message = await self.client.deliver_message()
        packet = message.publish_packet
        return message.topic, bytes(message.data), message.qos, packet.retain_flag

    async def drop(self):
        writer = self.client._handler.writer
        transport = getattr(getattr(writer, "_writer", None), "transport", None)
        transport.abort() if transport else await writer.close()

    async def close(self):
        await self.client.disconnect()


steps.main(Adapter)
