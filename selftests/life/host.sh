# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC1091
# host.sh [CPUS] - what may happen to a host while VPs run, in the test host: TAP.
# The module is loaded; each test leaves the host as it found it.
. ./tap.sh

scoped() { ovid info | grep -q vmx-scoped; }

# logged PATTERN: in a line of the kernel's log since `logged_from`, and all of ours there are
logged_from() { from=$(dmesg | wc -l); }
logged() {
	dmesg | tail -n "+$((from + 1))" | grep 'ovid: ' | cut -d']' -f2- | uniq >log
	[ "$(grep -c . log)" = 1 ] && grep -q "$1" log || { echo "not one line in the log: $1"; cat log; return 1; }
}

# a VM of KVM's
kvm_vm="./guest-run --kvm -c $(./guest-run -l guests/g_cpu.bin | sed -n '1s,.*/,,p') guests/g_cpu.bin"
kvm_loaded() { grep -q ^kvm_intel /proc/modules; }
kvm_gone() { ! kvm_loaded || rmmod kvm_intel kvm; }

unload() { ./with-vps spin -- sh -c '! rmmod ovid'; }

# suspend LEVEL STATE: as deep as LEVEL
suspend() {
	grep -qw "$1" /sys/power/pm_test && grep -qw "$2" /sys/power/state ||
		{ cat /sys/power/pm_test /sys/power/state; return 1; }
	echo "$1" >/sys/power/pm_test
	./with-vps spin cpuid io -- sh -c "echo $2 >/sys/power/state"
}

kvm_refused() {
	logged_from
	./with-vps spin cpuid -- sh -c '! modprobe kvm-intel' || return
	kvm_loaded && return 1
	# busybox tries twice
	logged 'ovid: kvm_intel is not let in'
}

kvm_first() { modprobe kvm-intel && $kvm_vm; }

ovid_refused() {
	rc=0
	logged_from
	./with-vps spin -- true || rc=$?
	[ $rc = 3 ] || { echo "status $rc"; return 1; }
	logged 'ovid: VMX is in use by another hypervisor: unload it' || return
	ovid info && return 1
	ovid info | grep -q 'modprobe -r kvm_intel'
}

ovid_again() { kvm_gone && ./with-vps spin cpuid -- true; }

# KVM takes VMX between two windows, and gives it back
kvm_between() {
	./with-vps -b spin cpuid -- sh -c "modprobe kvm-intel && $kvm_vm && rmmod kvm_intel kvm"
}

# the same by a VM of a KVM that was there before
kvm_idle() {
	modprobe kvm enable_virt_at_load=0 && modprobe kvm-intel || return
	./with-vps -b spin cpuid -- $kvm_vm && kvm_gone
}

reset_without_vmx() { ./late-reset 'modprobe kvm-intel' 'rmmod kvm_intel kvm'; }

latency() { ./with-vps "$@" -- ./latency; }

# off and on TURNS times
hotplug() {
	./with-vps spin cpuid io -- sh -c '
		cpu1=/sys/devices/system/cpu/cpu1/online
		for i in $(seq 1 '"$1"'); do echo 0 >$cpu1 && echo 1 >$cpu1 || exit 1; done' || return
	[ "$(cat /sys/devices/system/cpu/online)" = 0-1 ]
}

vps_on() { taskset "$1" ./with-vps spin cpuid -- true; }

if [ "${1:-1}" = 2 ]; then
	point "a processor goes and comes under load" hotplug 5
	point "a processor that came back runs VPs" vps_on 2
	point "the host gets on beside guests on both processors" latency cpuid spin
	plan
	exit
fi
point "the module stays while a partition is there" unload
echo 1 >/sys/module/suspend/parameters/pm_test_delay
for level in freezer devices platform; do
	point "suspend under load, up to '$level'" suspend $level mem
done
for level in processors core; do
	what="suspend under load, up to '$level'"
	if grep -q '\[deep\]' /sys/power/mem_sleep; then
		point "$what" suspend $level mem
	else
		skip "$what" "the host has no suspend to RAM (acpi=off?)"
	fi
done
point "suspend to idle under load" suspend devices freeze
echo none >/sys/power/pm_test
if scoped; then
	point "KVM comes and goes under a running partition" kvm_between
	point "a VM of KVM's comes and goes under a running partition" kvm_idle
	point "a reset while KVM has VMX is done when it has gone" reset_without_vmx
else
	point "KVM is refused under a running partition" kvm_refused
fi
point "KVM runs a VM when no partition is there" kvm_first
point "EBUSY and the remedy while KVM has VMX" ovid_refused
point "VPs run again when KVM has gone" ovid_again
point "the host gets on beside a guest of fast exits" latency cpuid
point "and beside one that makes none" latency spin
plan
