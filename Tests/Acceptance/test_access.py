"""Who may connect and who may do what: real password files, real clients, wrong passwords by the hundred."""
import base64
import concurrent.futures
import hashlib
import os
import pathlib
import pty
import socket
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest

from peers.client import Client
from peers.gateway import BINARY, ROOT, Gateway, martlet
from peers.scram import Scram
from peers.waiting import eventually, free_port

RULES = [
    {"user": "old", "read": "#", "write": "#"},
    {"user": "older", "read": "house/#", "write": "house/%u/#"},
    {"group": "staff", "read": ["#", "$SYS/#"], "write": "#", "deny": "private/#"},
    {"anonymous": True, "read": "public/#"},
]


def passwd(file, user, password=None, *options):
    return subprocess.run(
        [BINARY, "passwd", *options, str(file), user], input=password, capture_output=True, text=True, timeout=30)


@pytest.fixture
def users(tmp_path):
    """Three users with passwords of three kinds: mosquitto's two, and ours."""
    file = tmp_path / "users"
    file.touch(0o600)
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    subprocess.run(["mosquitto_passwd", "-b", file, "old", "pass-old"], check=True, env=environment,
                   capture_output=True)
    # As mosquitto 1.6 wrote it.
    salt = b"twelve bytes"
    digest = hashlib.sha512(b"pass-older" + salt).digest()
    encode = lambda data: base64.b64encode(data).decode()
    with open(file, "a") as out:
        out.write(f"older:$6${encode(salt)}${encode(digest)}\n")
    assert passwd(file, "anna", "pass-anna\n").returncode == 0
    return file


@pytest.fixture
def guarded(users, gateway):
    """A gateway with these users and rules."""
    port = free_port()
    return gateway("site", port=port, broker={
        "listen": [{"address": "127.0.0.1", "port": port}],
        "auth": {"file": str(users), "groups": {"staff": ["anna"]}},
        "acl": RULES,
    })


@pytest.fixture
def connect(guarded, started):
    def connect(user=None, password=None, version=paho.MQTTv5, **keywords):
        client = started(Client(guarded.port, version, **keywords))
        if user is not None:
            client.paho.username_pw_set(user, password)
        return client.connect()

    return connect


def test_users_of_all_kinds_of_records_log_in(guarded, connect):
    for version in [paho.MQTTv311, paho.MQTTv5]:
        for user in ["old", "older", "anna"]:
            connect(user, f"pass-{user}", version)


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("user, password", [
    ("anna", "pass-old"), ("anna", ""), ("nobody", "pass-anna"), ("old", "pass-old "), ("x" * 60000, "pass-anna")],
    ids=["another's", "empty", "unknown", "nearly", "huge"])
def test_wrong_names_and_passwords_are_told_so(guarded, version, user, password):
    result = subprocess.run(
        ["mosquitto_pub", "-p", str(guarded.port), "-V", version, "-u", user, "-P", password, "-t", "t", "-m", "x"],
        capture_output=True, text=True, timeout=30)
    assert result.returncode != 0
    assert "bad user name or password" in (result.stdout + result.stderr).lower() or "Connection error" in result.stderr


def test_mosquittos_clients_log_in(guarded, connect):
    reader = connect("anna", "pass-anna")
    reader.subscribe("t")
    for version in ["mqttv311", "mqttv5"]:
        subprocess.run(
            ["mosquitto_pub", "-p", str(guarded.port), "-V", version, "-u", "old", "-P", "pass-old", "-t", "t", "-m",
             version, "-q", "1"], check=True, timeout=30)
        reader.wait_for("t", lambda message: message.payload == version.encode())


def test_rules_hold_for_publishing_and_for_delivery(guarded, connect):
    reader = connect("older", "pass-older")
    assert reader.subscribe("#", qos=1) == [1]
    writer = connect("old", "pass-old")
    staff = connect("anna", "pass-anna")
    staff.subscribe("#", qos=1)
    writer.publish("garden", b"1")
    writer.publish("private/diary", b"1")
    reader.publish("house/old/x", b"1")
    reader.publish("house/older/x", b"1")
    writer.publish("house/end", b"1")
    reader.wait_for("house/end")
    staff.wait_for("house/end")
    assert [message.topic for message in reader.received.entries] == ["house/older/x", "house/end"]
    seen = [message.topic for message in staff.received.entries if not message.topic.startswith("site/")]
    assert seen == ["garden", "house/older/x", "house/end"]


def test_a_refused_publish_is_told_in_version_5_and_acknowledged_in_3_1_1(guarded, connect):
    codes = []
    five = connect("older", "pass-older")
    five.paho.on_publish = lambda client, data, mid, reason, properties: codes.append(reason.value)
    five.publish("garden", b"1")
    eventually(lambda: codes, "PUBACK")
    assert codes == [0x87]
    three = connect("older", "pass-older", paho.MQTTv311)
    three.publish("garden", b"1")


