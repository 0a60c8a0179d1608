"""GPIO devices where there are no lines: real ones are tried in the virtual machine."""
import json


def test_lines_that_are_not_there_are_offline_with_a_reason_and_nothing_moves(gateway, client):
    process = gateway(gpio={
        "door": {"line": "NO-SUCH-LINE", "as": "contact"},
        "pump": {"line": {"chip_label": "no-such-chip", "offset": 3}, "output": {}, "as": "switch"}})
    watcher = client(process.port)
    watcher.subscribe("house/#")
    online = watcher.wait_for("house/door/$online", lambda message: b"port_missing" in message.payload)
    assert "NO-SUCH-LINE" in json.loads(online.payload)["detail"]
    watcher.publish("house/pump/switch/set", "ON")
    result = json.loads(watcher.wait_for("house/pump/switch/result").payload)
    assert not result["ok"] and result["error"] == "device_offline", result
