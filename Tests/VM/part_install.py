"""apt installs the package, systemd runs it, and what the meters say is at the broker."""
from bench import CONFIGURATION, LEFT, RIGHT
from checks import check

CONFIG = "/etc/martlet/martlet.yaml"
TWENTY_POINTS = """\
version: 1
gateway: { id: bench, clock: { wait_for_sync: off } }
ports:
  left: { match: { usb: "0403:6001", serial: LEFT0001 } }
  right: { match: { usb: "0403:6001", serial: RIGHT001 } }
devices:
  left-meter: { profile: eastron-sdm120, port: left, poll: 5s }
  right-meter: { profile: eastron-sdm120, port: right, poll: 5s }
broker:
  listen:
    - { address: 127.0.0.1, port: 1883 }
    - { address: 0.0.0.0, port: 1884, auth: { anonymous: true } }
"""


@check
def apt_installs_the_package_and_the_service_runs(bench):
    machine = bench.machine
    # The chip is there before the package: its rule must reach that one, too.
    machine.until("test -e /dev/gpiochip0")
    machine("DEBIAN_FRONTEND=noninteractive apt-get install -y /mnt/work/martlet.deb", 300)
    bench.wait_until_active()
    return machine("systemctl show -P StatusText martlet")


@check
def the_service_runs_as_a_user_of_its_own(bench):
    said = bench.machine("p=$(systemctl show -P MainPID martlet); stat -c %U /proc/$p; id -Gn martlet; "
                         "grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/$p/status | tr -s '\\t\\n' ' '")
    user, groups, limits = said.splitlines()
    assert user == "martlet" and set(groups.split()) == {"martlet", "dialout", "gpio"}, said
    assert "NoNewPrivs: 1" in limits and "Seccomp: 2" in limits and "CapEff: 0000000000000000" in limits, said


@check
def the_configuration_that_comes_with_it_is_valid(bench):
    bench.machine("martlet check")


@check
def nobody_outside_the_machine_reaches_the_broker(bench):
    said = bench.machine("grep -i ' 0A ' /proc/net/tcp | awk '{print $2}'; grep -ci ' 0A ' /proc/net/tcp6 || true")
    # 127.0.0.1:1883, as the kernel writes it.
    assert said.split() == ["0100007F:075B", "0"], said


@check
def systemd_analyze_finds_little_to_attack(bench):
    said = bench.machine("systemd-analyze security --no-pager martlet | tail -n 1; "
                         "systemd-analyze security --no-pager --threshold=20 martlet >/dev/null")
    return said


@check
def the_service_may_ask_for_the_clock_and_let_other_threads_go_first(bench):
    allowed = bench.machine("systemctl show --property SystemCallFilter --value martlet").split()
    assert {"adjtimex", "clock_adjtime", "setpriority"} <= set(allowed), allowed
    assert not {"settimeofday", "chown", "setuid"} & set(allowed), allowed


@check
def gpio_chips_are_for_their_group_and_have_a_name_after_their_place(bench):
    said = bench.machine("stat -c '%U %G %a' /dev/gpiochip0; ls /dev/gpio/by-path 2>/dev/null || true").splitlines()
    assert said[0] == "root gpio 660", said
    # QEMU's arm64 board has its chip on a bus that udev has no names for.
    assert len(said) >= 2 or bench.options.architecture == "arm64", said
    return said[-1]


@check
def the_log_has_fields_to_ask_for(bench):
    said = bench.machine("journalctl -u martlet MARTLET_SUBSYSTEM=broker -o cat --no-pager")
    assert "listens on" in said and "gateway:" not in said, said


@check
def a_user_that_root_makes_can_be_read_by_the_gateway(bench):
    said = bench.machine("echo secret | martlet passwd /etc/martlet/users anna; stat -c '%U %G %a' /etc/martlet/users; "
                         "setpriv --reuid=martlet --regid=martlet --clear-groups cat /etc/martlet/users | cut -d: -f1; "
                         "setpriv --reuid=nobody --regid=nogroup --clear-groups cat /etc/martlet/users || echo no")
    lines = said.splitlines()
    assert "root martlet 640" in lines and "anna" in lines and lines[-1] == "no", said


@check
def another_configuration_is_applied_and_adapters_are_found_by_what_they_are(bench):
    machine = bench.machine
    machine.write(CONFIG, CONFIGURATION)
    machine("martlet check")
    machine("systemctl reload martlet")
    # The id of a gateway stays as it is until it starts again.
    machine("systemctl restart martlet")
    for adapter in (LEFT, RIGHT):
        machine.plug(*adapter)
    machine.until("test -e /dev/ttyUSB1")
    said = machine("martlet ports")
    assert "LEFT0001" in said and "RIGHT001" in said, said


