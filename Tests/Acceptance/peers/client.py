"""An MQTT client that remembers what it received: paho."""
import dataclasses
import json
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .waiting import Log


@dataclasses.dataclass
class Received:
    """One message."""

    at: float
    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: object

    @property
    def json(self):
        return json.loads(self.payload)


class Client:
    """A connection to a broker. `received` is a Log of Received, `ended` one of the reasons why it ended."""

    def __init__(self, port, version=paho.MQTTv311, client_id="", clean=True, expiry=None, will=None, unix=None,
                 tls=None):
        self.version = version
        self.received = Log()
        self.ended = Log()
        self.session_present = None
        self._answered = threading.Event()
        self._refused = None
        self._subscribed = Log()
        self._target = (unix, 1) if unix else ("localhost" if tls else "127.0.0.1", port)
        keywords = {} if version == paho.MQTTv5 else {"clean_session": clean}
        self.paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version,
            transport="unix" if unix else "tcp", reconnect_on_failure=False, **keywords)
        if tls:
            self.paho.tls_set(ca_certs=str(tls.ca))
        if will:
            self.paho.will_set(**will)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = lambda client, data, flags, reason, properties: self.ended.add(str(reason))
        self.paho.on_message = self._on_message
        self.paho.on_subscribe = lambda client, data, mid, codes, properties: self._subscribed.add((mid, codes))
        self._keywords = {}
        if version == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            if expiry is not None:
                properties.SessionExpiryInterval = expiry
            self._keywords = {"clean_start": clean, "properties": properties}

    def connect(self):
        self.paho.connect(*self._target, keepalive=60, **self._keywords)
        self.paho.loop_start()
        assert self._answered.wait(10), "no CONNACK"
        assert not self._refused, f"refused: {self._refused}"
        return self

    def _on_connect(self, client, data, flags, reason, properties):
        self.session_present = flags.session_present
        self._refused = str(reason) if reason.is_failure else None
        self._answered.set()

    def _on_message(self, client, data, message):
        self.received.add(Received(
            time.monotonic(), message.topic, message.payload, message.qos, message.retain,
            getattr(message, "properties", None)))

    def subscribe(self, *filters, qos=1, options=None):
        """Subscribes, and returns what the broker granted."""
        wanted = [(each, options if options else qos) for each in filters]
        status, number = self.paho.subscribe(wanted)
        assert status == paho.MQTT_ERR_SUCCESS
        mid, codes = self._subscribed.wait_for(lambda entry: entry[0] == number, f"SUBACK for {filters}")
        assert not any(code.is_failure for code in codes), codes
        return [code.value for code in codes]

    def publish(self, topic, payload=b"", qos=1, retain=False, properties=None):
        """Publishes, and waits for the acknowledgement if there is one."""
        info = self.paho.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        info.wait_for_publish(10)
        assert info.is_published(), f"{topic} was not acknowledged"

    def wait_for(self, topic, check=lambda message: True, timeout=10.0, after=0):
        """The first message on a topic that passes `check`, beginning at number `after`."""
        return self.received.wait_for(
            lambda message: message.topic == topic and check(message), f"a message on {topic}", timeout, after)

    def on(self, topic):
        return [message for message in self.received.entries if message.topic == topic]

    @property
    def count(self):
        """How many messages there were, to wait for one `after` these."""
        return len(self.received.entries)

    def disconnect(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def vanish(self):
        """Ends the connection without a word, as a crash does."""
        self.paho._sock_close()
        self.paho.loop_stop()

    end = disconnect
