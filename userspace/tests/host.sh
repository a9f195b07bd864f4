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

vm off --memory 5000; is $? 2 "memory that is no multiple of a page"
dd if=/dev/zero of="$tmp/big" bs=1M count=20 2>/dev/null
vm off --initrd "$tmp/big"; is $? 2 "an initrd larger than memory"
ovid run --kernel "$tmp/big" </dev/null 2>"$tmp/err"; is $? 2 "a file that is no kernel"
vm off --vps 1000; is $? 2 "more VPs than there can be"
vm off --device /dev/nothing; is $? 8 "no module"

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
ovid reset a; is $? 0 "reset while paused"
ovid resume a; is $? 0 "resume"
sleep 0.3
(sleep 0.5; echo x) | ovid console a 2>/dev/null >"$tmp/out" & reader=$!
sleep 1.5
kill $reader 2>/dev/null
is "$(grep -c Multiboot "$tmp/out")" 2 "console shows both boots"
grep -q "typed x" "$tmp/out"; ok $? "and types"
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
vm spin --name b --detach
kill -9 "$(ovid info --json b | sed 's/.*"pid":\([0-9]*\).*/\1/')"
sleep 0.3
is "$(ovid info --json | sed 's/.*"partitions":\([0-9]*\).*/\1/')" 0 "a killed worker leaves nothing"
is "$(ovid list --json)" "[]" "and is listed no more"
echo "1..$n"
[ $bad = 0 ]
