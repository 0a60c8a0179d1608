"""The comparison with mosquitto still runs, on every way in; its figures mean nothing with so few messages."""
import json
import subprocess
import sys

import pytest

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