@check
def readings_of_both_meters_are_at_the_broker(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        for name, meter in (("left", bench.meters[0]), ("right", bench.meters[1])):
            client.wait_for(f"bench/{name}-meter/$online", lambda message: message.json["state"] == "online", 60)
            client.wait_for(f"bench/{name}-meter/voltage_l1", lambda message: message.json["v"] == meter.voltage, 60)


@check
def ftdi_adapters_hand_over_what_they_hear_at_once(bench):
    said = bench.machine("cat /sys/bus/usb-serial/devices/ttyUSB*/latency_timer")
    assert said.split() == ["1", "1"], said


@check
def a_device_that_the_gateway_has_no_business_with_is_closed_to_it(bench):
    # The same rules for a process of root, for whom nothing but them stands in the way.
    bench.machine.write("/run/try-devices", "for f in /dev/vda /dev/ttyUSB0 /dev/ttyS0 /dev/gpiochip0; do "
                        "if (: <$f) 2>/dev/null; then echo $f yes; else echo $f no; fi; done >/run/tried-devices\n")
    said = bench.machine(
        "(echo '[Service]'; echo Type=oneshot; grep -E '^Device(Allow|Policy)=' /usr/lib/systemd/system/martlet.service; "
        "echo ExecStart=/bin/sh /run/try-devices) >/run/systemd/system/try-devices.service; "
        "systemctl daemon-reload; systemctl start try-devices; cat /run/tried-devices")
    assert said.splitlines() == ["/dev/vda no", "/dev/ttyUSB0 yes", "/dev/ttyS0 yes", "/dev/gpiochip0 yes"], said


@check
def it_ends_cleanly_within_five_seconds(bench):
    with bench.client() as client:
        client.subscribe("bench/#")
        client.wait_for("bench/$online", lambda message: message.json["state"] == "online")
        before = client.count
        said = bench.machine("b=$(date +%s%3N); systemctl stop martlet; e=$(date +%s%3N); echo $((e - b)); "
                             "systemctl show -P Result martlet")
        client.wait_for("bench/$online", lambda message: message.json["state"] == "offline", after=before)
    took, result = said.split()
    bench.machine("systemctl start martlet")
    assert result == "success" and int(took) < 5000, said
    return f"{took} ms"


@check
def a_gateway_that_hangs_is_ended_by_the_watchdog_and_comes_back(bench):
    machine = bench.machine
    machine("mkdir -p /run/systemd/system/martlet.service.d; printf '[Service]\\nWatchdogSec=4\\n' "
            ">/run/systemd/system/martlet.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart martlet")
    before = bench.process
    machine(f"kill -STOP {before}")
    machine.until(f"p=$(systemctl show -P MainPID martlet); test $p != 0 -a $p != {before}")
    bench.wait_until_active()
    said = machine("journalctl -b -u martlet -o cat --no-pager | grep -i watchdog | tail -n 1; "
                   "rm /run/systemd/system/martlet.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart martlet")
    assert "watchdog" in said.lower(), said
    return said


@check
def a_wrong_configuration_is_not_tried_again(bench):
    machine = bench.machine
    machine(f"cp {CONFIG} /tmp/good; echo 'nonsense: 1' >>{CONFIG}; systemctl restart martlet || true; sleep 4")
    said = machine("systemctl show -P ActiveState -P NRestarts -P ExecMainStatus martlet")
    machine(f"cat /tmp/good >{CONFIG}; systemctl reset-failed martlet; systemctl start martlet")
    assert "failed" in said.split() and "2" in said.split(), said


@check
def what_an_idle_gateway_costs(bench):
    """Reported, not judged: the machine is emulated, and its second is not another one's."""
    machine = bench.machine
    machine.write(CONFIG, TWENTY_POINTS)
    machine("systemctl restart martlet")
    with bench.client() as client:
        client.subscribe("bench/#")
        for name in ("left", "right"):
            client.wait_for(f"bench/{name}-meter/voltage", lambda message: not message.retain, 60)
    said = machine(
        "p=$(systemctl show -P MainPID martlet); sleep 5; t() { awk '{print $14 + $15}' /proc/$p/stat; }; a=$(t); "
        "u=$(cut -d' ' -f1 /proc/uptime); sleep 30; b=$(t); v=$(cut -d' ' -f1 /proc/uptime); "
        "awk -v t=$((b - a)) -v u=$u -v v=$v 'BEGIN { printf \"%.2f\\n\", t / (v - u) }'; "
        "awk '/^(Rss|Pss|Private_Dirty|Anonymous):/ {print $1, $2}' /proc/$p/smaps_rollup | tr '\\n' ' '")
    machine.write(CONFIG, CONFIGURATION)
    machine("systemctl restart martlet")
    bench.wait_until_active()
    cpu, memory = said.splitlines()
    return f"two meters of 10 points, read every 5 s: {cpu} % of the emulated core; {memory}KB"
