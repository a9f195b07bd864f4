#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host, on whose disk there is the VHDX of a Debian, and a disc for it on the next: it
# installs a package, and is killed; it writes and reads another disk, and is killed.  Behind each
# of these a shell in place of its init looks at its filesystems.  Prints what its console said:
# selftests/debian reads that.
# usage: debian_disks_host.sh PACKAGE SIZE PARTS, of "install fio"
package=$1 size=$2 parts=" $3 "
patience=3000
. ./ask.sh

prompt='.*root@debian:~#.*'
# types TEXT: at its console
types() {
	echo "$1" | ovid console g >/dev/null &
	sleep 1
	kill $!
}

# boots [APPEND]
boots() {
	echo "HOST boots at $(cut -d. -f1 /proc/uptime) s"
	: >g.log
	tail -f g.log &
	shows=$!
	ovid run --boot-from-disk --disk /store/debian.vhdx --disk /store/data.vhdx --dvd /dev/sdb,lun=7 --memory 384M \
		--name g --detach --serial file:g.log --append "$1" || exit
}

# ends: whatever it is at, as by a power cut
ends() {
	ovid kill g
	ovid wait g
	status=$?
	sleep 2
	kill $shows
	echo "
HOST ended $status at $(cut -d. -f1 /proc/uptime) s"
}

# asks WHAT ARG...: the script on the disc
asks() {
	types "modprobe sr_mod; until [ -e /mnt/repo ] || mount -r /dev/sr0 /mnt; do sleep 1; done; sh /mnt/debian_inside.sh $*"
	seen "INSIDE done $1" || ends
}

# What is in the journals belongs to the disks: the kernel replays them when it mounts those, / too,
# which it does not write to otherwise.  Behind that nothing may be wrong.
checks() {
	boots init=/bin/sh
	seen '.*job control turned off.*'
	types "e2fsck -fn /dev/sda1; echo INSIDE check sda1 \$?"
	seen 'INSIDE check sda1 [0-9]*'
	if [ "$1" ]; then
		types "mount $1 /srv; echo INSIDE kept \$(stat -c %s /srv/file); umount /srv; e2fsck -fn $1; echo INSIDE check $1 \$?"
		seen "INSIDE check $1 [0-9]*"
	fi
	types "dmesg | grep -c 'recovery complete' | sed 's/^/INSIDE replayed /'"
	seen 'INSIDE replayed [0-9]*'
	ends
}

mkdir /store
modprobe ext4 && mount -t ext4 /dev/sda /store || exit
ovid disk create /store/data.vhdx 3G || exit

# part NAME: is it wanted?
part() { [ "${parts#* "$1" }" != "$parts" ]; }

if part install; then
	boots
	seen "$prompt"
	asks install "$package"
	ends
	checks ''
fi
boots
seen "$prompt"
part install && asks verify "$package"
part fio && asks fio /dev/sdb "$size"
ends
echo "HOST data.vhdx has $(($(stat -c %b /store/data.vhdx) / 2048)) MiB"
part fio && checks /dev/sdb
for i in debian data; do
	ovid disk check /store/$i.vhdx && echo "HOST $i.vhdx is sound"
done
