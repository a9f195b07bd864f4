#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: stock guests with one and with two VPs, in the middle of their work,
# are moved from partition to partition.  usage: pulse.sh TIMES (of each), prints what
# became of it; steady.c does the work.
times=$1
# the second option: see selftests/host/run
append='console=ttyS0 quiet panic=-1 initcall_blacklist=trace_eval_init ovid.cmd="steady; alarms"'

start() {	# NAME OPTION...
	name=$1
	shift
	ovid run --kernel vmlinux --initrd steady.cpio --memory 128M --vmbus off "$@" \
		--name "$name" --detach --serial "file:$name.log" --append "$append" || exit
}

seen() {	# NAME TEXT COUNT: within 300 s of the host's
	i=0
	until [ "$(grep -c "$2" "$1.log")" -ge "$3" ]; do
		sleep 1
		i=$((i + 1))
		[ $i -lt 300 ] || { echo "no '$2' of $1:"; tail -n 20 "$1.log"; return 1; }
	done
}

beats() { grep -c '^beat' "$1.log"; }

go_on() {	# NAME TEXT: it beats five times more
	before=$(beats "$1")
	seen "$1" '^beat' $((before + 5)) && echo "$1 $2"
}

stop() {	# NAME
	echo | ovid console "$1" >/dev/null
	ovid wait "$1"
	echo "$1 ended $?"
	tr -d '\r' <"$1.log" | sed -n "s/^steady: /$1: /p; s/^steady on/$1: &/p; s/^processor/$1: &/p; s/^wrong/$1: &/p; s/^alarms/$1: &/p"
}

# timers of the APIC for one of them, of the hypervisor interface for the other
start one --hv off
start two --vps 2
seen one '^beat' 2 && seen two '^beat' 2 && echo "both beat"
done=0
while [ $done -lt "$times" ]; do
	ovid pulse one || break
	ovid pulse two || break
	done=$((done + 1))
	sleep 0.0$((done % 10))
done
echo "moved $done times"
go_on one "goes on"
go_on two "goes on"
ovid pause two
ovid pulse --count 3 --json two
sleep 2
ovid resume two
go_on two "goes on after a pause"
stop one
stop two
