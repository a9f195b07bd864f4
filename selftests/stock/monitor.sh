#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest whose channels have monitors, which it signals by in place of
# hypercalls, is asked for something, and once more where it was moved to.  Prints what became of
# it: 63-vmbus-pulse reads that.
# usage: monitor.sh APPEND
append=$1

patience=300
. ./ask.sh

# of each component that was signalled: how often, and how often by a monitor
signals() {
	ovid stat g | awk -v where="$1" '
		NF == 1 { name = $1; sub(/.*chan[0-9]*-/, "", name) }
		$1 == "signals_monitored" { monitored = $2 }
		$1 == "signals_in" && $2 { print where, name, $2 == monitored ? "by monitors" : $2 " signals, " monitored " by monitors" }'
}

# the counters begin anew with a move
heard() { signals | grep -q heartbeat; }

ovid run --kernel vmlinux --initrd programs --memory 192M --vps 2 --hv on,-stimer --name g \
	--vmbus on,latency=1000 --detach --serial file:g.log --append "$append" || exit
seen 'VMBUS kvp' && until_ok ovid kvp set g moved 0 && until_ok ovid heartbeat g && echo "it works"
signals here
ovid pulse --count 3 g && echo "it is moved"
ovid kvp set g moved 1 && [ "$(ovid kvp get g moved)" = 1 ] && until_ok heard && echo "it works there"
signals there
echo | ovid console g >/dev/null
ovid wait g
echo "ended $?"
guest | grep '^VMBUS'
