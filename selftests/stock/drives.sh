#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# drives.sh - what a stock kernel with Debian's own modules makes of disks with sectors of 4096 bytes and of DVD
# drives on the VMBus, said in lines that begin with DRIVE (69-drives reads them).  There are busybox, /stock/scsi
# and, in /hyperv, modules/ with `order`, `disks` and `dvds`.
set -u

m() { while read -r m; do insmod "/hyperv/modules/$m" || echo "DRIVE insmod $m failed"; done; }

# dev LUN: its file, within a minute
dev() {
	i=0
	until n=$(ls "/sys/bus/scsi/devices/0:0:0:$1/block" 2>/dev/null) && [ -b "/dev/$n" ] || [ $i = 600 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	echo "/dev/$n"
}

sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# told WHAT COMMAND...: what it says, in one line
told() {
	what=$1
	shift
	echo "DRIVE $what $("$@" 2>&1 | tr -s ' \n' ' ' | sed 's/ $//')"
}
scsi() { /stock/scsi "$@"; }

report() {
	for at in /sys/bus/scsi/devices/*:*:*:*; do
		q=/sys/block/$(ls "$at/block")
		echo "DRIVE at ${at##*/} type $(cat "$at/type") $(tr -s ' ' <"$at/model")sectors $(cat "$q/queue/logical_block_size") $(cat "$q/queue/physical_block_size") size $(cat "$q/size") removable $(cat "$q/removable")"
	done
}

large() {
	told "blockdev" sh -c "blockdev --getss $a; blockdev --getsize64 $a"
	dd if=/dev/urandom of=/tmp/new bs=64k count=8 2>/dev/null
	told "last" scsi "$a" 280000001fff00000100 in=4096
	told "behind it" scsi "$a" 28000000200000000100 in=4096
	mke2fs -F -b 4096 "$a" 28000 >/dev/null 2>&1 || echo "DRIVE mke2fs failed"
	mount -t ext4 "$a" /mnt || echo "DRIVE mount failed"
	cat /tmp/new /tmp/new >/mnt/file
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	mount -t ext4 "$a" /mnt
	echo "DRIVE file $(sum /mnt/file)"
	umount /mnt
	# sector 8100, behind the filesystem: what is there becomes something else, but once
	(dd if="$a" bs=4096 skip=8100 count=1; head -c 4096 /tmp/new) 2>/dev/null >/tmp/pair
	told "swaps" scsi "$a" 89000000000000001fa4000000010000 out=8192 </tmp/pair
	told "not again" scsi "$a" 89000000000000001fa4000000010000 out=8192 </tmp/pair
}

image() {
	dd if=/tmp/new of="$b" bs=4096 seek=77 oflag=direct conv=notrunc 2>/dev/null
	sync "$b"
	echo "DRIVE image $(sum /tmp/new)"
}

cache() {
	c=$(ls -d /sys/bus/scsi/devices/0:0:0:0/scsi_disk/*)
	echo "write through" >"$c/cache_type" && told "cache" cat "$c/cache_type"
	dd if=/tmp/new of="$a" bs=4096 count=16 seek=8000 oflag=direct conv=notrunc 2>/dev/null || echo "DRIVE write failed"
	echo "write back" >"$c/cache_type" && told "cache" cat "$c/cache_type"
}

# reserve ACTION TYPE KEY NEW-KEY
reserve() {
	key='\\0\\0\\0\\0\\0\\0\\0\\%o'
	# shellcheck disable=SC2059  # a byte is written by its number
	printf "$(printf "$key$key" "$3" "$4")\\0\\0\\0\\0\\0\\0\\0\\0" |
		scsi "$a" "5f0${1}0${2}00000000001800" out=24
}

disc() {
	mount -t iso9660 -o ro "$d" /mnt || echo "DRIVE mount of the disc failed"
	echo "DRIVE disc $(sum /mnt/file)"
	touch /mnt/x 2>/dev/null || echo "DRIVE disc takes no file"
	told "locked" scsi "$d" 1b0000000200
	umount /mnt
}

tray() {
	told "profile" scsi "$d" 46020000000000001000 in=16
	told "contents" scsi "$d" 43000000000000001400 in=20
	told "ejected" scsi "$d" 1b0000000200
	told "tray is open" scsi "$d" 000000000000
	mount -t iso9660 -o ro "$d" /mnt 2>/dev/null && echo "DRIVE mounted what is not there"
	told "event" scsi "$d" 4a010000100000000800 in=8
}

mkdir -p /mnt
grep -v -e hv_sock -e vsock -e uio /hyperv/modules/order | m
m </hyperv/modules/disks
m </hyperv/modules/dvds
a=$(dev 0) b=$(dev 2) d=$(dev 5) e=$(dev 6)
dev 1 >/dev/null
# a tray stays open until somebody closes it
echo 0 >/proc/sys/dev/cdrom/autoclose
report
large
image
cache
disc
tray
told "empty" scsi "$e" 000000000000
told "registers" reserve 0 0 0 9
told "reserves" reserve 1 5 9 0
echo "DRIVE waits"
read -r _ </dev/console
# moved: all is as it was
told "reservation" scsi "$a" 5e010000000000004000 in=64
told "another" reserve 1 6 9 0
told "released" reserve 2 5 9 0
told "still open" scsi "$d" 000000000000
told "loaded" scsi "$d" 1b0000000300
disc
dmesg | grep -i -E 'BUG:|Oops|Call Trace|lockup|stall|hung|timed out|WARNING: (CPU|.* at )|I/O error|(storvsc|s[dr] [0-9:]*|scsi)\b.*\b(failed|error|abort|reset)\b' |
	sed 's/^/DRIVE complaint /'
echo "DRIVE ends"
