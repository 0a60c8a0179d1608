"""A thermometer on the board's SMBus, which the kernel reads itself."""
from bench import CONFIGURATION
from checks import check
from part_install import CONFIG

SENSOR = """\
sysfs:
  cellar:
    path: /sys/bus/i2c/devices/0-0048/hwmon/hwmon*/temp1_input
    point: temperature
    scale: 0.001
    unit: °C
    poll: 500ms
"""


@check
def a_sensor_of_the_kernels_is_read_and_missed_and_taken_back(bench):
    machine = bench.machine
    machine.warm(21.5)
    machine.write(CONFIG, CONFIGURATION + SENSOR)
    machine("systemctl reload martlet")
    with bench.client() as client:
        client.subscribe("bench/cellar/#")
        client.wait_for("bench/cellar/$online", lambda message: message.json.get("reason") == "port_missing", 60)
        machine("echo tmp105 0x48 >/sys/bus/i2c/devices/i2c-0/new_device")
        told = client.wait_for("bench/cellar/temperature", timeout=60).json
        assert (told["v"], told["u"]) == (21.5, "°C"), told
        machine.warm(-3.25)
        client.wait_for("bench/cellar/temperature", lambda message: message.json["v"] == -3.25)
        before = client.count
        machine("echo 0x48 >/sys/bus/i2c/devices/i2c-0/delete_device")
        told = client.wait_for("bench/cellar/$online", lambda message: message.json["state"] == "offline", 60, before).json
    machine.write(CONFIG, CONFIGURATION)
    machine("systemctl reload martlet")
    return f"{told['reason']}: {told['detail']}"
