#!/usr/bin/env bash
# vm-test.sh PACKAGE BINARY PYTHON [bench.py's options]: the checks of bench.py on a package and the binary that is in it.
#
# The machine is of the package's architecture. For another one than this machine's, build-deb.sh's RUNNABLE and STRIP are needed.
# The image is kept in .build/vm, and made again when Debian has another kernel or something here has changed.
set -euo pipefail
package=$(realpath "$1")
binary=$(realpath "$2")
python=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
architecture=$(dpkg-deb --field "$package" Architecture)
abi=$(bash "$here/kernel.sh")
root=()
[[ $EUID -eq 0 ]] || root=(sudo)
key=$(cat <(echo "$abi") "$here"/{build-image.sh,agent,agent.service,gpio-chip,gpio-chip.service,pwm-sim.c} | sha256sum | cut -c1-12)
image=.build/vm/$architecture-$key
if [[ ! -f $image/ready ]]; then
    if [[ $architecture == amd64 && ! -d /usr/src/linux-headers-$abi ]]; then
        # gpio-sim is built for this very kernel.
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "linux-headers-$abi" >/dev/null
    fi
    "${root[@]}" rm -rf .build/vm/"$architecture"-*
    "${root[@]}" bash "$here/build-image.sh" "$image" "$architecture"
    "${root[@]}" touch "$image/ready"
fi
next=$(mktemp -d)
trap 'rm -rf "$next"' EXIT
# The same with a higher version; packed in a hurry.
higher=$(COMPRESSION_LEVEL=0 packaging/build-deb.sh "$binary" "$next" "$architecture" +next)
"$python" "$here/bench.py" --image "$image" --package "$package" --next "$higher" --architecture "$architecture" \
    --console ".build/vm/$architecture-console.log" "$@"
