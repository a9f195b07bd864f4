#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# fs.sh - a stock kernel with Debian's own modules and programs uses its disks hard, said in lines that
# begin with FS (69-storage-fs reads them): blocks.c on each, then filesystems, with files.c on each of them.
# There are busybox, /stock/blocks and /stock/files; in /hyperv, modules/ with `order` and `disks`; in /fs,
# modules with `order`, and bin/.
set -u

m() { while read -r m; do insmod "$1/$m" 2>/tmp/err || grep -q 'File exists' /tmp/err || echo "FS insmod $m failed"; done; }
disk() { ls "/sys/bus/scsi/devices/0:0:0:$1/block" 2>/dev/null; }

load() {
	grep -v -e hv_sock -e vsock -e uio /hyperv/modules/order | m /hyperv/modules
	m /hyperv/modules </hyperv/modules/disks
	m /fs </fs/order
	i=0
	until [ -b "/dev/$(disk 1)" ] || [ $i = 600 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	mkdir -p /mnt
}

# blocks LUN: each way with its depth, sectors of a request, and how many
blocks() {
	while read -r way; do
		# shellcheck disable=SC2086
		echo "FS $1 $way: $(/stock/blocks "/dev/$(disk "$1")" 7 $way 2>&1)"
	done <<-W
	sync 1 1 60
	aio 32 0 200
	uring 16 8 300
	aio 64 64 300
	uring 64 0 200
	uring 4 2048 12
	W
}

make() {
	case $1 in
	ext4)	mkfs.ext4 -F -q "$2" ;;
	xfs)	mkfs.xfs -f -q "$2" ;;
	btrfs)	mkfs.btrfs -f -q "$2" ;;
	esac
}

check() {
	case $1 in
	ext4)	e2fsck -f -n "$2" ;;
	xfs)	xfs_repair -n "$2" ;;
	btrfs)	btrfs check "$2" ;;
	esac
}

sums() { (cd /mnt && md5sum [0-9] | md5sum); }

# filesystem LUN TYPE
filesystem() {
	d=/dev/$(disk "$1")
	make "$2" "$d" >/tmp/log 2>&1 || { echo "FS $1 $2 is not made: $(tail -n 1 /tmp/log)"; return; }
	mount -t "$2" "$d" /mnt || { echo "FS $1 $2 is not mounted"; return; }
	echo "FS $1 $2: $(/stock/files /mnt/file 3 250)"
	for i in 1 2 3 4; do dd if=/dev/urandom of=/mnt/$i bs=64k count=$((i * 8)) 2>/dev/null; done
	was=$(sums)
	umount /mnt
	mount -t "$2" "$d" /mnt && [ "$(sums)" = "$was" ] && echo "FS $1 $2 has its files"
	rm /mnt/2 /mnt/3
	fstrim /mnt && echo "FS $1 $2 is trimmed"
	umount /mnt
	check "$2" "$d" >/tmp/log 2>&1 && echo "FS $1 $2 is clean" || sed "s/^/FS $1 $2 check: /" /tmp/log
}

PATH=$PATH:/fs/bin
load
for lun in 0 1; do
	blocks $lun
	for type in ext4 xfs btrfs; do filesystem $lun $type; done
done
dmesg | grep -i -E 'BUG:|Oops|Call Trace|lockup|stall|hung|timed out|WARNING: (CPU|.* at )|I/O error|corrupt|(storvsc|sd [0-9:]*|scsi)\b.*\b(failed|error|abort|reset)\b' |
	sed 's/^/FS complaint /'
echo "FS ends"
