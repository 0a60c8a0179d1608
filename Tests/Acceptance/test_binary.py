"""What the binary is made of, and what it takes."""
import subprocess

from peers.gateway import BINARY

MEGABYTE = 1024 * 1024


def test_it_needs_neither_foundation_nor_a_swift_runtime():
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    assert not [line for line in linked.splitlines() if "Foundation" in line or "libswift" in line or "libicu" in line]


def test_foundation_is_not_inside_either():
    # Symbols of Swift modules begin like this. FoundationEssentials is there, and small: ArgumentParser imports it.
    symbols = (b"$s10Foundation", b"$s28FoundationInternationalization", b"_FoundationICU")
    content = BINARY.read_bytes()
    assert [symbol for symbol in symbols if symbol in content] == []


def test_the_demo_fits_into_little_memory(demo, capsys):
    broker, local = demo
    local.wait_for("demo/$online")
    local.received.wait_until(lambda entries: len(entries) > 50, "fifty messages")
    megabytes = broker.resident_memory() / MEGABYTE
    with capsys.disabled():
        print(f"\n  resident memory of the demo: {megabytes:.1f} MB, binary: {BINARY.stat().st_size / MEGABYTE:.1f} MB")
    # The aim is 16; this is where something came in that does not belong.
    assert megabytes < 32
