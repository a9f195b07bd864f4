#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with three disks, of a file in memory, of a file of ext4, read
# and written without a page cache, and a block device that may only be read.  Prints what became
# of it: 69-storage reads that.  The guest's part is disks.sh.
# usage: disks_host.sh APPEND
append=$1
patience=300
. ./ask.sh

blocks() { stat -c %b "$1"; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# a console does not end with what it is told
say() {
	echo | ovid console g >/dev/null &
	sleep 1
	kill $!
}

modprobe loop; modprobe ext4
mkdir -p /img /ext
mount -t tmpfs -o size=300M none /img
truncate -s 40M /img/fs
mke2fs -F /img/fs >/dev/null 2>&1
losetup /dev/loop0 /img/fs && mount -t ext4 /dev/loop0 /ext || exit
truncate -s 20M /img/0
dd if=/dev/urandom of=/img/0 bs=1M count=2 conv=notrunc 2>/dev/null
truncate -s 16M /ext/1
dd if=/dev/urandom of=/img/5 bs=1M count=3 2>/dev/null
losetup -r /dev/loop1 /img/5
echo "HOST sum 0 $(sum /img/0)"
echo "HOST sum 5 $(sum /img/5)"

ovid run --kernel vmlinuz --initrd initrd --initrd programs --memory 256M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --disk /img/0,serial=first --disk /ext/1 --disk /dev/loop1,ro,lun=5 \
	--append "$append" || exit
ovid run --kernel vmlinuz --disk /img/0 2>&1 | sed 's/^/HOST second /'
# talk BOOT: each boot of the guest waits at the same places
talk() {
	seen 'DISK full' "$1" || return
	full=$(blocks /img/0)
	say
	seen 'DISK what was kept is the same' "$1" || return
	[ "$(blocks /img/0)" -lt "$((full - 8000))" ] && echo "HOST the file is smaller"
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
mkdir -p /ext0
mount -o loop -t ext4 /img/0 /ext0 && echo "HOST its filesystem: $(ls /ext0 | tr '\n' ' ')$(stat -c %s /ext0/1)"
umount /ext0 /ext && losetup -d /dev/loop0 && losetup -d /dev/loop1 && echo "HOST nothing is in use"
