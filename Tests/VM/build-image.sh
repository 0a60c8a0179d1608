#!/usr/bin/env bash
# build-image.sh FOLDER [ARCHITECTURE]: what a virtual machine boots, made of Debian's packages alone.
#
#   FOLDER/vmlinux      Debian's kernel; for amd64 unpacked: QEMU enters it directly, which saves seconds of unpacking
#   FOLDER/initrd.gz    finds the disk and starts systemd
#   FOLDER/disk.ext4    Debian 12 with systemd, udev and apt, gpio-sim, and an agent that does what the tests ask for
#
# For arm64 there is no gpio-sim: building it takes a compiler of its own, and QEMU's board has a chip (PL061).
# Wants root, and the packages that the Makefile names in VM_PACKAGES. On the machine itself nothing is changed.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)}
architecture=${2:-amd64}
suites=("deb $mirror bookworm main" "deb $mirror-security bookworm-security main")
began=$SECONDS
say() {
    echo "image: $1 ($((SECONDS - began)) s)"
    began=$SECONDS
}

unpack_kernel() {
    local abi series
    abi=$(bash "$source/kernel.sh")
    series=$(cut -d. -f1-2 <<<"$abi")
    rm -rf kernel && mkdir kernel
    (cd kernel && apt-get -q -o APT::Sandbox::User=root download "linux-image-$abi" "linux-source-$series" >/dev/null)
    dpkg-deb -x kernel/linux-image-*.deb kernel/image
    python3 - "kernel/image/boot/vmlinuz-$abi" vmlinux <<'P'
import lzma, sys
packed = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(lzma.LZMADecompressor().decompress(packed[packed.find(b"\xfd7zXZ\x00"):]))
P
}

# With its busybox, since this machine's is for another processor.
unpack_foreign_kernel() {
    rm -rf kernel && mkdir kernel
    mmdebstrap -q --mode=root --arch="$architecture" --variant=extract --include="linux-image-$architecture,busybox-static" \
        --dpkgopt='path-exclude=/usr/share/*' --aptopt='Acquire::Check-Valid-Until "false"' --format=directory \
        bookworm kernel/image "${suites[@]}"
    cp kernel/image/boot/vmlinuz-* vmlinux
    busybox=kernel/image/bin/busybox
}

# Debian's kernel has no gpio-sim: it is built from Debian's source of the kernel. Its interrupts (irq_sim) are off there,
# too, and come in with it.
build_gpio_sim() {
    local top
    top=linux-source-$(cut -d. -f1-2 <<<"$abi")
    mkdir kernel/gpio-sim
    # tar ends as soon as it has the three files, and whoever writes to it then fails.
    set +o pipefail
    dpkg-deb --fsys-tarfile kernel/linux-source-*.deb 2>/dev/null | tar -xOf - "./usr/src/$top.tar.xz" |
        tar --occurrence=1 -xJf - -C kernel/gpio-sim --strip-components=3 \
            "$top/drivers/gpio/gpio-sim.c" "$top/drivers/gpio/gpiolib.h" "$top/kernel/irq/irq_sim.c" 2>/dev/null
    set -o pipefail
    cd kernel/gpio-sim
    mv gpio-sim.c gpio-sim-core.c
    # irq_to_desc itself is not exported.
    printf '%s\n' '#include <linux/irq.h>' '#include <linux/irqdesc.h>' \
        '#define irq_to_desc(n) irq_data_to_desc(irq_get_irq_data(n))' >names.h
    cp "$source/pwm-sim.c" .
    printf '%s\n' 'obj-m := gpio-sim.o pwm-sim.o' 'gpio-sim-y := gpio-sim-core.o irq_sim.o' \
        'CFLAGS_irq_sim.o := -include $(src)/names.h' >Makefile
    make -s -C "/usr/src/linux-headers-$abi" M="$PWD" modules 2>&1 | grep -v 'BTF generation' || true
    strip -g gpio-sim.ko pwm-sim.ko
    cd ../..
    cp kernel/gpio-sim/{gpio,pwm}-sim.ko "$modules/kernel/drivers/gpio/"
    depmod -b kernel/image "$abi"
}

