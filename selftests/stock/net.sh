#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# net.sh ROLE [N] - what a stock kernel with Debian's own modules makes of network cards on the VMBus, said in lines that
# begin with NET (71-net reads them).  ROLE: `peer` answers at 10.1.0.3, the others are at 10.1.0.2: `traffic`, with
# all switches of its driver, which is reloaded N times; `big`, N MiB each way, by a second card too, whose network is
# the guest's own.  The host is at 10.1.0.1; all are in fd00::/64, too.  There are busybox, /stock/netio and, in
# /hyperv, modules/ with `order` and `nets`.
set -u

m() { while read -r m; do insmod "/hyperv/modules/$m" || echo "NET insmod $m failed"; done; }
netio() { /stock/netio "$@"; }

# within half a minute: is COMMAND... so?
some_time() {
	i=0
	until "$@"; do
		sleep 0.1
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
	done
}
is_there() { [ -e "/sys/class/net/$1" ]; }
has_carrier() { [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = "$2" ]; }

# addresses of IPv6 are good at once
no_dad() { echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"; }

# up DEV ADDR: the address of the last byte
up() {
	some_time is_there "$1" || echo "NET no $1"
	no_dad "$1"
	ip link set "$1" up
	ip addr add "10.1.0.$2/24" dev "$1"
	ip -6 addr add "fd00::$2/64" dev "$1"
	some_time has_carrier "$1" 1 || echo "NET $1 has no carrier"
}

say() { echo "NET $*"; }
# said WHAT COMMAND...: its last line
said() {
	what=$1
	shift
	echo "NET $what: $("$@" 2>&1 | tail -n 1)"
}

# both ways, IPv4 and IPv6
exchange() {
	said "$1" netio send 10.1.0.1 7 "$2" "$3"
	said "$1" netio receive 10.1.0.1 7 "$2" "$3"
	said "$1 ip6" netio send fd00::1 7 "$2" "$3"
	said "$1 ip6" netio receive fd00::1 7 "$2" "$3"
}

pings() {
	for n in 0 1 500 1472 1473 8000 60000; do
		ping -c 2 -q -s $n -W 5 10.1.0.1 >/tmp/ping && say "ping $n good" || say "ping $n: $(grep loss /tmp/ping)"
	done
}

switches() {
	for s in rx lro tso gso tx sg gro; do
		said "off" netio set eth0 $s off
		exchange "without $s" 1 256
		for t in sg tx tso gso gro rx lro; do
			netio set eth0 $t on >/tmp/on || say "$t: $(cat /tmp/on)"
		done
	done
	said "again" netio show eth0
}

mtus() {
	for n in 576 1280 1500 4000 9000; do
		ip link set eth0 mtu $n || say "mtu $n is refused"
		some_time has_carrier eth0 1
		ip -6 addr add fd00::2/64 dev eth0 2>/dev/null
		ping -c 1 -q -s $((n - 28)) -W 5 10.1.0.1 >/dev/null || say "no ping of $n"
		said "mtu $n" netio send 10.1.0.1 7 2 512
		said "mtu $n" netio receive 10.1.0.1 7 2 512
	done
	ip link set eth0 mtu 1500
	some_time has_carrier eth0 1
}

queues() {
	for n in 1 2; do
		said "channels" netio set eth0 channels $n
		some_time has_carrier eth0 1
		exchange "$n channels" 4 256
	done
	said "ring" netio set eth0 rx-ring 500
	said "ring" netio set eth0 tx-ring 40
	some_time has_carrier eth0 1
	exchange "small buffers" 4 256
	said "queues" netio show eth0
}

tagged() {
	ip link add link eth0 name tag type vlan id 10 && ip addr add 10.2.0.2/24 dev tag && ip link set tag up
	some_time has_carrier tag 1
	said "vlan" netio send 10.2.0.1 7 2 1024
	said "vlan" netio receive 10.2.0.1 7 2 1024
	said "vlan" netio udp 10.2.0.1 7 1472 5
	ip link del tag
}

# the driver goes and comes while it has much to do
reloads() {
	n=0
	while [ $n -lt "$1" ]; do
		netio send 10.1.0.1 7 4 100000 >/dev/null 2>&1 &
		a=$!
		netio receive 10.1.0.1 7 4 100000 >/dev/null 2>&1 &
		sleep 0.3
		rmmod hv_netvsc || say "rmmod fails"
		kill $a $!
		insmod /hyperv/modules/hv_netvsc.ko
		up eth0 2
		n=$((n + 1))
	done
	exchange "reloaded $n" 2 512
}

# a bridge in the guest: its card takes what is not its own
bridged() {
	ip addr flush dev eth0
	ip link add name br type bridge && ip link set eth0 master br && ip link set br address 02:00:00:00:00:99
	up br 2
	some_time ping -c 1 -q -W 1 10.1.0.1 >/dev/null
	exchange "bridge" 1 512
	ip link set eth0 nomaster
	ip link del br
	ip addr add 10.1.0.2/24 dev eth0
	ip -6 addr add fd00::2/64 dev eth0
}

traffic() {
	say "address $(cat /sys/class/net/eth0/address)"
	said "shows" netio show eth0
	pings
	for n in 1 4 16; do
		exchange "plain" $n $((4096 / n))
	done
	for n in 1 100 1472 1473 9000 60000; do
		said "datagrams" netio udp 10.1.0.1 7 $n 20
	done
	said "peer" netio send 10.1.0.3 7 4 512
	said "peer" netio receive 10.1.0.3 7 4 512
	said "peer ip6" netio send fd00::3 7 4 512
	switches
	mtus
	queues
	tagged
	said "hears" netio hear 239.1.2.3 99 eth0
	bridged
	reloads "$1"
}

# so much each way by the network of its own, and by the bridge
of_mac() { d=$(grep -l "$1" /sys/class/net/eth*/address) && d=${d%/address} && echo "${d##*/}"; }
big() {
	some_time is_there eth1
	up "$(of_mac 02:00:00:00:00:02)" 2
	own=$(of_mac 02:00:00:00:00:04)
	ip addr add 10.0.2.15/24 dev "$own"
	ip link set "$own" up
	some_time has_carrier "$own" 1
	for at in 10.0.2.2 10.1.0.1; do
		said "big $at" netio receive $at 7 1 $(($1 * 1024))
		said "big $at" netio send $at 7 1 $(($1 * 1024))
	done
}

bad='unchecked MSR|BUG:|Oops|Call Trace|general protection|lockup|stall|hung|timed out|WARNING: (CPU|.* at )'
bad="$bad|(hv_netvsc|eth[0-9]).*(invalid|overflow|fail|unable|too big|unexpected|unknown|error)"

m </hyperv/modules/order
m </hyperv/modules/nets
case $1 in
peer)	up eth0 3
	netio serve 7 &
	say "serves"
	sleep 100000 ;;
traffic) up eth0 2
	traffic "$2" ;;
big)	big "$2" ;;
esac
dmesg | grep -i -E "$bad" | sed 's/^/NET complaint /'
ip -s link show eth0 | tr -s ' \n' ' ' | sed 's/^/NET counts /'
echo
say "ends"
