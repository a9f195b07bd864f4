#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with connections that are in use is moved from partition
# to partition, which breaks them off (selftests/stock/vsock.c).  Prints what became of it and what
# both ends say: 68-vsock reads that.
# usage: sockets.sh ROUNDS APPEND
rounds=$1 append=$2

. ./ask.sh

mkdir -m 755 /tmp/v
./vsock host /tmp/v >heard &
server=$!
until [ -S /tmp/v/vsock_1012 ]; do sleep 0.1; done

# the guest lets go of nothing in between
paused() { ovid pause g && ovid pulse --count 3 g && ovid resume g; }

rounds() {
	round=1
	while seen "VSOCK busy $round"; do
		if [ $round = "$rounds" ]; then
			ovid pulse --count 5 g && echo "moved five times in a row"
			return
		elif [ $round = 1 ]; then
			ovid pulse g && echo "moved once"
		else
			paused && echo "moved while it was paused"
		fi || return
		round=$((round + 1))
	done
	return 1
}

ovid run --kernel vmlinux --initrd programs --memory 192M --vps 2 --name g --vsock /tmp/v \
	--detach --serial file:g.log --append "$append" || exit
if rounds && : >/tmp/v/still && seen 'VSOCK ok the end'; then
	ovid wait g
	echo "ended $?"
	wait $server
else
	kill $server
	ovid kill g
fi
cat heard
guest
