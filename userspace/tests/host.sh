#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Inside the test host, the module loaded: `ovid` with a guest that tries its
# devices (guest.elf, beside this script), and every verb.  TAP on stdout.
here=$(cd "$(dirname "$0")" && pwd)
guest=$here/guest.elf
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0

ok() {	# ok STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		bad=$((bad + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/err" "$tmp/out" | head -n 20
	fi
}

is() {	# is SEEN WANTED TEXT
	[ "$1" = "$2" ]
	ok $? "$3 ($1)"
}

vm() {	# vm WORDS [option]...
	words=$1
	shift
	ovid run --kernel "$guest" --memory 16M --append "$words" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
}

: >"$tmp/err"
ovid info >"$tmp/out"
is $? 0 "info"
grep -q "can run: *yes" "$tmp/out"
ok $? "this host can run VMs"
is "$(sed -n 's/^mitigations: //p' "$tmp/out")" "$(cat /sys/module/ovid/parameters/mitigations)" "mitigations"

vm all --debug-exit
is $? 1 "devices from the inside"
sed -n 's/^not ok/# not ok/p; s/^ok [0-9]* - /# /p' "$tmp/out"
is "$(grep -c '^ok [0-9]' "$tmp/out")" "$(sed -n 's/^1\.\.//p' "$tmp/out")" "all of its points"
vm all --debug-exit --vps 2
is $? 1 "with a second VP that nobody starts"
vm off; is $? 0 "power-off"
vm reset --no-reboot; is $? 6 "reset with --no-reboot"
vm vector --no-reboot; is $? 6 "a jump to the reset vector"
vm crash; is $? 4 "triple fault"
grep -q "triple fault" "$tmp/err"
ok $? "and a line that says so"
is "$(wc -l <"$tmp/err")" 1 "one line"
vm "again off"; is $? 0 "reset and boot again"
is "$(grep -c Multiboot "$tmp/out")" 2 "from the start"
vm all --debug-exit --no-sandbox; is $? 1 "without the sandbox"

# refused STATUS WORDS TEXT [option]...: ends so, with one line that has WORDS
refused() {
	status=$1 has=$2 text=$3
	shift 3
	vm off "$@"; is $? "$status" "$text"
	[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "$has" "$tmp/err"
	ok $? "one line: $(cat "$tmp/err")"
}

dd if=/dev/zero of="$tmp/big" bs=1M count=20 2>/dev/null
refused 2 "multiple of the 4096-byte page" "memory that is no multiple of a page" --memory 5000
refused 2 "try 512M" "no memory" --memory 0
refused 8 "give less --memory" "more memory than the host has" --memory 100000G
refused 2 "give more --memory" "an initrd larger than memory" --initrd "$tmp/big"
refused 2 "is no kernel" "a file that is no kernel" --kernel "$tmp/big"
refused 2 "number from 1" "no VP" --vps 0
refused 2 "at most" "more VPs than there can be" --vps 1000
refused 8 "modprobe ovid" "no module" --device /dev/nothing

vm spin --name a --detach; is $? 0 "--detach"
vm off --name a; is $? 2 "the name is taken"
ovid list --json | grep -q '"name":"a"'; ok $? "list"
pid=$(ovid info --json a | sed 's/.*"pid":\([0-9]*\).*/\1/')
is "$(cat "/proc/$pid/comm")" ovid-worker "the worker's name"
is "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" 65534 "is nobody"
is "$(sed -n 's/^Groups:[\t ]*//p' "/proc/$pid/status")" "" "in no group"
is "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" 1 "with no new privileges"
is "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" 2 "behind a filter"
is "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/task/"*/status | sort -u)" 2 "with all of its threads"
is "$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")" 0000000000000000 "and no capability"
ovid pause a; is $? 0 "pause"
ovid info a | grep -q paused; ok $? "paused"
e1=$(ovid stat a | awk '$1 == "exits" { print $2 }')
sleep 0.3
is "$(ovid stat a | awk '$1 == "exits" { print $2 }')" "$e1" "a paused VP makes no exits"
ovid nmi a; is $? 0 "an NMI while paused"
ovid reset a; is $? 0 "reset while paused"
ovid resume a; is $? 0 "resume"
sleep 0.3
# says TEXT: types it at the console of a, and gives what came out of it
says() {
	(sleep 0.5; echo "$1"; sleep 1) | ovid console a >"$tmp/out" 2>"$tmp/err" & reader=$!
	sleep 1.5
	kill $reader 2>/dev/null
	cat "$tmp/out"
}

