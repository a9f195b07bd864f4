#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with three disks, and what becomes of them while it runs: faults.sh.
# usage: faults_host.sh APPEND
append=$1
patience=200
. ./ask.sh

say() {
	echo | ovid console g >/dev/null &
	sleep 1
	kill $!
}
good='0 8192 linear 7:0 0'
bad='0 2048 linear 7:0 0
2048 256 error
2304 5888 linear 7:0 2304'

modprobe loop; modprobe dm-mod
mkdir -p /img /raw /vhdx
mount -t tmpfs -o size=6M none /raw
mount -t tmpfs -o size=8M none /vhdx
truncate -s 4M /tmp/0
losetup /dev/loop0 /tmp/0 || exit
disk=$(echo "$good" | ./dm create faulty) || exit
truncate -s 16M /raw/1
ovid disk create --block-size 1M /vhdx/2.vhdx 16M || exit
echo 1 >/sys/module/ovid/parameters/disk_patience_s

ovid run --kernel vmlinux --initrd programs --memory 192M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --disk "$disk" --disk /raw/1 --disk /vhdx/2.vhdx --append "$append" || exit

talk() {
	seen 'FAULT written' || return
	echo "$bad" | ./dm load faulty || return
	say
	seen 'FAULT has errors' || return
	echo "$good" | ./dm load faulty || return
	say
	seen 'FAULT has none' || return
	./dm suspend faulty
	say
	seen 'FAULT writes' || return
	until_ok sh -c 'ovid disk-list --json g | grep -q "\"under_way\": *[1-9]"' || return
	ovid disk-detach g 0 2>&1 | sed 's/^/HOST detach: /'
	ovid pulse g 2>&1 | sed 's/^/HOST move: /'
	./dm resume faulty
	seen 'FAULT and is right' || return
	ovid pulse g && echo "HOST moved"
	seen 'FAULT is full 1' || return
	mount -o remount,size=64M /raw
	say
	seen 'FAULT is full 2' || return
	ovid pulse g 2>&1 | sed 's/^/HOST move: /'
	mount -o remount,size=64M /vhdx
	say
}

talk || ovid kill g
ovid wait g
echo "HOST ended $?"
guest | grep '^FAULT'
echo "HOST sum 1 $(md5sum </raw/1 | cut -d ' ' -f 1)"
ovid disk check /vhdx/2.vhdx >/img/check && echo "HOST 2.vhdx is sound" || cat /img/check
ovid disk convert /vhdx/2.vhdx /img/2.raw && echo "HOST sum 2 $(md5sum </img/2.raw | cut -d ' ' -f 1)"
./dm remove faulty && losetup -d /dev/loop0 && umount /raw /vhdx && echo "HOST nothing is in use"
