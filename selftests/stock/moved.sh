#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with components that work is moved from partition to
# partition, and asked for something over its bus each time; then it loads its drivers anew.
# Prints what became of it: 63-vmbus-pulse reads that.  The guest's part is vmbus.sh.
# usage: moved.sh TIMES APPEND
times=$1 append=$2

patience=300
. ./ask.sh

# heartbeats that were answered
answered() { ovid heartbeat --json g | sed -n 's/.*"answered":\([0-9]*\).*/\1/p'; }

ovid run --kernel vmlinux --initrd programs --memory 192M --vps 2 --hv on,-stimer --name g \
	--detach --serial file:g.log --append "$append" || exit
seen 'VMBUS kvp' && until_ok ovid kvp set g moved 0 && until_ok ovid heartbeat g && echo "it works"
before=$(answered) moved=0 right=0
while [ $moved -lt "$times" ]; do
	ovid pulse g || break
	moved=$((moved + 1))
	# something is under way when it is moved: the guest answers as it likes
	ovid kvp set g moved $moved && [ "$(ovid kvp get g moved)" = $moved ] && right=$((right + 1))
	sleep 0.0$((moved % 10))
done
echo "moved $moved times, answered $right times"
ovid pulse --count 5 g && echo "and five times in a row"
ovid pause g
ovid pulse --count 3 g && echo "and while it was paused"
ovid resume g
[ "$(ovid kvp get g moved)" = "$moved" ] && echo "its pairs are there"
i=0
until [ "$(answered)" -ge $((before + 3)) ]; do
	sleep 1
	i=$((i + 1))
	[ $i -lt 60 ] || break
done
echo "heartbeat: $(ovid heartbeat g)"
[ "$(answered)" -ge $((before + 3)) ] && echo "and it has gone on"
echo | ovid console g >/dev/null
ovid wait g
echo "ended $?"
guest | grep '^VMBUS'
