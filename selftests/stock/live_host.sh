#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest whose disks are limited, come, grow and go while it runs, and whose discs change.
# 69-storage-live reads what this prints; the guest's part is live.sh.
# usage: live_host.sh APPEND
patience=300
. ./ask.sh

# a console does not end with what it is told
say() {
	echo | ovid console g >/dev/null &
	sleep 1
	kill $! 2>/dev/null
}

# step NAME COMMAND...: when the guest waits for it
step() {
	seen "LIVE waits $1" || { ovid kill g; return 1; }
	shift
	"$@"
	say
}

count() { ovid disk-limit --json g "$1" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"; }
waiting() { [ "$(count 1 waiting)" -gt 0 ]; }
# tried WHAT COMMAND...: its status, and what it says
tried() {
	what=$1
	shift
	"$@" >out 2>&1
	echo "HOST $what $? $(head -n 1 out)"
}
pulse() {
	tried pulse ovid pulse g
}

limit() { tried limit ovid disk-limit --iops 1 g 1; }

limited() {
	echo "HOST waited $([ "$(count 1 waited)" -ge 3 ] && echo some), others $(count 0 waited)"
}

moved() {
	until_ok waiting
	pulse
	tried "its limit" ovid disk-limit g 1
	tried "none" ovid disk-limit --iops 0 --bps 0 g 1
}

attached() {
	tried attach ovid disk-attach --disk /img/new,lun=7 g
	tried chain ovid disk-attach --disk /img/child.vhdx,lun=8 g
}

larger() { tried larger ovid disk-resize g 8 64M; }

detached() {
	sleep 1
	tried detach ovid disk-detach g 7
}

detached_slow() {
	until_ok waiting
	tried "detach slow" ovid disk-detach g 1
}

kept() { tried kept ovid disk-insert g 5 two.iso; }
inserted() { tried insert ovid disk-insert g 5 two.iso; }

forced() {
	tried "kept again" ovid disk-eject g 5
	tried force ovid disk-eject --force g 5
}

empty() { pulse; }
back() { tried back ovid disk-insert g 5 one.iso; }

# 64 disks are two that are there and these
many() {
	n=0
	while [ $n -lt 62 ]; do
		truncate -s 1M "/img/m$n"
		echo "mark$n" | dd of="/img/m$n" conv=notrunc 2>/dev/null
		echo "again$n" | dd of="/img/m$n" bs=4096 seek=1 conv=notrunc 2>/dev/null
		ovid disk-attach --disk "/img/m$n,controller=$((n % 4))" g >/dev/null || break
		n=$((n + 1))
	done
	echo "HOST attached $n"
}

mkdir -p /img
mount -t tmpfs -o size=200M none /img
truncate -s 32M /img/0
truncate -s 8M /img/1
dd if=/dev/urandom of=/img/new bs=1M count=3 2>/dev/null
dd if=/dev/urandom of=/img/base.raw bs=1M count=4 2>/dev/null
truncate -s 32M /img/base.raw
ovid disk convert -f raw --block-size 1M /img/base.raw /img/base.vhdx
ovid disk create --parent /img/base.vhdx /img/child.vhdx
echo "HOST new $(sha256sum </img/new | cut -d ' ' -f 1)"
echo "HOST chain $(dd if=/img/base.raw bs=1M count=4 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
ovid run --kernel vmlinux --initrd programs --memory 256M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --disk /img/0 --disk /img/1,iops=100000,bps=1G --dvd one.iso,lun=5 --append "$1" || exit
tried "its first" ovid disk-limit g 1
step limit limit && step limited limited && step moved moved && step attached attached && step larger larger &&
	step detached detached && step slow limit && step detached-slow detached_slow && step kept kept &&
	step inserted inserted && step forced forced && step empty empty && step back back && step many many &&
	step moved-many pulse && { seen 'LIVE ends' || ovid kill g; }
ovid wait g
echo "HOST ended $?"
guest | grep '^LIVE'
ovid disk convert /img/child.vhdx /img/child.raw
echo "HOST data $(dd if=/img/child.raw bs=1M skip=2 count=1 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
echo "HOST behind $(dd if=/img/child.raw bs=1M skip=63 count=1 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
