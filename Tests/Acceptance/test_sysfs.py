"""Sensors whose values the kernel has in files: any file will do for the reader; a real sensor's is in the virtual machine."""
import os

GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
BAD = GOOD.replace("YES", "NO")


def watch(client, port):
    watcher = client(port)
    watcher.subscribe("house/#")
    return watcher


def test_a_file_is_read_scaled_and_told_with_its_unit(gateway, client, tmp_path):
    folder = tmp_path / "hwmon7"
    folder.mkdir()
    (folder / "temp1_input").write_text("23187\n")
    process = gateway(sysfs={"room": {
        "path": f"{tmp_path}/hwmon*/temp1_input", "point": "temperature", "scale": 0.001, "unit": "°C", "poll": "200ms"}})
    watcher = watch(client, process.port)
    told = watcher.wait_for("house/room/temperature").json
    assert (told["v"], told["u"], told["q"]) == (23.187, "°C", "good")
    (folder / "temp1_input").write_text("-5062\n")
    assert watcher.wait_for("house/room/temperature", lambda message: message.json["v"] != 23.187).json["v"] == -5.062


def test_a_sensor_that_goes_is_offline_with_a_reason_and_comes_back(gateway, client, tmp_path):
    file = tmp_path / "w1_slave"
    process = gateway(sysfs={"boiler": {"path": str(file), "scale": 0.001, "unit": "°C", "poll": "200ms"}})
    watcher = watch(client, process.port)

    def offline(reason, words):
        told = watcher.wait_for("house/boiler/$online", lambda message: message.json.get("reason") == reason).json
        assert words in told["detail"], told

    offline("port_missing", "there is no such file")
    file.write_text(GOOD)
    watcher.wait_for("house/boiler/$online", lambda message: message.json["state"] == "online")
    assert watcher.wait_for("house/boiler/value").json["v"] == 23.125
    file.write_text(BAD)
    offline("garbled", "a wrong check sum")
    file.write_text("no\n")
    file.unlink()
    os.mkfifo(file)
    offline("port_failed", "is no plain file")


def test_one_file_that_fails_leaves_the_others_of_its_device_alone(gateway, client, tmp_path):
    (tmp_path / "humidity").write_text("45.5\n")
    (tmp_path / "temperature").write_text("99000\n")
    process = gateway(sysfs={"room": {"poll": "200ms", "points": {
        "temperature": {"path": f"{tmp_path}/temperature", "scale": 0.001, "range": {"max": 85}},
        "humidity": {"path": f"{tmp_path}/humidity", "unit": "%"}}}})
    watcher = watch(client, process.port)
    assert watcher.wait_for("house/room/humidity").json["v"] == 45.5
    process.wait_for_log("room/temperature gives no value")
    (tmp_path / "temperature").write_text("21000\n")
    assert watcher.wait_for("house/room/temperature").json["v"] == 21