def test_subscriptions_that_can_bring_nothing_are_refused(guarded, connect):
    for version, code in [(paho.MQTTv311, 0x80), (paho.MQTTv5, 0x87)]:
        client = connect("older", "pass-older", version)
        with pytest.raises(AssertionError):
            client.subscribe("garden/#")
        assert client._subscribed.entries[-1][1][0].value == code
        assert client.subscribe("house/+/x") == [1]


def test_strangers_on_this_machine_have_their_own_rules(guarded, connect):
    stranger = connect()
    assert stranger.subscribe("public/#") == [1]
    with pytest.raises(AssertionError):
        stranger.subscribe("house/#")
    connect("old", "pass-old").publish("public/x", b"1")
    stranger.wait_for("public/x")


def test_scram(guarded, started):
    client = started(Scram(guarded.port, "anna", "pass-anna"))
    assert client.connect() == (0, True)
    assert client.again() == (0, True)
    client.password = b"wrong"
    assert client.again() == (0x87, False)


@pytest.mark.parametrize("user, password, method, code", [
    ("anna", "wrong", b"SCRAM-SHA-256", 0x86), ("nobody", "pass-anna", b"SCRAM-SHA-256", 0x86),
    # Its record is none that SCRAM can use, which nobody learns.
    ("old", "pass-old", b"SCRAM-SHA-256", 0x86), ("anna", "pass-anna", b"SCRAM-SHA-1", 0x8C)])
def test_scram_refuses(guarded, started, user, password, method, code):
    assert started(Scram(guarded.port, user, password, method)).connect() == (code, False)


