#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# inside.sh WHAT - what a stock kernel finds of Hyper-V and does with it, said in
# lines that begin with STOCK (62-stock reads them).  WHAT:
#	work	report, and work for all CPUs
#	life	the same, then reset; report, then kexec; report, then crash; the dump
#		kernel looks at what it finds of the one that crashed
# There are busybox, all-cpus and kexec.
set -u

cpus=$(grep -c ^processor /proc/cpuinfo)

. /stock/next.sh

# numbers of the row of Hyper-V's timers in /proc/interrupts
timers() { awk '$1 == "HVS:" { for (i = 2; $i ~ /^[0-9]+$/; i++) print $i }' /proc/interrupts; }

# a row before, a row after: on how many CPUs has the number grown
moved() { echo "$1 $2" | awk '{ for (i = 1; i <= NF / 2; i++) if ($(i + NF / 2) > $i) n++; print n + 0 }'; }

# on_each COMMAND...: on each CPU at the same time
on_each() {
	i=0
	while [ $i -lt "$cpus" ]; do
		taskset -c $i "$@" &
		i=$((i + 1))
	done
	wait
}

# sleeping is what arms a timer on the CPU that does it
timers_run() {
	before=$(timers | tr '\n' ' ')
	on_each sleep 0.02
	after=$(timers | tr '\n' ' ')
	echo "STOCK timers on $(moved "$before" "$after") of $cpus"
}

report() {
	echo "STOCK report $(uname -r)"
	echo "STOCK online $(cat /sys/devices/system/cpu/online) of $cpus"
	echo "STOCK clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
	timers_run
	dmesg >/tmp/dmesg
	grep -E 'Hypervisor detected|Hyper-V|hyperv|PV spinlocks' /tmp/dmesg | sed 's/^/STOCK says /'
	grep -i -E 'unchecked MSR|BUG:|Oops|Call Trace|general protection|lockup|stall|as unstable|timed out|WARNING: (CPU|.* at )|(Hyper-V|hyperv|hv_).*\b(failed|not|error|cannot|unable)\b' \
		/tmp/dmesg | sed 's/^/STOCK complaint /'
	echo "STOCK report ends"
}

# shellcheck disable=SC2016  # for the other shell
work() {
	on_each sh -c 'n=0; while [ $n -lt 500 ]; do n=$((n + 1)); done; echo $n' >/tmp/loops
	echo "STOCK loops $(awk '{ n += $1 } END { print n }' /tmp/loops)"
	/all-cpus >/tmp/all-cpus 2>&1
	echo "STOCK work $? $(cat /tmp/all-cpus)"
}

# a byte that outlives a reset, of the clock's memory: cmos [VALUE]
cmos() {
	printf '\120' | dd of=/dev/port bs=1 seek=112 count=1 conv=notrunc 2>/dev/null
	if [ $# = 1 ]; then
		printf "\\$1" | dd of=/dev/port bs=1 seek=113 count=1 conv=notrunc 2>/dev/null
	else
		dd if=/dev/port bs=1 skip=113 count=1 2>/dev/null | od -An -tu1 | tr -d ' '
	fi
}

# go_on OPTION WHAT WITHOUT: the next kernel does WHAT
go_on() {
	hand_over "$1" "sh /stock/inside.sh $2" "$3"
	echo "STOCK kexec $1 $?"
}

# the header of the ELF file, the notes of its processors, the release of its kernel
dump() {
	report
	echo "STOCK vmcore $(dd if=/proc/vmcore bs=20 count=1 2>/dev/null | od -An -v -tx1 | tr -d '\n')"
	dd if=/proc/vmcore bs=64k count=1 2>/dev/null | tr '\0' '\n' >/tmp/notes
	echo "STOCK processors $(grep -a -c '^CORE$' /tmp/notes)"
	grep -a '^OSRELEASE=' /tmp/notes | sed 's/^/STOCK /'
}

case $1 in
work)
	report
	work
	;;
life)
	if [ "$(cmos)" = 1 ]; then
		report
		next="$next crashkernel=160M"
		go_on -l kexeced ''
		drain
		kexec -e
	else
		report
		work
		cmos 1
		drain
		reboot -f
	fi
	;;
kexeced)
	report
	next="${next% crashkernel=*} nr_cpus=1"
	go_on -p dump './boot/*'
	drain
	taskset -c $((cpus / 2)) sh -c 'echo c >/proc/sysrq-trigger'
	;;
dump)
	dump
	;;
esac
