"""The comparison with mosquitto still runs, on every way in; its figures mean nothing with so few messages."""
import json
import subprocess
import sys

import pytest

from peers.deadend import can_make_networks
from peers.gateway import BINARY, ROOT


@pytest.mark.parametrize("scenario, rows", [("fan-in 10->1 QoS 1", 5), ("10,000 wildcard filters", 1), ("connections", 4)])
def test_the_comparison_runs_and_loses_nothing(tmp_path, scenario, rows):
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, ROOT / "Benchmarks/side-by-side.py", "--quick", "--rounds", "1", "--martlet", BINARY,
         "--only", scenario, "--json", results],
        capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + done.stdout
    recorded = json.loads(results.read_text())["results"]
    assert len(recorded) == rows
    for entry in recorded:
        for broker, rounds in entry["rounds"].items():
            assert rounds[0]["msg_per_s"] > 0, (entry["scenario"], broker)


def test_the_cost_of_keeping_messages_is_measured(tmp_path):
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, ROOT / "Benchmarks/durable.py", "--rounds", "1", "--messages", "500", "--autosave-messages", "100",
         "--martlet", BINARY, "--folder", tmp_path, "--json", results],
        capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + done.stdout
    recorded = json.loads(results.read_text())
    assert recorded["kept"]["martlet"] == recorded["kept"]["commit"] == 1000
    assert recorded["rounds"]["martlet"][0]["lost"] == 0


@pytest.mark.skipif(not can_make_networks(), reason="networks can't be made here (unshare, ip)")
def test_the_cost_of_a_dead_upstream_is_measured(tmp_path):
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, ROOT / "Benchmarks/dead-upstream.py", "--rounds", "1", "--messages", "300", "--martlet", BINARY,
         "--json", results],
        capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + done.stdout
    recorded = json.loads(results.read_text())
    assert len(recorded) == 5 and all(rounds[0]["lost"] == 0 for rounds in recorded.values())
