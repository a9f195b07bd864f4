#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with disks of 4096-byte sectors, one of them with 512 for the guest and one a VHDX,
# a disc, and an empty drive; it is moved while the tray is open.  69-drives reads what this prints; the guest's part is
# drives.sh.
# usage: drives_host.sh APPEND
patience=300
. ./ask.sh

modprobe loop; modprobe ext4
mkdir -p /img /ext
mount -t tmpfs -o size=100M none /img
truncate -s 32M /img/0
truncate -s 8M /img/1
ovid disk create --sector 4096 --block-size 1M /img/2.vhdx 8M
ovid run --kernel vmlinux --initrd programs --memory 256M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --disk /img/0,sector=4096 --disk /img/1,sector=512e --disk /img/2.vhdx \
	--dvd disc.iso,lun=5 --dvd none,lun=6 --append "$1" || exit
if seen 'DRIVE waits'; then
	n=0
	while [ $n -lt 2 ] && ovid pulse g; do n=$((n + 1)); done
	echo "HOST moved $n"
	# a console does not end with what it is told
	echo | ovid console g >/dev/null &
	sleep 1
	kill $! 2>/dev/null
	seen 'DRIVE ends' || ovid kill g
else
	ovid kill g
fi
ovid wait g
echo "HOST ended $?"
guest | grep '^DRIVE'
mount -o loop -t ext4 /img/0 /ext && echo "HOST file $(sha256sum </ext/file | cut -d ' ' -f 1)"
ovid disk convert /img/2.vhdx /img/2.raw
echo "HOST image $(dd if=/img/2.raw bs=4096 skip=77 count=128 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
