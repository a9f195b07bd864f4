#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vmbus.sh WHAT... - what a stock kernel with Debian's own modules and daemons makes of the
# VMBus, said in lines that begin with VMBUS (63-vmbus reads them).  WHAT, in turn:
#	load		the modules, in order
#	report		devices as its sysfs has them, interrupts, what it complains of
#	monitors	what its sysfs has of channels with a monitor, once the host has looked at them
#	reload N	the modules out and in again, so many times
#	wait S		seconds
#	kvp		Debian's daemon for pairs, until "quiet"
#	hear		goes on when its console gets a line
#	hibernate	all of hibernation but the writing to a disk, and back
#	serve		Debian's daemons, a filesystem that is written to, and a look at what they
#			bring, until somebody shuts it down
#	sockets		what /vsock says (vsock.c); the last of it, a connection, goes on
#	moved N		what it says when its host moves it, in so many rounds
#	reset		the machine, unless it was reset before
#	kexec		another kernel, which loads and reports, and crashes; a dump kernel does the
#			same and ends
# There are busybox and, in /hyperv, modules/ with `order` and daemons/.
set -u
. /stock/next.sh

# sockets came with version 4.0
too_old() { [ "$1" = hv_sock.ko ] && dmesg | grep -q 'Vmbus version:[23]\.'; }

load() {
	while read -r m; do
		too_old "$m" && continue
		insmod "/hyperv/modules/$m" || echo "VMBUS insmod $m failed"
	done </hyperv/modules/order
}

unload() {
	sed '1!G;h;$!d' /hyperv/modules/order | while read -r m; do
		rmmod "${m%.ko}" || echo "VMBUS rmmod $m failed"
	done
}

# a line a device: class, instance, driver, channels
devices() {
	for d in /sys/bus/vmbus/devices/*; do
		[ -e "$d/class_id" ] || continue
		driver=$(readlink "$d/driver")
		echo "VMBUS device $(cat "$d/class_id") $(cat "$d/device_id") ${driver##*/} state $(cat "$d/state") channels $(ls "$d/channels" 2>/dev/null | wc -w)"
	done
}

bad='unchecked MSR|BUG:|Oops|Call Trace|general protection|lockup|stall|hung|timed out'
bad="$bad|WARNING: (CPU|.* at )|(Hyper-V|hyperv|hv_).*\b(failed|not|error|cannot|unable)\b"

# a bit that the host has not seen yet is pending
monitors() {
	for d in /sys/bus/vmbus/devices/*; do
		[ -e "$d/monitor_id" ] || continue
		n=0
		while [ "$(cat "$d/client_monitor_pending")" != 0 ] && [ $n -lt 100 ]; do
			n=$((n + 1))
			sleep 0.1
		done
		echo "VMBUS monitor $(cat "$d/class_id") latency $(cat "$d/client_monitor_latency") pending $(cat "$d/client_monitor_pending")"
	done
}

row() { awk -v r="$1:" '$1 == r { n = 0; for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i; print n }' /proc/interrupts; }

report() {
	echo "VMBUS report $(uname -r)"
	devices
	echo "VMBUS interrupts HYP $(row HYP) HRE $(row HRE) HVS $(row HVS)"
	dmesg >/tmp/dmesg
	grep -E 'hv_vmbus|hv_utils|Vmbus version' /tmp/dmesg | sed 's/^/VMBUS says /'
	# no complaints: modules that it did not sign; how a rehearsal of hibernation waits; before version 3.0 Linux takes no backups
	known='module verification failed|hibernation: debug: Waiting'
	! grep -q 'Vmbus version:2\.' /tmp/dmesg ||
		known="$known|Backup \(volume snapshot\)|probe failed for device 2450ee40"
	grep -v -E "$known" /tmp/dmesg | grep -i -E "$bad" | sed 's/^/VMBUS complaint /'
	echo "VMBUS report ends"
}

reload() {
	n=0
	while [ $n -lt "$1" ]; do
		unload
		load
		n=$((n + 1))
	done
	echo "VMBUS reloaded $n"
}

kvp() {
	mkdir -p /var/lib/hyperv
	/hyperv/daemons/bin/hv_kvp_daemon -n >/tmp/kvp.log 2>&1 &
	kvp=$!
	echo "VMBUS kvp"
}

quiet() {
	kill $kvp
	wait $kvp
}

# devices sleep, the bus is unloaded, other processors go, and it all comes back; all but
# Linux's uio driver, which knows no sleep
hibernate() {
	rmmod uio_hv_generic
	echo core >/sys/power/pm_test
	echo disk >/sys/power/state && echo "VMBUS slept"
}

# with channels open: the next kernel finds the bus as if nothing had been
go_on() {
	hand_over "$1" "sh /stock/vmbus.sh $2" "$3"
	echo "VMBUS kexec $1 $?"
}

# what the kernel calls when it is asked to end
power_off() {
	mkdir -p /sbin /usr/libexec/hypervkvpd /var/lib/hyperv
	printf '#!/bin/sh\nexec /bin/busybox poweroff -f\n' >/sbin/poweroff
	chmod +x /sbin/poweroff
}

# the number in a file of a mounted filesystem grows as long as that may be written to
write_on() {
	mkdir -p /mnt
	# not a loop device: the daemon leaves those alone
	mke2fs -F /dev/ram0 >/dev/null 2>&1
	mount -t ext4 /dev/ram0 /mnt || { echo "VMBUS mount failed"; return; }
	n=0
	while echo $n >/mnt/number; do
		n=$((n + 1))
		echo "VMBUS wrote $n"
		sleep 0.5
	done
}

# files that came, once each, when they are whole
look() {
	for f in /in/*.whole; do
		[ -e "$f" ] || continue
		f=${f%.whole}
		[ -e "$f.seen" ] || echo "VMBUS file ${f##*/} $(sha256sum <"$f")"
		: >"$f.seen"
	done
}

serve() {
	power_off
	date -s 2001-02-03 >/dev/null
	# kernels before 6.10 take part in the copying of files
	copier=hv_fcopy_uio_daemon
	[ ! -e /dev/vmbus/hv_fcopy ] || copier=hv_fcopy_daemon
	for d in hv_kvp_daemon hv_vss_daemon $copier; do
		/hyperv/daemons/bin/$d -n >/tmp/$d.log 2>&1 &
	done
	write_on &
	echo "VMBUS serves"
	while :; do
		look
		echo "VMBUS year $(date +%Y)"
		sleep 1
	done
}

sockets() {
	/vsock guest &
	while [ ! -e /tmp/stays ] && [ ! -e /tmp/ends ]; do
		kill -0 $! 2>/dev/null || break
		sleep 0.2
	done
}

while [ $# -gt 0 ]; do
	case $1 in
	load|report|monitors|serve|sockets|kvp|quiet|hibernate)	$1; shift ;;
	reset)	[ ! -e /tmp/stays ] || { drain; reboot -f; }
		shift ;;
	hear)	read -r _ </dev/console; shift ;;
	kexec)	next="$next crashkernel=160M"
		go_on -l 'load wait 2 report crash' ''
		drain
		kexec -e ;;
	crash)	next="${next% crashkernel=*} nr_cpus=1"
		go_on -p 'load wait 2 report' './boot/*'
		drain
		echo c >/proc/sysrq-trigger ;;
	reload)	reload "$2"; shift 2 ;;
	moved)	/vsock moved "$2"; shift 2 ;;
	wait)	sleep "$2"; shift 2 ;;
	*)	echo "VMBUS what? $1"; exit 2 ;;
	esac
done
