#!/usr/bin/env bash
# kernel.sh: the release of Debian's newest kernel, as in 6.1.0-40-amd64. The cloud kernels have neither GPIO nor USB.
set -euo pipefail
apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: linux-image-//p' | head -n 1
