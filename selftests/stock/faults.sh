#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# faults.sh - what a stock kernel with Debian's own modules makes of disks whose host fails, said in lines
# that begin with FAULT (69-storage-faults reads them).  The host is at the other end of its console:
# faults_host.sh.  There are busybox and, in /hyperv, modules/ with `order` and `disks`.
#	LUN 0	4 MiB on a device that gets errors, and waits
#	LUN 1	a raw file, LUN 2 a VHDX: of 16 MiB, where there is less space
set -u

m() { while read -r m; do insmod "/hyperv/modules/$m" || echo "FAULT insmod $m failed"; done; }
disk() { ls "/sys/bus/scsi/devices/0:0:0:$1/block" 2>/dev/null; }
hear() { echo "FAULT $1"; read -r _ </dev/console; }

load() {
	grep -v -e hv_sock -e vsock -e uio /hyperv/modules/order | m
	m </hyperv/modules/disks
	i=0
	until [ -b "/dev/$(disk 2)" ] || [ $i = 600 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}

# why NAME: what a program said last, of an error
why() { echo "FAULT $1: $(sed -n 's/^dd: .*: //p' /tmp/err | tail -n 1)"; }
# write_at LUN PIECE NAME [MORE]: 64 KiB of the pattern
write_at() {
	# shellcheck disable=SC2086
	dd if=/tmp/p of="/dev/$(disk "$1")" bs=64k skip=$(($2 % 64)) seek="$2" count=1 ${4:-oflag=direct} 2>/tmp/err &&
		echo "FAULT $3: good" || why "$3"
}

# all of LUN 0, piece by piece: how many are not there; the others are in /tmp/r
read_all() {
	dd if="/dev/$(disk 0)" of=/tmp/r bs=64k iflag=direct conv=noerror,sync 2>/tmp/err
	echo "FAULT $1: $(grep -c 'No data available' /tmp/err) errors"
}
same_before() { cmp -n 1048576 /tmp/p /tmp/r; }
same_behind() { cmp /tmp/p /tmp/r 1179648 1179648; }

errors() {
	d=/dev/$(disk 0)
	dd if=/dev/urandom of=/tmp/p bs=64k count=64 2>/dev/null
	dd if=/tmp/p of="$d" bs=64k oflag=direct 2>/dev/null && sync "$d"
	hear "written"
	read_all "some fail"
	same_before && same_behind && echo "FAULT the others are right"
	write_at 0 17 "a write there"
	write_at 0 17 "by the page cache" conv=fsync
	write_at 0 18 "a write behind them"
	hear "has errors"
	read_all "none fails"
	cmp /tmp/p /tmp/r && echo "FAULT all is as it was"
	write_at 0 17 "a write is right again"
	hear "has none"
}

# a write that waits
waits() {
	dd if=/dev/urandom of=/tmp/q bs=64k count=1 2>/dev/null
	echo "FAULT writes"
	dd if=/tmp/q of="/dev/$(disk 0)" bs=64k seek=5 oflag=direct conv=notrunc 2>/tmp/err && echo "FAULT it has waited" || why "it waits"
	dd if="/dev/$(disk 0)" bs=64k skip=5 count=1 iflag=direct 2>/dev/null | cmp - /tmp/q && echo "FAULT and is right"
}

# fill LUN: until there is no space, then all; what was written stays
fill() {
	d=/dev/$(disk "$1") n=0
	while dd if=/tmp/p of="$d" bs=256k skip=$((n % 16)) seek=$n count=1 oflag=direct conv=notrunc 2>/tmp/err; do
		n=$((n + 1))
		[ $n -lt 64 ] || break
	done
	why "full $1"
	[ $n -gt 2 ] && [ $n -lt 64 ] && echo "FAULT some fit on $1"
	right "$1" $n && echo "FAULT what fits on $1 is right"
	write_at "$1" 5 "again on $1"
	hear "is full $1"
	while [ $n -lt 64 ]; do
		dd if=/tmp/p of="$d" bs=256k skip=$((n % 16)) seek=$n count=1 oflag=direct conv=notrunc 2>/tmp/err || { why "more on $1"; break; }
		n=$((n + 1))
	done
	sync "$d" && right "$1" 64 && echo "FAULT all is on $1"
	echo "FAULT sum $1 $(md5sum <"$d" | cut -d ' ' -f 1)"
}
# right LUN N: so many pieces of it
right() {
	i=0
	while [ $i -lt "$2" ]; do
		[ $(($2 - i)) -lt 16 ] && k=$(($2 - i)) || k=16
		dd if="/dev/$(disk "$1")" bs=256k skip=$i count=$k iflag=direct 2>/dev/null | cmp -n $((k * 262144)) - /tmp/p || return
		i=$((i + k))
	done
}

load
errors
waits
fill 1
fill 2
dmesg | grep -i -E 'BUG:|Oops|Call Trace|lockup|stall|hung|WARNING: (CPU|.* at )|Device offlined|rejecting I/O' | sed 's/^/FAULT complaint /'
echo "FAULT ends"
