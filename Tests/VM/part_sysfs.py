"""A thermometer that the kernel reads itself: its lm75 driver, with a chip whose registers are in memory (i2c-stub)."""
from bench import CONFIGURATION, TOOL
from checks import check
from part_install import CONFIG

SENSOR = """\
sysfs:
  cellar:
    path: /sys/bus/i2c/devices/*-0048/hwmon/hwmon*/temp1_input
    point: temperature
    scale: 0.001
    unit: °C
    poll: 500ms
"""


BUS = "$(basename $(dirname $(grep -l 'SMBus stub' /sys/bus/i2c/devices/i2c-*/name)))"


def warm(bench, celsius):
    # Nine bits, the highest of 16. [NXP LM75B data sheet, 7.4.3]
    bench.machine(f"{TOOL} register /dev/{BUS} 0x48 0 {round(celsius * 2) << 7 & 0xFFFF}")


@check
def a_sensor_of_the_kernels_is_read_and_missed_and_taken_back(bench):
    machine = bench.machine
    machine("modprobe i2c-dev; modprobe lm75; modprobe i2c-stub chip_addr=0x48")
    warm(bench, 21.5)
    machine.write(CONFIG, CONFIGURATION + SENSOR)
    machine("systemctl reload martlet")
    with bench.client() as client:
        client.subscribe("bench/cellar/#")
        client.wait_for("bench/cellar/$online", lambda message: message.json.get("reason") == "port_missing", 60)
        machine(f"echo lm75 0x48 >/sys/bus/i2c/devices/{BUS}/new_device")
        told = client.wait_for("bench/cellar/temperature", timeout=60).json
        assert (told["v"], told["u"]) == (21.5, "°C"), told
        warm(bench, -3.5)
        client.wait_for("bench/cellar/temperature", lambda message: message.json["v"] == -3.5)
        before = client.count
        machine(f"echo 0x48 >/sys/bus/i2c/devices/{BUS}/delete_device")
        told = client.wait_for("bench/cellar/$online", lambda message: message.json["state"] == "offline", 60, before).json
    machine.write(CONFIG, CONFIGURATION)
    machine("systemctl reload martlet")
    return f"{told['reason']}: {told['detail']}"
