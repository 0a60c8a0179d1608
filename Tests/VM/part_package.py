"""The package over its life: upgraded, removed, purged."""
from checks import check

APT = "DEBIAN_FRONTEND=noninteractive apt-get -y -q"


@check
def an_upgrade_keeps_the_configuration_and_what_was_kept(bench):
    machine = bench.machine
    with bench.client() as client:
        client.publish("kept/over-upgrade", b"still here", retain=True)
    before = machine("md5sum /etc/martlet/martlet.yaml /etc/martlet/users")
    process = bench.process
    machine(f"{APT} install /mnt/work/next.deb", 300)
    bench.wait_until_active()
    assert bench.process != process, "the old one still runs"
    assert machine("md5sum /etc/martlet/martlet.yaml /etc/martlet/users") == before
    with bench.client() as client:
        client.subscribe("kept/#")
        assert client.wait_for("kept/over-upgrade").payload == b"still here"
    return machine("dpkg-query -W martlet")


@check
def a_service_that_was_switched_off_stays_off_over_an_upgrade(bench):
    machine = bench.machine
    machine("systemctl disable --now martlet")
    machine(f"{APT} install --reinstall /mnt/work/next.deb", 300)
    assert machine.run("systemctl is-enabled martlet")[1] == "disabled"
    assert machine.run("systemctl is-active martlet")[1] == "inactive"
    machine("systemctl enable --now martlet")
    bench.wait_until_active()


@check
def the_port_can_be_opened_by_systemd(bench):
    machine = bench.machine
    machine("set -e; cp -p /etc/martlet/martlet.yaml /tmp/kept.yaml; "
            "sed -i 's/{ address: 127.0.0.1, port: 1883 }/{ systemd: mqtt }/' /etc/martlet/martlet.yaml; "
            "systemctl stop martlet; systemctl enable --now martlet.socket; systemctl start martlet; "
            "martlet sub -C 1 -W 30 -t 'bench/$online'; systemctl is-active martlet", 180)
    # Left enabled: purging takes that back as well.
    machine("systemctl stop martlet.socket martlet; cat /tmp/kept.yaml >/etc/martlet/martlet.yaml; systemctl start martlet")


@check
def removing_stops_the_service_and_leaves_what_was_kept(bench):
    machine = bench.machine
    machine(f"{APT} remove martlet", 300)
    assert machine.run("systemctl is-active martlet")[0] != 0
    machine("test ! -e /usr/bin/martlet -a -e /etc/martlet/martlet.yaml -a -e /etc/martlet/users -a -d /var/lib/martlet/journal")
    machine("! grep -qsx martlet /proc/[0-9]*/comm")


@check
def what_was_left_is_taken_up_again(bench):
    machine = bench.machine
    machine(f"{APT} install /mnt/work/next.deb", 300)
    bench.wait_until_active()
    with bench.client() as client:
        client.subscribe("kept/#")
        assert client.wait_for("kept/over-upgrade").payload == b"still here"


@check
def purging_leaves_nothing_but_the_user(bench):
    machine = bench.machine
    machine(f"{APT} purge martlet", 300)
    said = machine("find / -xdev -iname '*martlet*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/tmp/*' "
                   "-not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/lib/apt/*' -not -path '/var/lib/dpkg/*-old'; "
                   "systemctl list-unit-files 'martlet*' --no-legend; id -un martlet")
    assert said.split() == ["martlet"], said
