#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: two stock guests with network cards in a bridge, the second of which sends and receives as ROLE
# says.  71-net reads what this prints; the guests' part is net.sh.
# usage: net_host.sh APPEND ROLE N
patience=${PATIENCE:-400}
. ./ask.sh

modprobe ipv6; modprobe bridge; modprobe 8021q
ip link set lo up
ip link add name br0 type bridge && echo 0 >/proc/sys/net/ipv6/conf/br0/accept_dad
ip addr add 10.1.0.1/24 dev br0 && ip -6 addr add fd00::1/64 dev br0 && ip link set br0 up
ip link add link br0 name tag type vlan id 10 && ip addr add 10.2.0.1/24 dev tag && ip link set tag up
./netio serve 7 &
./netio cast 239.1.2.3 99 br0 &

# vm NAME ROLE OPTION...
vm() {
	name=$1 role=$2
	shift 2
	ovid run --kernel vmlinux --initrd programs --memory 192M --hv on,-stimer --name "$name" \
		--detach --serial "file:$name.log" --append "$append ovid.cmd=\"sh /stock/net.sh $role\"" "$@"
}
append=$1

vm peer peer --net bridge=br0,mac=02:00:00:00:00:03 || exit
# with two cards it is not said which one is eth0
also=
[ "$2" != big ] || also='--net user,mac=02:00:00:00:00:04'
# shellcheck disable=SC2086
vm g "$2 $3" --vps 2 --net bridge=br0,mac=02:00:00:00:00:02,queues=2,mtu=9000 $also || exit
seen 'NET ends' || ovid stat g
ovid net-list g | sed 's/^/HOST /'
ovid wait g
echo "HOST ended $?"
guest | grep '^NET'
ovid kill peer
tr -d '\r' <peer.log | grep '^NET'