is "$(says x | grep -c Multiboot)" 2 "console shows both boots"
grep -q "typed x" "$tmp/out"; ok $? "and types"
grep -q "nmi" "$tmp/out"; is $? 1 "a reset takes the NMI that was before it"
ovid nmi a; is $? 0 "nmi"
says n | grep -q "nmi 1"; ok $? "reaches the guest"
# time stands still for the guest: ten seconds make no gap and no ticks
ticks() { says t | sed -n 's/^ticks //p' | tail -n 1; }
t1=$(ticks)
ovid pause a
sleep 10
ovid resume a
t2=$(ticks)
khz=$(ovid info --json | sed 's/.*"tsc_khz":\([0-9]*\).*/\1/')
away=$(($(sed -n 's/^away //p' "$tmp/out" | tail -n 1) * 1024 / khz))
[ "$away" -lt 5000 ]; ok $? "its TSC stands while it is paused ($away ms at most)"
[ "$t2" -gt "$t1" ] && [ $((t2 - t1)) -lt 700 ]; ok $? "so does its PIT (from $t1 to $t2)"
ovid stat a | awk '$1 == "exits" && $2 > 0 { found = 1 } END { exit !found }'; ok $? "stat"
ovid wait a & waiter=$!
sleep 0.3
ovid kill a; is $? 0 "kill"
wait $waiter; is $? 130 "wait has its status"
is "$(ovid list --json)" "[]" "none is left"
is "$(ovid info --json | sed 's/.*"partitions":\([0-9]*\).*/\1/')" 0 "nor a partition"

ovid run --kernel "$guest" --memory 16M --append spin >"$tmp/out" 2>"$tmp/err" </dev/null & run=$!
sleep 0.5
kill -INT $run
wait $run; is $? 130 "SIGINT stops it"
vm spin --name b --detach --no-reboot
ovid reset b; is $? 0 "reset by its owner, with --no-reboot"
sleep 0.5
ovid info b | grep -q running; ok $? "starts it again"
vm all --name e --detach --debug-exit
ovid wait e; is $? 1 "wait ends with the debug exit"
kill -9 "$(ovid info --json b | sed 's/.*"pid":\([0-9]*\).*/\1/')"
sleep 0.3
is "$(ovid info --json | sed 's/.*"partitions":\([0-9]*\).*/\1/')" 0 "a killed worker leaves nothing"
is "$(ovid list --json)" "[]" "and is listed no more"

# as somebody who is not root: without the group, with it
as_user() { su user -s /bin/sh -c "cd $tmp; $*" >"$tmp/out" 2>"$tmp/err" </dev/null; }
chmod 755 "$tmp"
touch "$tmp/out" "$tmp/err"
cp "$guest" "$tmp/kernel"
chgrp ovid /dev/ovid
as_user ovid run --kernel kernel --append off; is $? 8 "without the group"
[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "usermod -aG ovid" "$tmp/err"; ok $? "one line: $(cat "$tmp/err")"
sed -i 's/^ovid:.*:/&user/' /etc/group
as_user ovid run --kernel kernel --append off; is $? 0 "with it"
as_user ovid run --kernel kernel --append off --user nobody; is $? 2 "--user is for root"
as_user ovid run --kernel kernel --append spin --name u --detach; is $? 0 "detached"
is "$(stat -c '%a %u' /tmp/ovid-1000)" "700 1000" "its sockets' folder"
as_user ovid info --json u
pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$tmp/out")
is "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" 1000 "the worker is who started it"
sed -i 's/^\(ovid:.*:\)user/\1/' /etc/group
as_user ovid kill u; is $? 0 "its owner needs no group to stop it"

# VMX held by another: said by run and by info, and over when it is free again
rmmod ovid; is $? 0 "whom 'ovid kill' stopped has left the module"
refused 8 "modprobe ovid" "the module is not loaded"
ovid info >"$tmp/out" 2>"$tmp/err"; is $? 8 "info says so too"
grep -q '^can run: *no: .*modprobe' "$tmp/out"; ok $? "with what to do"
for m in kvm kvm-intel; do modprobe $m 2>"$tmp/err" || insmod "$(find /lib/modules -name $m.ko)"; done
insmod /lib/modules/ovid.ko
refused 8 "another hypervisor.*ovid info" "VMX in use by KVM"
ovid info >"$tmp/out" 2>"$tmp/err"; is $? 8 "info says so too"
grep -q '^what to do: .*modprobe -r kvm_intel' "$tmp/out"; ok $? "with what to do"
ovid info --json | grep -q '"can_run":false,.*"remedy":"stop that'; ok $? "in JSON too"
rmmod kvm_intel
vm off; is $? 0 "without KVM it runs"
echo "1..$n"
[ $bad = 0 ]
