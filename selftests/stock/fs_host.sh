#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest that uses a raw file and a VHDX hard (fs.sh), or one that looks at four
# disks (disks.sh).  Prints what became of it: 69-storage-fs reads that.
# usage: fs_host.sh hard|few APPEND
append=$2
sum() { md5sum <"$1" | cut -d ' ' -f 1; }

# vm OPTION...
vm() {
	ovid run --kernel vmlinux --initrd programs --memory 256M --vps 2 --hv on,-stimer \
		--serial stdio --append "$append" "$@" </dev/null
	echo "HOST ended $?"
}

# not the raw one's end: it may be sparse
hard() {
	truncate -s 320M /img/0
	ovid disk create --block-size 1M /img/1.vhdx 320M
	vm --disk /img/0 --disk /img/1.vhdx
	ovid disk check /img/1.vhdx >/img/check && echo "HOST 1.vhdx is sound" || cat /img/check
}

few() {
	truncate -s 20M /img/0
	dd if=/dev/urandom of=/img/0 bs=1M count=2 conv=notrunc 2>/dev/null
	dd if=/dev/urandom of=/img/5 bs=1M count=3 2>/dev/null
	modprobe loop
	losetup -r /dev/loop1 /img/5
	ovid disk convert /img/0 /img/3.vhd
	ovid disk convert --block-size 1M /img/0 /img/4.vhdx
	echo "HOST sum 0 $(sum /img/0)"
	echo "HOST sum 5 $(sum /img/5)"
	vm --disk /img/0 --disk /img/3.vhd,lun=3 --disk /img/4.vhdx,lun=4 --disk /dev/loop1,ro,lun=5
	ovid disk convert /img/3.vhd /img/3.raw
	echo "HOST the same $(cmp -n 1048576 /img/0 /img/3.raw && [ "$(sum /img/0)" = "$(sum /img/3.raw)" ] && echo yes)"
}

mkdir -p /img
mount -t tmpfs -o size=700M none /img
"$1"
