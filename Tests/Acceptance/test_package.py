"""The Debian package around the binary: what is in it, and that lintian has nothing against it."""
import os
import re
import shutil
import subprocess

import pytest
import yaml

from peers.gateway import BINARY, ROOT, martlet

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev makes packages")

CONFIGURATION = "etc/martlet/martlet.yaml"


def run(*command, **keywords):
    result = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL, **keywords)
    assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
    return result.stdout


class Package:
    """A package, and what is in it."""

    def __init__(self, folder):
        # Packed in a hurry; what is in it is the same.
        self.file = run(ROOT / "packaging/build-deb.sh", BINARY, folder,
                        env={**os.environ, "COMPRESSION_LEVEL": "0"}).strip()
        self.root = folder / "unpacked"
        run("dpkg-deb", "--raw-extract", self.file, self.root)
        self.listing = run("dpkg-deb", "--contents", self.file)

    def field(self, name):
        return run("dpkg-deb", "--field", self.file, name).strip()

    def text(self, path):
        """A text in it, unpacked if it is packed."""
        return run("zcat", self.root / path) if path.endswith(".gz") else (self.root / path).read_text()

    def mode(self, path):
        return next(line.split()[0] for line in self.listing.splitlines() if line.endswith(f" ./{path}"))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return Package(tmp_path_factory.mktemp("package"))


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian says what is wrong with a package")
def test_lintian_finds_no_error(package):
    result = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs",
         package.file], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", [
    "usr/bin/martlet", "usr/share/martlet/devices/eastron-sdm630.yaml", CONFIGURATION,
    "usr/lib/systemd/system/martlet.service", "usr/lib/systemd/system/martlet.socket", "usr/lib/sysusers.d/martlet.conf",
    "usr/lib/tmpfiles.d/martlet.conf", "usr/lib/udev/rules.d/60-martlet.rules", "usr/share/man/man1/martlet.1.gz",
    "usr/share/man/man5/martlet.yaml.5.gz", "usr/share/bash-completion/completions/martlet",
    "usr/share/zsh/vendor-completions/_martlet", "usr/share/fish/vendor_completions.d/martlet.fish",
    "usr/share/doc/martlet/copyright", "usr/share/doc/martlet/changelog.Debian.gz",
    "usr/share/doc/martlet/examples/martlet.yaml"])
def test_it_is_in_the_package_and_belongs_to_root(package, path):
    assert package.mode(path) == ("-rwxr-xr-x" if path.startswith("usr/bin/") else "-rw-r--r--")
    assert all(line.split()[1] == "root/root" for line in package.listing.splitlines())


def test_every_profile_is_in_the_package(package):
    assert {file.name for file in (package.root / "usr/share/martlet/devices").iterdir()} == {
        file.name for file in (ROOT / "devices").glob("*.yaml")}


def test_the_binary_is_stripped_and_looks_for_libraries_where_the_system_does(package):
    binary = package.root / "usr/bin/martlet"
    assert ".symtab" not in run("readelf", "--sections", "--wide", binary)
    assert not re.search("RPATH|RUNPATH", run("readelf", "--dynamic", "--wide", binary))
    assert binary.stat().st_size < 40_000_000


def test_the_binary_starts_as_it_is_in_the_package(package):
    assert package.field("Version").startswith(
        run(package.root / "usr/bin/martlet", "--version").split()[1] + "-")


def test_all_libraries_that_the_binary_wants_are_depended_on(package):
    wanted = set(re.findall(r"Shared library: \[(.*?)\.so", run("readelf", "--dynamic", "--wide", BINARY)))
    packages = {"libc": "libc6", "libm": "libc6", "ld-linux-x86-64": "libc6", "ld-linux-aarch64": "libc6",
                "libgcc_s": "libgcc-s1", "libstdc++": "libstdc++6", "libyaml-0": "libyaml-0-2", "libudev": "libudev1",
                "libnettle": "libnettle8"}
    assert wanted <= set(packages), "another library: is Swift's standard library linked statically?"
    depended = package.field("Depends")
    for library in wanted:
        assert re.search(rf"\b{re.escape(packages[library])}\b", depended), (library, depended)


def test_the_configuration_is_kept_by_dpkg_and_valid_as_it_is(package):
    assert package.text("DEBIAN/conffiles").split() == [f"/{CONFIGURATION}"]
    result = martlet("check", package.root / CONFIGURATION, "--devices", package.root / "usr/share/martlet/devices")
    assert result.returncode == 0, result.stdout + result.stderr


def test_nobody_reaches_the_broker_from_outside_until_somebody_says_so(package):
    broker = yaml.safe_load(package.text(CONFIGURATION))["broker"]
    assert all(listener.get("address", "127.0.0.1") == "127.0.0.1" for listener in broker["listen"])
    assert broker.get("auth", {}).get("anonymous", "loopback") == "loopback"


def test_the_device_that_it_shows_as_a_comment_works(package, tmp_path):
    lines = package.text(CONFIGURATION).splitlines()
    start = lines.index("#devices:")
    lines[start:start + 2] = [line.removeprefix("#") for line in lines[start:start + 2]]
    file = tmp_path / "martlet.yaml"
    file.write_text("\n".join(lines) + "\n")
    result = martlet("check", file, "--devices", package.root / "usr/share/martlet/devices")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_manual_names_every_command(package):
    manual = package.text("usr/share/man/man1/martlet.1.gz")
    listed = martlet("--help").stdout.partition("SUBCOMMANDS:")[2]
    commands = re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        assert re.search(rf'^\.B[IR]? {command}\b', manual, re.MULTILINE), f"martlet(1) has no '{command}'"


def test_the_manual_has_the_whole_reference_of_the_configuration(package):
    manual = package.text("usr/share/man/man5/martlet.yaml.5.gz")
    plain = manual.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")
    assert (ROOT / "config/martlet.yaml").read_text() in plain
    assert "@" not in re.sub(r"[\w]@[\w]", "", plain.split(".nf")[0])


def test_the_shell_completes_the_commands(package):
    completions = package.root / "usr/share/bash-completion/completions/martlet"
    run("bash", "-n", completions)
    assert "passwd" in completions.read_text()


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_scripts_are_scripts(package, script):
    run("sh", "-n", package.root / "DEBIAN" / script)
    assert "set -e" in package.text(f"DEBIAN/{script}")


def test_what_is_in_it_can_be_checked(package):
    run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=package.root)


def test_a_version_that_the_program_does_not_have_is_not_packed(tmp_path):
    liar = tmp_path / "martlet"
    liar.write_text("#!/bin/sh\necho martlet 99.0.0\n")
    liar.chmod(0o755)
    result = subprocess.run([ROOT / "packaging/build-deb.sh", liar, tmp_path / "out"], capture_output=True, text=True)
    assert result.returncode != 0 and "99.0.0" in result.stderr