install_debian() {
    rm -rf root && mkdir root
    mmdebstrap -q --mode=root --variant=essential \
        --include="systemd,systemd-sysv,udev,kmod,apt,iproute2,${VM_DEPENDS:-libyaml-0-2,libnettle8,libudev1,libstdc++6}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Check-Valid-Until "false"' --format=directory \
        bookworm root "${suites[@]}"
    # What the man page and the documentation are is looked at in the package; a lean image would not even unpack them.
    rm -f root/etc/dpkg/dpkg.cfg.d/*mmdebstrap*
}

# Unpacked here, set up by the machine itself at its first start: nothing of another processor runs here.
install_foreign_debian() {
    rm -rf root
    debootstrap --foreign --arch="$architecture" --variant=minbase \
        --include="systemd,systemd-sysv,udev,kmod,iproute2,${VM_DEPENDS:-libyaml-0-2,libnettle8,libudev1,libstdc++6}" \
        bookworm root "$mirror" >debootstrap.log
}

add_modules() {
    mkdir -p "root/lib/modules/$abi/kernel"
    (cd "$modules/kernel" && tar -cf - drivers/usb drivers/gpio drivers/virtio drivers/tty drivers/block/virtio_blk.ko \
        drivers/net/virtio_net.ko drivers/net/net_failover.ko net/core/failover.ko drivers/i2c drivers/hwmon \
        drivers/base fs/configfs fs/ext4 fs/jbd2 \
        fs/mbcache.ko fs/9p fs/netfs fs/fscache net/9p fs/fuse fs/overlayfs fs/autofs crypto lib) |
        tar -xf - -C "root/lib/modules/$abi/kernel"
    cp "$modules"/modules.{builtin,builtin.modinfo,order} "root/lib/modules/$abi/"
    depmod -b root "$abi"
}

set_up_debian() {
    echo bench >root/etc/hostname
    echo 0123456789abcdef0123456789abcdef >root/etc/machine-id
    mkdir -p root/{mnt/work,usr/local/sbin,etc/modules-load.d} \
        root/etc/systemd/{system/multi-user.target.wants,system-generators}
    echo 'work /mnt/work 9p trans=virtio,version=9p2000.L,msize=262144,ro 0 0' >root/etc/fstab
    printf '%s\n' 9pnet_virtio 9p configfs gpio-sim pwm-sim virtio_net >root/etc/modules-load.d/bench.conf
    ln -s /dev/null root/etc/systemd/system-generators/systemd-getty-generator
    # What a machine without people and without a past has no use for: each costs emulated time.
    local unit
    for unit in getty.target getty@tty1.service getty-static.service systemd-user-sessions.service \
        systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
        systemd-journal-flush.service systemd-tmpfiles-clean.timer systemd-pstore.service systemd-hwdb-update.service \
        ldconfig.service systemd-firstboot.service modprobe@dm_mod.service modprobe@loop.service modprobe@fuse.service \
        modprobe@drm.service modprobe@efi_pstore.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
        sys-kernel-tracing.mount kmod-static-nodes.service e2scrub_reap.service e2scrub_all.timer fstrim.timer \
        dpkg-db-backup.timer apt-daily.timer apt-daily-upgrade.timer; do
        ln -sf /dev/null "root/etc/systemd/system/$unit"
    done
    install -m 755 "$source/agent" root/usr/local/sbin/bench-agent
    install -m 644 "$source/agent.service" root/etc/systemd/system/bench-agent.service
    install -m 755 "$source/gpio-chip" root/usr/local/sbin/gpio-chip
    install -m 644 "$source/gpio-chip.service" root/etc/systemd/system/gpio-chip.service
    ln -s ../bench-agent.service ../gpio-chip.service root/etc/systemd/system/multi-user.target.wants/
    ln -sf /lib/systemd/system/multi-user.target root/etc/systemd/system/default.target
    touch root/etc/.updated root/var/.updated
}

# With a journal: power is cut, and files must be as a real machine would find them.
make_disk() {
    rm -f disk.ext4
    truncate -s 900M disk.ext4
    mke2fs -q -F -t ext4 -m 0 -d root disk.ext4
}

make_initrd() {
    rm -rf initrd && mkdir -p initrd/{bin,m,proc,sys,dev,new}
    cp "$busybox" initrd/bin/
    local module
    for module in virtio_pci virtio_blk crc32c_generic ext4; do
        modprobe -d "$folder/kernel/image" -S "$abi" --show-depends "$module"
    done | awk '/^insmod/ && !/crc32c-intel/ && !seen[$2]++ { print $2 }' | while read -r module; do
        cp "$module" "initrd/m/${module##*/}"
        echo "${module##*/}"
    done >initrd/m/list
    cat >initrd/init <<'I'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for m in $($b cat /m/list); do $b insmod /m/$m; done
n=0; while [ ! -b /dev/vda ] && [ $n -lt 100 ]; do $b sleep 0.05; n=$((n+1)); done
$b mount -t ext4 -o rw,noatime /dev/vda /new || { echo "no disk"; $b poweroff -f; }
if [ -x /new/debootstrap/debootstrap ]; then
    $b mount -t proc proc /new/proc
    PATH=/usr/sbin:/usr/bin:/sbin:/bin $b chroot /new /debootstrap/debootstrap --second-stage
    $b umount /new/proc; $b mount -o remount,ro /new; $b sync; $b poweroff -f
fi
$b umount /proc; $b umount /sys; $b mount --move /dev /new/dev
exec $b switch_root /new /lib/systemd/systemd
I
    chmod +x initrd/init
    (cd initrd && find . | cpio -o -H newc --quiet) | gzip -1 >initrd.gz
}

# The machine's first start: Debian's packages are set up, each by its own scripts.
first_start() {
    timeout 3600 qemu-system-aarch64 -accel tcg -machine virt -cpu cortex-a72 -smp 2 -m 1024 -nodefaults -display none \
        -serial file:first-start.log -kernel vmlinux -initrd initrd.gz -append "console=ttyAMA0 panic=-1 quiet loglevel=3" \
        -drive file=disk.ext4,if=none,id=disk,format=raw,cache=unsafe -device virtio-blk-pci,drive=disk
    grep -q 'Base system installed successfully' first-start.log || { tail -n 20 first-start.log >&2; exit 1; }
}

cd "$folder"
busybox=/bin/busybox
if [[ $architecture == amd64 ]]; then unpack_kernel; else unpack_foreign_kernel; fi
abi=$(ls kernel/image/lib/modules)
modules=kernel/image/lib/modules/$abi
say "kernel $abi"
if [[ $architecture == amd64 ]]; then
    build_gpio_sim
    say "gpio-sim"
    install_debian
else
    depmod -b kernel/image "$abi"
    install_foreign_debian
fi
add_modules
set_up_debian
say "Debian 12"
make_disk
say "disk of $(du -m disk.ext4 | cut -f1) MB"
make_initrd
say "initrd"
if [[ $architecture != amd64 ]]; then
    first_start
    say "first start"
fi
rm -rf kernel initrd root
