"""The broker and paho: both versions of MQTT, every quality of service."""
import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from peers.waiting import free_port

VERSIONS = pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5], ids=["v3.1.1", "v5"])
QUALITIES = pytest.mark.parametrize("qos", [0, 1, 2])


@pytest.fixture
def connect(gateway, client):
    """Connects to one gateway without devices."""
    port = gateway().port
    return lambda **keywords: client(port, **keywords)


@VERSIONS
@QUALITIES
def test_messages_arrive_once_and_in_order(connect, version, qos):
    receiver, sender = connect(version=version), connect(version=version)
    assert receiver.subscribe("plant/+/value", qos=qos) == [qos]
    # Some are bigger than a network packet.
    sent = [(f"{number}:" + "x" * (number * 37 % 3000)).encode() for number in range(300)]
    for payload in sent:
        sender.paho.publish("plant/a/value", payload, qos=qos)
    sender.publish("plant/a/value", b"end", qos=qos)
    receiver.wait_for("plant/a/value", lambda message: message.payload == b"end")
    received = receiver.received.entries
    assert [message.payload for message in received] == [*sent, b"end"]
    assert {message.qos for message in received} == {qos}
    assert not any(message.retain for message in received)


@VERSIONS
def test_a_message_is_delivered_at_the_lower_quality_of_the_two(connect, version):
    receiver, sender = connect(version=version), connect(version=version)
    assert receiver.subscribe("plant/low", qos=0) == [0]
    assert receiver.subscribe("plant/high", qos=2) == [2]
    sender.publish("plant/low", b"x", qos=2)
    sender.publish("plant/high", b"x", qos=1)
    assert receiver.wait_for("plant/low").qos == 0
    assert receiver.wait_for("plant/high").qos == 1


@VERSIONS
@QUALITIES
def test_a_retained_message_waits_for_subscribers_until_it_is_cleared(connect, version, qos):
    sender = connect(version=version)
    sender.publish("plant/door", b"open", qos=qos, retain=True)
    early = connect(version=version)
    early.subscribe("plant/#", qos=2)
    message = early.wait_for("plant/door")
    assert (message.payload, message.retain, message.qos) == (b"open", True, qos)

    sender.publish("plant/door", b"", qos=qos, retain=True)
    early.wait_for("plant/door", lambda message: message.payload == b"")
    late = connect(version=version)
    late.subscribe("plant/#", qos=2)
    sender.publish("plant/end", b"x", qos=1)
    late.wait_for("plant/end")
    assert late.on("plant/door") == []


@VERSIONS
@QUALITIES
def test_a_will_is_published_for_a_client_that_vanishes(connect, version, qos):
    watcher = connect(version=version)
    watcher.subscribe("plant/#", qos=2)
    will = {"topic": "plant/pump/alive", "payload": b"gone", "qos": qos, "retain": True}
    connect(version=version, will=will).vanish()
    assert watcher.wait_for("plant/pump/alive").payload == b"gone"
    assert watcher.wait_for("plant/pump/alive").qos == qos


@VERSIONS
def test_a_client_that_says_goodbye_leaves_no_will(connect, version):
    watcher = connect(version=version)
    watcher.subscribe("plant/#")
    connect(version=version, will={"topic": "plant/pump/alive", "payload": b"gone", "qos": 1}).disconnect()
    connect(version=version).publish("plant/end", b"x")
    watcher.wait_for("plant/end")
    assert watcher.on("plant/pump/alive") == []


@VERSIONS
@pytest.mark.parametrize("qos", [1, 2])
def test_a_persistent_session_keeps_what_arrives_meanwhile(connect, version, qos):
    keywords = dict(version=version, client_id="panel", clean=False, expiry=3600)
    first = connect(**keywords)
    assert not first.session_present
    first.subscribe("plant/+/value", qos=2)
    first.disconnect()

    sender = connect(version=version)
    for number in range(50):
        sender.publish("plant/a/value", str(number).encode(), qos=qos)
    second = connect(**keywords)
    assert second.session_present
    second.wait_for("plant/a/value", lambda message: message.payload == b"49")
    assert [message.payload for message in second.received.entries] == [str(number).encode() for number in range(50)]
    second.disconnect()

    assert not connect(**{**keywords, "clean": True}).session_present


