#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# live.sh - what a stock kernel with Debian's own modules makes of disks that are limited, come, grow and go, and of
# discs that change, while it runs, said in lines that begin with LIVE (69-storage-live reads them).  There are
# busybox, /stock/scsi and, in /hyperv, modules/ with `order`, `disks` and `dvds`.
set -u

m() { while read -r m; do insmod "/hyperv/modules/$m" || echo "LIVE insmod $m failed"; done; }

lun() { echo "/sys/bus/scsi/devices/0:0:0:$1"; }

# within COMMAND...: it becomes true, within two minutes
within() {
	i=0
	until "$@" 2>/dev/null || [ $i = 1200 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	[ $i -lt 1200 ]
}

named() { n=$(ls "$(lun "$1")/block") && [ -b "/dev/$n" ]; }
# dev LUN: its file
dev() {
	within named "$1" || echo "LIVE LUN $1 failed to come" >/dev/console
	echo "/dev/$(ls "$(lun "$1")/block")"
}

gone() { [ ! -e "$(lun "$1")" ]; }
goes() { within gone "$1" && echo "LIVE $1 is gone"; }

sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# told WHAT COMMAND...: what it says, in one line
told() {
	what=$1
	shift
	echo "LIVE $what $("$@" 2>&1 | tr -s ' \n' ' ' | sed 's/ $//')"
}

# the host does what NAME stands for
hear() {
	echo "LIVE waits $1"
	read -r _ </dev/console
}

# direct IF COUNT: blocks of 4096, one after the other, not from a cache
direct() { dd if="$1" of=/dev/null bs=4096 count="$2" iflag=direct 2>/dev/null; }

# readers N COUNT: so many of LUN 1
readers() {
	i=0
	while [ $i -lt "$1" ]; do
		(direct "$b" "$2" && echo "LIVE reader ends well" || echo "LIVE reader fails") &
		i=$((i + 1))
	done
}

limits() {
	hear limit
	readers 1 5
	direct "$a" 50 && echo "LIVE others are read"
	wait
	hear limited
	readers 4 40
	hear moved
	wait
}

# until /tmp/stop is there
load() { while [ ! -e /tmp/stop ]; do dd if=/dev/zero of="$a" bs=64k count=16 oflag=direct conv=notrunc 2>/dev/null; done; }

has_size() { [ "$(cat "$(lun 8)/block/"*/size)" = "$1" ]; }

come() {
	load &
	hear attached
	n=$(dev 7) c=$(dev 8)
	echo "LIVE new $(sum "$n")"
	echo "LIVE chain $(dd if="$c" bs=1M count=4 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
	dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
	dd if=/tmp/data of="$c" bs=1M seek=2 conv=notrunc 2>/dev/null || echo "LIVE write failed"
	hear larger
	within has_size 131072 && echo "LIVE it is larger"
	told "new space" sh -c "dd if=$c bs=1M skip=32 count=32 2>/dev/null | tr -d '\\0' | wc -c"
	dd if=/tmp/data of="$c" bs=1M seek=63 conv=notrunc 2>/dev/null || echo "LIVE write failed"
	sync "$c" || echo "LIVE sync failed"
	echo "LIVE data $(sum /tmp/data)"
	touch /tmp/stop
	wait
}

go() {
	(while [ -b "$n" ] && dd if=/dev/zero of="$n" bs=64k count=4 oflag=direct conv=notrunc 2>/dev/null; do :; done
	echo "LIVE load has lost its disk") &
	hear detached
	goes 7
	wait
	hear slow
	readers 3 200
	hear detached-slow
	goes 1
	wait
}

disc() {
	mount -t iso9660 -o ro "$d" /mnt || echo "LIVE mount failed"
	echo "LIVE disc $(sum /mnt/file)"
}

discs() {
	disc
	# one that is opened is asked for events by the kernel
	exec 4<"$d"
	hear kept
	told event /stock/scsi 4 4a010000100000000800 in=8
	exec 4<&-
	told "still there" /stock/scsi "$d" 000000000000
	umount /mnt
	hear inserted
	disc
	hear forced
	told ejected /stock/scsi "$d" 000000000000
	umount /mnt
	hear empty
	told "still empty" /stock/scsi "$d" 000000000000
	hear back
	disc
	umount /mnt
}

count() { grep -l '^0' /sys/bus/scsi/devices/*:*/type | wc -l; }
has_count() { [ "$(count)" = "$1" ] && [ "$(ls -d /dev/sd* | wc -l)" = "$1" ]; }

many() {
	hear many
	within has_count 64
	echo "LIVE disks $(count) controllers $(ls -d /sys/class/scsi_host/* | wc -l)"
	for s in /dev/sd*; do head -c 8 "$s" | grep '^mark'; done | sort -u | wc -l | sed 's/^/LIVE marks /'
	hear moved-many
	for s in /dev/sd*; do dd if="$s" bs=4096 count=1 skip=1 iflag=direct 2>/dev/null | grep '^again'; done |
		sort -u | wc -l | sed 's/^/LIVE marks again /'
}

mkdir -p /mnt
# what is lost is not told in the middle of our lines
dmesg -n 1
grep -v -e hv_sock -e vsock -e uio /hyperv/modules/order | m
m </hyperv/modules/disks
m </hyperv/modules/dvds
a=$(dev 0) b=$(dev 1) d=$(dev 5)
limits
come
go
discs
many
dmesg | grep -i -E 'BUG:|Oops|Call Trace|lockup|stall|hung|timed out|WARNING: (CPU|.* at )' | sed 's/^/LIVE complaint /'
echo "LIVE ends"