def test_guessing_passwords_neither_works_nor_holds_anybody_up(guarded, connect):
    probe = connect("old", "pass-old")
    probe.subscribe("ping")
    stop = threading.Event()

    def guess(number):
        count = 0
        while not stop.is_set():
            client = socket.create_connection(("127.0.0.1", guarded.port), timeout=20)
            name, password = b"anna", b"guess %d %d" % (number, count)
            body = b"\x00\x04MQTT\x04\xC2\x00\x3C\x00\x01g" + bytes([0, len(name)]) + name + bytes(
                [0, len(password)]) + password
            client.sendall(bytes([0x10, len(body)]) + body)
            answer = client.recv(4)
            client.close()
            assert answer[:2] == b"\x20\x02" and answer[3] in (3, 4), answer
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        guesses = [pool.submit(guess, number) for number in range(8)]
        before = _processor_time(guarded.process.pid)
        waits = []
        try:
            for number in range(20):
                asked = time.monotonic()
                probe.publish("ping", b"%d" % number, qos=1)
                probe.wait_for("ping", lambda message: message.payload == b"%d" % number)
                waits.append(time.monotonic() - asked)
                time.sleep(0.05)
            # Who has logged in before is still known.
            connect("old", "pass-old")
        finally:
            stop.set()
        counts = [guess.result() for guess in guesses]
    print(f"{sum(counts)} guesses, longest answer {max(waits) * 1000:.0f} ms, "
          f"{_processor_time(guarded.process.pid) - before:.2f} s of processor time")
    assert sum(counts) > 100
    assert sorted(waits)[len(waits) // 2] < 0.5


def _processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_listener_has_users_and_rules_of_its_own(users, tmp_path, gateway, started):
    guests = tmp_path / "guests"
    assert passwd(guests, "guest", "pass-guest\n").returncode == 0
    port, other = free_port(), free_port()
    gateway(port=port, broker={
        "listen": [
            {"address": "127.0.0.1", "port": port},
            {"address": "127.0.0.1", "port": other, "auth": {"file": "guests", "anonymous": False},
             "acl": [{"user": "guest", "read": "public/#"}]}],
        "auth": {"file": str(users)},
    })

    def log_in(port, user, password):
        client = started(Client(port, paho.MQTTv5))
        if user:
            client.paho.username_pw_set(user, password)
        return client.connect()

    log_in(port, "anna", "pass-anna")
    log_in(port, None, None)
    guest = log_in(other, "guest", "pass-guest")
    with pytest.raises(AssertionError):
        guest.subscribe("house/#")
    for wrong in [("anna", "pass-anna"), (None, None)]:
        with pytest.raises(AssertionError, match="refused"):
            log_in(other, *wrong)


# MARK: martlet passwd and martlet check


def test_passwd_lets_the_group_of_a_folder_read_that_passes_it_on(tmp_path):
    folder = tmp_path / "etc"
    folder.mkdir()
    folder.chmod(0o2755)
    assert "must be allowed to read it" not in passwd(folder / "users", "anna", "one\n").stderr
    assert (folder / "users").stat().st_mode & 0o777 == 0o640


def test_passwd_makes_changes_and_deletes(tmp_path):
    file = tmp_path / "users"
    assert "'anna' can log in" in passwd(file, "anna", "one\n").stderr
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text()
    assert first.startswith("anna:SCRAM-SHA-256$25000:")
    file.chmod(0o640)
    assert "'anna' has another password" in passwd(file, "anna", "two\n", "--iterations", "5000").stderr
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text() != first and file.read_text().startswith("anna:SCRAM-SHA-256$5000:")
    assert passwd(file, "bert", "three").returncode == 0
    assert "'anna' is gone" in passwd(file, "anna", None, "--delete").stderr
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["bert"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["users"]


@pytest.mark.parametrize("user, password, options, status, words", [
    ("a:b", "x\n", [], 2, "no ':' in it"), ("anna", "\n", [], 1, "nothing was changed"), ("anna", "", [], 1, "nothing"),
    ("nobody", None, ["--delete"], 1, "there is no user 'nobody'"), ("anna", "x\n", ["--iterations", "1"], 2, "4096")])
def test_passwd_says_what_is_wrong(tmp_path, user, password, options, status, words):
    file = tmp_path / "users"
    result = passwd(file, user, password, *options)
    assert result.returncode == status
    assert words in result.stderr
    assert not file.exists()


def test_passwd_asks_twice_on_a_terminal_and_shows_nothing(tmp_path):
    file = tmp_path / "users"
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, "passwd", str(file), "anna"], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""

    def answer(question, text):
        nonlocal shown
        while question not in shown:
            shown += os.read(ours, 1024)
        seen, shown = shown, b""
        os.write(ours, text)
        return seen

    screen = answer(b"Password for 'anna': ", b"secret-1\n")
    screen += answer(b"Once more: ", b"secret-2\n")
    screen += answer(b"Password for 'anna': ", b"secret-3\n")
    screen += answer(b"Once more: ", b"secret-3\n")
    assert process.wait(20) == 0
    os.close(ours)
    assert b"two different ones" in screen
    assert b"secret" not in screen
    assert file.read_text().startswith("anna:")


def test_check_tells_of_bad_lines_and_the_others_count(tmp_path, users, gateway, started):
    with open(users, "a") as out:
        out.write("carl:in plain text\n")
    users.chmod(0o644)
    port = free_port()
    process = gateway(port=port, broker={
        "listen": [{"address": "127.0.0.1", "port": port}], "auth": {"file": str(users), "anonymous": False}})
    assert f"{users}:4: error: 'carl' can't log in" in process.log
    assert f"chmod o= {users}" in process.log
    assert "in plain text" not in process.log
    client = started(Client(port, paho.MQTTv311))
    client.paho.username_pw_set("anna", "pass-anna")
    client.connect()
    users.unlink()
    result = martlet("check", tmp_path / "house.yaml")
    assert result.returncode == 2
    assert "the users can't be read" in result.stdout and f"martlet passwd {users} USER" in result.stdout


def test_the_example_of_a_secured_broker_does_what_it_says(tmp_path, started, authority, client):
    ports = {name: free_port() for name in ("1883", "8883", "8084")}
    text = (ROOT / "config/examples/secured-broker.yaml").read_text()
    for name, port in ports.items():
        text = text.replace(f"port: {name}", f"port: {port}")
    text = text.replace("0.0.0.0", "127.0.0.1").replace("/run/martlet/martlet.sock", str(tmp_path / "m.sock"))
    text = text.replace("/etc/martlet/tls/server.pem", str(authority.certificate))
    text = text.replace("/etc/martlet/tls/server.key", str(authority.key))
    for user in ("anna", "panel", "sensor-1"):
        assert passwd(tmp_path / "users", user, f"pass-{user}\n").returncode == 0
    config = tmp_path / "secured.yaml"
    config.write_text(text)
    started(Gateway(config, ports["1883"])).wait_until_listening()
    inside = client(ports["1883"])
    inside.subscribe("#")

    def publish(user, topic, password=None):
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(ports["8883"]), "--cafile", authority.ca, "-V", "5", "-q",
             "1", "-u", user, "-P", password or f"pass-{user}", "-t", topic, "-m", user],
            capture_output=True, text=True, timeout=30).stderr.lower()

    assert publish("sensor-1", "sensors/sensor-1/t") == ""
    inside.wait_for("sensors/sensor-1/t")
    assert "not authorized" in publish("sensor-1", "sensors/sensor-2/t")
    assert publish("anna", "workshop/pump/power/set") == ""
    assert "not authorized" in publish("anna", "private/x")
    assert "not authorized" in publish("panel", "workshop/pump/power/set")
    assert publish("panel", "workshop/lamp/power/set") == ""
    assert "bad user name or password" in publish("panel", "workshop/lamp/power/set", "guess")
    page = Client(ports["8084"])
    page.paho.username_pw_set("panel", "pass-panel")
    page.paho._transport = "websockets"
    page.paho.ws_set_options(path="/mqtt", headers={"Origin": "https://panel.example.org"})
    page.paho.tls_set(ca_certs=str(authority.ca))
    page._target = ("localhost", ports["8084"])
    started(page).connect().subscribe("workshop/#")
    inside.publish("workshop/lamp/power", b"1")
    page.wait_for("workshop/lamp/power")
    assert subprocess.run(
        [BINARY, "reload", "--unix", tmp_path / "m.sock"], capture_output=True, timeout=30).returncode == 0
