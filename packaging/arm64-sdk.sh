#!/usr/bin/env bash
# arm64-sdk.sh FOLDER: a Swift that runs here and builds for arm64, made of Debian's packages alone.
#
#   FOLDER/host     Debian unstable for this machine, with its Swift: compiler, package manager, linker
#   FOLDER/sysroot  Debian 12 for arm64, headers and libraries, and the arm64 libraries of that Swift
#
# arm64-sdk.sh FOLDER build [arguments of swift build]: builds this project with it, into .build-arm64.
#
# Wants root and mmdebstrap, takes some minutes and 4.5 GB. Debian unstable moves: the version of the day is printed.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)}
# A folder with copies of the packages, for where their addresses can't be reached.
copies=${SWIFT_PACKAGES:-}
export copies top

# Unpacks packages and runs none of their scripts, so that nothing of arm64 has to run here.
unpack() { # ARCHITECTURE SUITE FOLDER PACKAGES
    mmdebstrap -q --mode=root --arch="$1" --variant=extract --include="$4" --format=directory \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$2" "$3" "deb $mirror $2 main"
}

# Runs a command in the compiler's world, with mounts that nobody else sees.
inside() {
    unshare -m bash -c '
        folder=$1
        mkdir -p $folder/host/{sysroot,copies,src,proc,dev,tmp}
        mount --bind $folder/sysroot $folder/host/sysroot
        mount -t proc proc $folder/host/proc
        mount --bind /dev $folder/host/dev
        # Names and certificates, for the packages that come over https.
        mkdir -p $folder/host/etc/ssl/certs && touch $folder/host/etc/resolv.conf
        [ ! -d /etc/ssl/certs ] || mount --bind /etc/ssl/certs $folder/host/etc/ssl/certs
        [ ! -e /etc/resolv.conf ] || mount --bind /etc/resolv.conf $folder/host/etc/resolv.conf
        mount --bind "$top" $folder/host/src
        [ -z "$copies" ] || mount --bind "$copies" $folder/host/copies
        exec chroot $folder/host /usr/bin/env -i HOME=/root ${https_proxy:+https_proxy=$https_proxy} PATH=/usr/libexec/swift/bin:/usr/bin:/bin LANG=C.UTF-8 bash -c "$2"
    ' _ "$folder" "$1"
}

if [[ ${2-} == build ]]; then
    shift 2
    printf '[safe]\n\tdirectory = *\n' >"$folder/host/root/.gitconfig"
    [[ -z $copies ]] || printf '[url "/copies/"]\n\tinsteadOf = https://github.com/\n' >>"$folder/host/root/.gitconfig"
    inside "cd /src && swift build --configuration release --static-swift-stdlib --disable-local-rpath \
        --swift-sdk debian-arm64 --scratch-path .build-arm64 -Xlinker /usr/local/lib/glibc-2.38-names.o $*"
    exit
fi

for part in host sysroot libraries; do rm -rf "${folder:?}/$part"; done
unpack amd64 sid "$folder/host" swiftlang,libc6-dev,gcc,g++,binutils,git,dash,bash,coreutils,libc-bin,base-files,sed,grep,tar,gzip,pkg-config
unpack arm64 bookworm "$folder/sysroot" \
    libc6-dev,libstdc++-12-dev,libgcc-12-dev,linux-libc-dev,libudev-dev,libyaml-dev,nettle-dev
unpack arm64 sid "$folder/libraries" swiftlang,libswiftlang
for link in bin sbin lib lib64; do [[ -e $folder/host/$link ]] || ln -s "usr/$link" "$folder/host/$link"; done
mkdir -p "$folder/sysroot/usr/libexec/swift/lib"
mv "$folder"/libraries/usr/libexec/swift/lib/{swift,swift_static,clang} "$folder/sysroot/usr/libexec/swift/lib/"
rm -rf "$folder/libraries"
ln -sfn ../libexec/swift/lib/swift "$folder/sysroot/usr/lib/swift"
ln -sfn ../libexec/swift/lib/swift_static "$folder/sysroot/usr/lib/swift_static"
# Absolute links lead nowhere inside a sysroot, and the linker then takes the static library instead.
(cd "$folder/sysroot" && find usr/lib lib -type l -lname '/*' | while read -r link; do
    ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" ".$(readlink "$link")")" "$link"
done)

bundle=$folder/host/root/.swiftpm/swift-sdks/debian-arm64.artifactbundle
mkdir -p "$bundle/v" "$folder/host/usr/local/lib"
cat >"$bundle/info.json" <<'J'
{"schemaVersion":"1.0","artifacts":{"debian-arm64":{"type":"swiftSDK","version":"1","variants":[{"path":"v","supportedTriples":["x86_64-unknown-linux-gnu","x86_64-pc-linux-gnu"]}]}}}
J
cat >"$bundle/v/swift-sdk.json" <<'J'
{"schemaVersion":"4.0","targetTriples":{"aarch64-unknown-linux-gnu":{"sdkRootPath":"/sysroot","swiftResourcesPath":"/sysroot/usr/lib/swift","swiftStaticResourcesPath":"/sysroot/usr/lib/swift_static","toolsetPaths":["toolset.json"]}}}
J
cat >"$bundle/v/toolset.json" <<'J'
{"schemaVersion":"1.0","rootPath":"/usr/libexec/swift/bin","swiftCompiler":{"extraCLIOptions":["-use-ld=lld","-Xclang-linker","--sysroot=/sysroot"]},"linker":{"path":"ld.lld"}}
J
# Names that glibc got in 2.38: the static libraries of unstable's Swift use them, and Debian 12's glibc lacks them.
cat >"$folder/host/tmp/names.c" <<'C'
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
long __isoc23_strtol(const char *s, char **e, int b) { return strtol(s, e, b); }
long long __isoc23_strtoll(const char *s, char **e, int b) { return strtoll(s, e, b); }
unsigned long __isoc23_strtoul(const char *s, char **e, int b) { return strtoul(s, e, b); }
unsigned long long __isoc23_strtoull(const char *s, char **e, int b) { return strtoull(s, e, b); }
int __isoc23_sscanf(const char *s, const char *f, ...) { va_list a; va_start(a, f); int r = vsscanf(s, f, a); va_end(a); return r; }
size_t strlcpy(char *d, const char *s, size_t n) {
    size_t l = strlen(s);
    if (n) { size_t k = l < n - 1 ? l : n - 1; memcpy(d, s, k); d[k] = 0; }
    return l;
}
size_t strlcat(char *d, const char *s, size_t n) { size_t k = strnlen(d, n); return k == n ? n + strlen(s) : k + strlcpy(d + k, s, n - k); }
C
inside 'ldconfig 2>/dev/null
    clang --target=aarch64-unknown-linux-gnu --sysroot=/sysroot -O2 -fPIC -std=gnu11 -c /tmp/names.c \
        -o /usr/local/lib/glibc-2.38-names.o && swift --version 2>&1 | head -n 1'
