#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host, on whose disk there is the VHDX of a Debian: that is started, and somebody at
# its console types COMMAND, and when that has said WORDS `systemctl poweroff`.  Prints what comes
# out of the console; ends as `ovid run` does.  There is a file at http://127.0.0.1:8000/file.
# usage: debian_host.sh COMMAND WORDS OPTION-OF-OVID-RUN...
patience=600	# of the host's seconds
command=$1 words=$2
shift 2

seen() {
	i=0
	until grep -q -e "$1" console; do
		sleep 1
		i=$((i + 1))
		[ ! -e status ] || return
		[ $i -lt $patience ] || { echo "HOST never saw '$1'"; ovid kill debian; return 1; }
	done
}

mkdir /store /www
dd if=/dev/urandom of=/www/file bs=64k count=64 2>/dev/null
echo "HOST serves $(sha256sum </www/file | cut -d ' ' -f 1)"
ip link set lo up && httpd -p 127.0.0.1:8000 -h /www
modprobe ext4 && mount -t ext4 /dev/sda /store || exit
mkfifo keyboard
: >console
{ ovid run --name debian --serial stdio --boot-from-disk --disk /store/debian.vhdx "$@" <keyboard; echo $? >status; } | tee console &
exec 3>keyboard
seen 'root@debian:~#' && echo "$command" >&3 && seen "$words" && echo 'systemctl poweroff' >&3
wait
exit "$(cat status)"
