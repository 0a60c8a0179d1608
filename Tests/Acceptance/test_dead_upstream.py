"""A server that can't be reached: local traffic goes on, and the log says what is wrong.

How little it costs is measured by `Benchmarks/dead-upstream.py`.
"""
import time

import pytest

from peers.deadend import URLS, can_make_networks, command
from peers.gateway import Gateway, configuration

NO_ANSWER = "no answer; is it reachable, and not behind a firewall?"
WORDS = {
    "dropped": [NO_ANSWER],
    "silent": ["does it want TLS"],
    # The name server's time limit and that of connecting are about the same.
    "resolver": ["no address was found for this name", "looking up the name takes too long"],
}


@pytest.mark.parametrize("kind", URLS)
@pytest.mark.skipif(not can_make_networks(), reason="networks can't be made here (unshare, ip)")
def test_local_traffic_goes_on_and_the_log_says_what_is_wrong(tmp_path, started, client, kind):
    path = tmp_path / "house.sock"
    config = tmp_path / "house.yaml"
    config.write_text(configuration(
        "house", 0, broker={"listen": [{"unix": str(path), "mode": "0660"}], "sys_interval": "1s"},
        upstream={"central": {"url": URLS[kind], "out": [{"filter": "plant/#"}]}}))
    gateway = started(Gateway(config, 0, inside=command(kind)))
    gateway.wait_for_log("listens on")
    # In a network of its own it is reached by its socket in the file system.
    local = client(0, unix=str(path))
    local.subscribe("plant/#")
    slowest = 0
    deadline = time.monotonic() + 60
    while not any(words in gateway.log for words in WORDS[kind]):
        assert time.monotonic() < deadline, gateway.log
        before, sent = local.count, time.monotonic()
        local.publish("plant/a", b"x")
        local.wait_for("plant/a", after=before)
        slowest = max(slowest, time.monotonic() - sent)
    print(f"slowest of {local.count} messages: {slowest * 1000:.1f} ms")
    assert kind != "resolver" or NO_ANSWER not in gateway.log
    # A look-up takes ten seconds, a connection too; a broker that waited for one would be late by as much.
    assert slowest < 3