@VERSIONS
@pytest.mark.parametrize(("wanted", "topic", "matches"), [
    ("a/+/c", "a/b/c", True),
    ("a/+/c", "a//c", True),
    ("a/+", "a/b/c", False),
    ("a/#", "a", True),
    ("a/#", "a/b/c", True),
    ("+/+", "/b", True),
    ("+", "/b", False),
    ("#", "a/b", True),
    ("#", "$other/b", False),
    ("+/b", "$other/b", False),
    # Names with $ belong to the server: clients can't exchange messages under them. [MQTT-4.7.2-1]
    ("$other/#", "$other/b", False),
    ("a/B", "a/b", False),
    ("temp/°C/+", "temp/°C/küche", True),
])
def test_wildcards_match_as_the_standard_says(connect, version, wanted, topic, matches):
    receiver, sender = connect(version=version), connect(version=version)
    receiver.subscribe(wanted, "end/of/it")
    sender.publish(topic, b"x")
    sender.publish("end/of/it", b"x")
    receiver.wait_for("end/of/it")
    assert len(receiver.on(topic)) == (1 if matches else 0)


@VERSIONS
def test_the_broker_tells_about_itself(connect, version):
    watcher = connect(version=version)
    watcher.subscribe("$SYS/#")
    assert b"artlet" in watcher.wait_for("$SYS/broker/version", timeout=15).payload
    assert watcher.wait_for("$SYS/broker/uptime", timeout=15)
    # Counted every ten seconds.
    assert watcher.wait_for("$SYS/broker/clients/connected", lambda message: int(message.payload) == 1, timeout=15)


@VERSIONS
def test_a_second_client_of_the_same_name_takes_over(connect, version):
    first = connect(version=version, client_id="panel")
    second = connect(version=version, client_id="panel")
    second.subscribe("plant/#")
    second.publish("plant/a", b"x")
    second.wait_for("plant/a")
    (reason,) = first.ended.wait_until(lambda reasons: reasons, "the first is told to go")
    # MQTT 3.1.1 has no words for it.
    assert version == paho.MQTTv311 or reason == "Session taken over"


def test_a_message_keeps_its_properties(connect):
    receiver, sender = connect(version=paho.MQTTv5), connect(version=paho.MQTTv5)
    receiver.subscribe("plant/#")
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = [("site", "17"), ("site", "18")]
    properties.ContentType = "application/json"
    properties.ResponseTopic = "plant/answers"
    properties.CorrelationData = b"\x00\x01c1"
    properties.MessageExpiryInterval = 600
    sender.publish("plant/a", b"{}", properties=properties)
    received = receiver.wait_for("plant/a").properties
    assert received.UserProperty == [("site", "17"), ("site", "18")]
    assert received.ContentType == "application/json"
    assert received.ResponseTopic == "plant/answers"
    assert received.CorrelationData == b"\x00\x01c1"
    assert 590 <= received.MessageExpiryInterval <= 600


def test_no_local_keeps_a_client_from_hearing_itself(connect):
    both, other = connect(version=paho.MQTTv5), connect(version=paho.MQTTv5)
    both.subscribe("plant/#", options=SubscribeOptions(qos=1, noLocal=True))
    both.publish("plant/own", b"x")
    other.publish("plant/other", b"x")
    both.wait_for("plant/other")
    assert both.on("plant/own") == []


def test_retained_messages_can_be_declined(connect):
    client = connect(version=paho.MQTTv5)
    client.publish("plant/door", b"open", retain=True)
    client.subscribe("plant/#", options=SubscribeOptions(
        qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND, retainAsPublished=True))
    client.publish("plant/window", b"closed", retain=True)
    assert client.wait_for("plant/window").retain
    assert client.on("plant/door") == []


def test_clients_on_the_unix_socket_meet_those_on_tcp(tmp_path, gateway, client):
    port, path = free_port(), tmp_path / "martlet.sock"
    gateway(port=port, broker={"listen": [
        {"address": "127.0.0.1", "port": port}, {"unix": str(path), "mode": "0660"}]})
    assert path.stat().st_mode & 0o777 == 0o660
    inside, outside = client(port, unix=str(path)), client(port)
    outside.subscribe("plant/#")
    inside.publish("plant/a", b"x")
    assert outside.wait_for("plant/a").payload == b"x"
