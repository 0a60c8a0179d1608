#!/usr/bin/env bash
# build-deb.sh BINARY FOLDER [ARCHITECTURE [SUFFIX]]: FOLDER/martlet_VERSION_ARCHITECTURE.deb around a binary that was built.
#
# Needs dpkg-dev and nothing of the network. SUFFIX is added to the version, for trying an upgrade. For another architecture
# than this machine's, RUNNABLE names a binary of the same sources that runs here: it writes the shells' completions; and
# STRIP the tool that strips.
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
architecture=${3:-$(dpkg --print-architecture)}
suffix=${4:-}
runnable=$(realpath "${RUNNABLE:-$binary}")
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"

field() { dpkg-parsechangelog --file packaging/changelog --show-field "$1"; }
version=$(field Version)$suffix
program=$("$runnable" --version | cut -d' ' -f2)
if [[ $version != "$program"-* ]]; then
    echo "packaging/changelog is about $version, and the program says that it is $program" >&2
    exit 1
fi
# Files of the package get the time of the change, so that the same sources give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(field Timestamp)}
export SOURCE_DATE_EPOCH
date=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y-%m-%d)

work=$out/package-$architecture
root=$work/root
rm -rf "$work"
mkdir -p "$root/DEBIAN" "$work/debian"
umask 022

put() { install -D --mode="$1" "$2" "$root/$3"; }
zip() { gzip --best --no-name; }
put_zipped() {
    mkdir -p "$root/$(dirname "$2")"
    zip <"$1" >"$root/$2"
}

program() {
    put 755 "$binary" usr/bin/martlet
    "${STRIP:-strip}" --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/martlet"
    mkdir -p "$root/usr/share/martlet/devices"
    install --mode=644 devices/*.yaml "$root/usr/share/martlet/devices/"
}

system_files() {
    put 644 packaging/martlet.yaml etc/martlet/martlet.yaml
    put 644 systemd/martlet.service usr/lib/systemd/system/martlet.service
    put 644 systemd/martlet.socket usr/lib/systemd/system/martlet.socket
    put 644 systemd/martlet.sysusers usr/lib/sysusers.d/martlet.conf
    put 644 systemd/martlet.tmpfiles usr/lib/tmpfiles.d/martlet.conf
    put 644 systemd/60-martlet.rules usr/lib/udev/rules.d/60-martlet.rules
}

completions() {
    mkdir -p "$root"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
    # The shell sources this one, and never runs it as a program.
    "$runnable" --generate-completion-script bash | sed '1{/^#!/d}' \
        >"$root/usr/share/bash-completion/completions/martlet"
    "$runnable" --generate-completion-script zsh >"$root/usr/share/zsh/vendor-completions/_martlet"
    "$runnable" --generate-completion-script fish >"$root/usr/share/fish/vendor_completions.d/martlet.fish"
}

# Every key of the configuration is in the manual, as it is in the reference: what would be a request or an escape of
# troff is written so that it is none.
manual() {
    mkdir -p "$root"/usr/share/man/man{1,5}
    local page section
    sed -e 's/\\/\\e/g' -e "s/^\\([.']\\)/\\\\\&\\1/" -e 's/-/\\-/g' config/martlet.yaml >"$work/reference"
    for page in packaging/man/*.[15]; do
        section=${page##*.}
        sed -e "/^@REFERENCE@\$/{r $work/reference" -e 'd}' -e "s/@VERSION@/$program/" -e "s/@DATE@/$date/" "$page" |
            zip >"$root/usr/share/man/man$section/$(basename "$page").gz"
    done
}

documents() {
    local folder=usr/share/doc/martlet file
    put 644 packaging/copyright "$folder/copyright"
    put_zipped packaging/changelog "$folder/changelog.Debian.gz"
    put_zipped CHANGELOG.md "$folder/changelog.gz"
    put 644 README.md "$folder/README.md"
    for file in docs/*.md; do put 644 "$file" "$folder/$(basename "$file")"; done
    put 644 systemd/martlet-pwm.conf "$folder/examples/martlet-pwm.conf"
    for file in config/martlet.yaml config/examples/*.yaml; do put 644 "$file" "$folder/examples/$(basename "$file")"; done
}

# What the binary is linked with, as packages of Debian. It is looked up for this machine's architecture: the other one's
# libraries have the same names.
dependencies() {
    printf 'Source: martlet\n\nPackage: martlet\nArchitecture: any\nDescription: gateway\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$1" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
}

control() {
    local linked
    linked=$(dependencies "$runnable")
    [[ -n $linked ]] || { echo "nothing is known of what the binary is linked with" >&2; exit 1; }
    cat >"$root/DEBIAN/control" <<END
Package: martlet
Version: $version
Architecture: $architecture
Maintainer: $(field Maintainer)
Installed-Size: $(du -k -s --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Pre-Depends: init-system-helpers (>= 1.54~)
Depends: $linked, systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: udev
Suggests: mosquitto-clients
Section: net
Priority: optional
Description: IoT edge gateway: meters and sensors in, MQTT out, commands back
 Martlet reads meters and sensors over serial lines and Modbus TCP, maps what
 they say to MQTT topics, serves the topics from its own MQTT broker, and
 forwards them to a server. Commands travel the other way: a message to a topic
 switches a relay, and the answer says whether it really switched.
 .
 What it has acknowledged survives a power cut. What is published while a server
 can't be reached is kept on the disk and delivered later.
END
    echo /etc/martlet/martlet.yaml >"$root/DEBIAN/conffiles"
    local script
    for script in postinst prerm postrm; do install --mode=755 "packaging/$script" "$root/DEBIAN/$script"; done
    (cd "$root" && find etc usr -type f -print0 | sort -z | xargs -0 md5sum | grep -v ' etc/' >DEBIAN/md5sums)
}

program
system_files
completions
manual
documents
control
find "$root" -type d -exec chmod 755 {} +
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
package=$out/martlet_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz -z"${COMPRESSION_LEVEL:-6}" --build "$root" "$package" >/dev/null
rm -rf "$work"
echo "$package"
