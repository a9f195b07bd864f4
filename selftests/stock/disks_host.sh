#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with six disks.  Prints what became of it: 69-storage reads that.
#	0	a raw file in memory
#	1	a raw file of ext4, read and written without a page cache
#	2	a dynamic VHDX in memory
#	3	a VHD of ext4
#	4	a differencing VHDX of ext4, and its parent
#	5	a block device that may only be read
# Then another one counts on LUN 2, and is killed.  The guest's part is disks.sh.
# usage: disks_host.sh APPEND APPEND-OF-THE-OTHER
append=$1
patience=300
. ./ask.sh

blocks() { stat -c %b "$1"; }
sum() { md5sum <"$1" | cut -d ' ' -f 1; }
# image_sum FILE: of the disk in it
image_sum() { rm -f /img/disk.raw; ovid disk convert "$1" /img/disk.raw && sum /img/disk.raw; }
# a console does not end with what it is told
say() {
	echo | ovid console g >/dev/null &
	sleep 1
	kill $!
}

modprobe loop; modprobe ext4
mkdir -p /img /ext
mount -t tmpfs -o size=400M none /img
truncate -s 120M /img/fs
mke2fs -F /img/fs >/dev/null 2>&1
losetup /dev/loop0 /img/fs && mount -t ext4 /dev/loop0 /ext || exit
truncate -s 20M /img/0
dd if=/dev/urandom of=/img/0 bs=1M count=2 conv=notrunc 2>/dev/null
truncate -s 16M /ext/1
dd if=/dev/urandom of=/img/5 bs=1M count=3 2>/dev/null
losetup -r /dev/loop1 /img/5
ovid disk create --block-size 1M /img/2.vhdx 20M
ovid disk convert /img/0 /ext/3.vhd
ovid disk convert --block-size 1M /img/0 /ext/parent.vhdx
ovid disk create --parent /ext/parent.vhdx --block-size 1M /ext/4.vhdx
echo "HOST sum 0 $(sum /img/0)"
echo "HOST sum 5 $(sum /img/5)"
parent=$(sum /ext/parent.vhdx)

ovid run --kernel vmlinux --initrd programs --memory 256M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --disk /img/0,serial=first --disk /ext/1 --disk /img/2.vhdx --disk /ext/3.vhd \
	--disk /ext/4.vhdx --disk /dev/loop1,ro,lun=5 --append "$append" || exit
ovid run --kernel vmlinux --disk /img/0 2>&1 | sed 's/^/HOST second /'
ovid run --kernel vmlinux --disk /ext/parent.vhdx 2>&1 | sed 's/^/HOST third /'
# talk BOOT: each boot of the guest waits at the same places
talk() {
	seen 'DISK full' "$1" || return
	full=$(blocks /img/2.vhdx)
	say
	seen 'DISK what was kept is the same' "$1" || return
	[ "$(blocks /img/2.vhdx)" -lt "$((full - 8000))" ] && echo "HOST the file is smaller"
	say
	seen 'DISK floods' "$1" || return
	n=0
	while [ $n -lt 5 ] && ovid pulse g; do n=$((n + 1)); done
	echo "HOST moved $n"
	say
}

# a guest that was not where it should be waits for ever
talk 1 && talk 2 || ovid kill g
ovid wait g
echo "HOST ended $?"
guest | grep '^DISK'
echo "HOST now 1 $(sum /ext/1)"
for i in /img/2.vhdx /ext/3.vhd /ext/4.vhdx /ext/parent.vhdx; do
	ovid disk check $i >/img/check && echo "HOST ${i##*/} is sound" || cat /img/check
done
[ "$(sum /ext/parent.vhdx)" = "$parent" ] && echo "HOST the parent is as it was"
echo "HOST now 3 $(image_sum /ext/3.vhd)"
echo "HOST now 4 $(image_sum /ext/4.vhdx)"
mkdir -p /ext0
image_sum /img/2.vhdx >/img/sum
mount -o loop -t ext4 /img/disk.raw /ext0 && echo "HOST its filesystem: $(ls /ext0 | tr '\n' ' ')$(stat -c %s /ext0/1)"
umount /ext0 /ext && losetup -d /dev/loop0 && losetup -d /dev/loop1 && echo "HOST nothing is in use"

# what was acknowledged is there after a kill
ovid run --kernel vmlinux --initrd programs --memory 256M --hv on,-stimer --name g \
	--detach --serial file:g.log --disk /img/0 --disk /img/2.vhdx,lun=2 --append "$2" || exit
seen 'DISK number 50' || exit
kill -9 "$(ovid info --json g | sed 's/.*"pid":\([0-9]*\).*/\1/')"
ovid wait g
said=$(guest | sed -n 's/^DISK number //p' | tail -n 1)
ovid disk check --repair /img/2.vhdx >/img/check || cat /img/check
ovid disk check /img/2.vhdx >/img/check && image_sum /img/2.vhdx >/img/sum || cat /img/check
n=0
while [ $n -lt "$said" ]; do
	n=$((n + 1))
	at=$(dd if=/img/disk.raw bs=512 skip=$((n * 701 % 40960)) count=1 2>/dev/null | tr -d ' \n')
	[ "$at" = $n ] || echo "HOST number $n is '$at'"
done
echo "HOST all numbers are there"
