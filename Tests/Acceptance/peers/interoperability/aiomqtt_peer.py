"""aiomqtt, as `steps` asks it."""
import contextlib

import aiomqtt
import steps


class Adapter:
    def __init__(self, version, port, options):
        self.keywords = {
            "hostname": "localhost" if "ca" in options else "127.0.0.1", "port": port,
            "protocol": aiomqtt.ProtocolVersion.V5 if version == 5 else aiomqtt.ProtocolVersion.V311,
        }
        if "ca" in options:
            self.keywords["tls_params"] = aiomqtt.TLSParameters(ca_certs=options["ca"])
        if "path" in options:
            self.keywords |= {"transport": "websockets", "websocket_path": options["path"]}

    async def connect(self, name, will):
        will = will and aiomqtt.Will(will[0], will[1], will[2])
        self.client = aiomqtt.Client(identifier=name, will=will, **self.keywords)
        self.stack = contextlib.AsyncExitStack()
        await self.stack.enter_async_context(self.client)

    async def subscribe(self, topic, qos):
        await self.client.subscribe(topic, qos=qos)

    async def publish(self, topic, payload, qos, retain=False):
        await self.client.publish(topic, payload, qos=qos, retain=retain)

    async def receive(self):
        message = await anext(aiter(self.client.messages))
        return str(message.topic), message.payload, message.qos, message.retain

    async def drop(self):
        # Below the library: its socket ends without DISCONNECT.
        socket = self.client._client.socket()
        (socket._socket if hasattr(socket, "_socket") else socket).shutdown(2)

    async def close(self):
        with contextlib.suppress(aiomqtt.MqttError):
            await self.stack.aclose()


steps.main(Adapter)
