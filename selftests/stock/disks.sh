#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# disks.sh WHAT... - what a stock kernel with Debian's own modules makes of disks on the VMBus,
# said in lines that begin with DISK (69-storage reads them).  WHAT, in turn:
#	load		the modules, in order; goes on when LUN 0 is there
#	report		disks as its sysfs has them, what the kernel complains of
#	copy		each disk's sum; LUN 0 and 3 are written to, read, compared; LUN 5 cannot be
#	filesystem	ext2 on LUN 2: written, mounted anew, compared, deleted, trimmed
#	flood		LUN 1 and 4 are written to by several at a time, and go on being that
#	hear		goes on when its console gets a line
#	sums		of LUN 1, 3 and 4
#	channels	that the controller has, and those that have brought something
#	count		one number after the other to LUN 2, each flushed and then said
#	reload N	the driver out and in again, so many times
#	reset		the machine, unless it was reset before
# There are busybox and, in /hyperv, modules/ with `order` and `disks`.
set -u

m() { while read -r m; do insmod "/hyperv/modules/$m" || echo "DISK insmod $m failed"; done; }

# disk LUN: its name
disk() { ls "/sys/bus/scsi/devices/0:0:0:$1/block" 2>/dev/null; }

# there LUN: within a minute
there() {
	i=0
	until [ -b "/dev/$(disk "$1")" ] || [ $i = 600 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}

load() {
	grep -v -e hv_sock -e vsock -e uio /hyperv/modules/order | m
	m </hyperv/modules/disks
	there 0
	there 5
	there 4
}

# words of a page behind its head, without what is not printable
page() { dd if="$1" bs=1 skip=4 2>/dev/null | tr -cd ' -~'; }

# a line a disk: address, sectors, read-only, cache, discards, serial number
report() {
	for d in /sys/bus/scsi/devices/*:*:*:*; do
		b=$(ls "$d/block" 2>/dev/null) || { echo "DISK phantom $d"; continue; }
		q=$d/block/$b
		echo "DISK at ${d##*/} $(cat "$q/size") ro $(cat "$q/ro") cache $(cat "$d"/scsi_disk/*/cache_type | tr ' ' -) discard $([ "$(cat "$q/queue/discard_max_bytes")" = 0 ] && echo no || echo yes) rotates $(cat "$q/queue/rotational") $(page "$d/vpd_pg80")"
	done
	dmesg | grep -i -E 'unchecked MSR|BUG:|Oops|Call Trace|lockup|stall|hung|timed out|WARNING: (CPU|.* at )|I/O error|(storvsc|sd [0-9:]*|scsi)\b.*\b(failed|error|abort|reset)\b' |
		sed 's/^/DISK complaint /'
	echo "DISK report ends"
}

channels() {
	c=$(readlink -f "/sys/block/$(disk 0)")
	c=${c%%/host*}/channels
	echo "DISK channels $(ls "$c" | wc -l) busy $(cat "$c"/*/interrupts | grep -c -v '^0$')"
}

sum() { md5sum <"$1" | cut -d ' ' -f 1; }

# write_to LUN: at an odd sector, by the page cache, and around it
write_to() {
	d=/dev/$(disk "$1")
	dd if=/tmp/new of="$d" bs=512 seek=4097 conv=notrunc,fsync 2>/dev/null
	dd if=/tmp/new of="$d" bs=1M seek=12 oflag=direct conv=notrunc 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	dd if="$d" bs=512 skip=4097 count=2048 2>/dev/null | cmp - /tmp/new && echo "DISK what was written is read"
	dd if="$d" bs=1M skip=12 count=1 iflag=direct 2>/dev/null | cmp -n 1048576 - /tmp/new && echo "DISK directly, too"
}

copy() {
	r=/dev/$(disk 5)
	for n in 0 3 4 5; do echo "DISK sum $n $(sum "/dev/$(disk $n)")"; done
	dd if=/dev/urandom of=/tmp/new bs=64k count=16 2>/dev/null
	write_to 3
	write_to 0
	dd if=/tmp/new of="$r" bs=64k count=1 conv=fsync 2>/dev/null || echo "DISK 5 takes no writes"
	dd if="$d" bs=512 skip="$(cat "/sys/block/${d##*/}/size")" count=1 2>/dev/null | wc -c | sed 's/^/DISK behind the end /'
}

filesystem() {
	d=/dev/$(disk 2)
	mkdir -p /mnt
	mke2fs -F "$d" >/dev/null 2>&1 || echo "DISK mke2fs failed"
	mount -t ext4 -o nodiscard "$d" /mnt || { echo "DISK mount failed"; return; }
	for i in 1 2 3 4; do cat /tmp/new /tmp/new >/mnt/$i; done
	cat /mnt/1 /mnt/4 >/tmp/both
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	mount -t ext4 "$d" /mnt
	cat /mnt/1 /mnt/4 | cmp - /tmp/both && echo "DISK files are the same"
	sync
	echo "DISK full"
	read -r _ </dev/console
	rm /mnt/2 /mnt/3 /mnt/4
	sync
	fstrim /mnt && echo "DISK trimmed"
	# a flush: an image gives back space with one
	sync "$d"
	cat /mnt/1 | cmp -n 2097152 - /tmp/both && echo "DISK what was kept is the same"
	umount /mnt
	read -r _ </dev/console
}

flood() {
	writers=
	for i in 0 1 2 3; do
		d=/dev/$(disk $((i % 2 ? 4 : 1)))
		while :; do
			dd if=/tmp/new of="$d" bs=256k seek=$((i * 5)) oflag=direct conv=notrunc 2>/dev/null || exit
		done &
		writers="$writers $!"
	done
	sleep 2
	echo "DISK floods"
}

driver() {
	rmmod sd_mod
	rmmod hv_storvsc
	m </hyperv/modules/disks 2>/dev/null >&2
	there 0
}

reload() {
	n=0
	while [ $n -lt "$1" ]; do
		driver
		n=$((n + 1))
	done
	echo "DISK reloaded $n $(sum "/dev/$(disk 5)")"
}

# a byte that outlives a reset, of the clock's memory
cmos() {
	printf '\120' | dd of=/dev/port bs=1 seek=112 count=1 conv=notrunc 2>/dev/null
	dd if=/dev/port bs=1 skip=113 count=1 2>/dev/null | od -An -tu1 | tr -d ' '
}

reset() {
	if [ "$(cmos)" = 77 ]; then
		# shellcheck disable=SC2086
		kill $writers
		wait
		echo "DISK was reset"
		return
	fi
	printf '\120' | dd of=/dev/port bs=1 seek=112 count=1 conv=notrunc 2>/dev/null
	printf '\115' | dd of=/dev/port bs=1 seek=113 count=1 conv=notrunc 2>/dev/null
	reboot -f
}

# until somebody ends it
count() {
	d=/dev/$(disk 2) n=0
	while :; do
		n=$((n + 1))
		printf '%-511d\n' "$n" | dd of="$d" bs=512 seek=$((n * 701 % 40960)) conv=notrunc,fsync 2>/dev/null
		echo "DISK number $n"
	done
}

while [ $# -gt 0 ]; do
	case $1 in
	load|report|copy|filesystem|flood|reset|channels|count)	$1; shift ;;
	sums)	for n in 1 3 4; do echo "DISK end $n $(sum "/dev/$(disk $n)")"; done; shift ;;
	hear)	read -r _ </dev/console; shift ;;
	reload)	reload "$2"; shift 2 ;;
	*)	echo "DISK what? $1"; exit 2 ;;
	esac
done
