#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ends.sh ADDRESS... - what a stock guest with Debian's own hv_netvsc makes of its network cards, said in
# lines that begin with NET (71-net-ends reads them).  For each card, in their order: "dhcp", or the address that
# it is to have, with its prefix; or "none".  Then it serves, fetches, and is moved, as ends_host.sh wants it.
# shellcheck disable=SC1091
. /stock/udhcpc.sh

base=02:aa:00:00:00:

load() {
	while read -r m; do
		insmod "/hyperv/modules/$m" || echo "NET insmod $m failed"
	done
}

# the interface of card N
card() {
	for d in /sys/class/net/*; do
		[ "$(cat "$d/address" 2>/dev/null)" = "$base$(printf %02x "$1")" ] && echo "${d##*/}" && return
	done
	return 1
}

# until COMMAND...: within 60 s
until_so() {
	n=0
	until "$@"; do
		sleep 0.2
		n=$((n + 1))
		[ $n -lt 300 ] || return 1
	done
}

there() { card "$1" >/dev/null; }
gone() { ! there "$1"; }
carrier() { [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = "$2" ]; }
quiet() { "$@" >/dev/null 2>&1; }
sum() { sha256sum | cut -d ' ' -f 1; }
# fetch WHAT URL: what came, by its sum
fetch() { echo "NET fetched $1 $(wget -q -O - "$2" | sum)"; }
# ok TEXT COMMAND...
ok() { text=$1; shift; if "$@"; then echo "NET ok $text"; else echo "NET failed $text"; fi; }

give() {	# N ADDRESS
	until_so there "$1" || { echo "NET failed card $1"; return; }
	dev=$(card "$1")
	ip link set "$dev" up
	until_so carrier "$dev" 1 || echo "NET failed carrier $1"
	case $2 in
	dhcp) udhcpc -i "$dev" -n -q -t 10 -s /stock/udhcpc.sh >/dev/null 2>&1 || echo "NET failed dhcp" ;;
	none) ;;
	*) ip addr add "$2" dev "$dev" ;;
	esac
	echo "NET address $1 $(ip -4 -o addr show "$dev" | awk '{ print $4 }') mtu $(cat "/sys/class/net/$dev/mtu")"
}

load </hyperv/modules/order
load </hyperv/modules/nets
ip link set lo up
nr=0
for address; do
	give $nr "$address"
	nr=$((nr + 1))
done
mkdir -p /var/lib/hyperv /www
/hyperv/daemons/bin/hv_kvp_daemon -n >/tmp/kvp.log 2>&1 &

dd if=/dev/urandom of=/www/data bs=64k count=16 2>/dev/null
httpd -p 80 -h /www
echo "NET serves $(sum </www/data)"
fetch user http://10.0.2.2:8000/data
fetch bridge http://10.1.0.1:8000/data
fetch interface http://10.2.0.1:8000/data

# moved in the middle of it
echo "NET downloads"
fetch moved http://10.0.2.2:8000/cgi-bin/slow

dev=$(card 0)
echo "NET looks"
ok "the link goes" until_so carrier "$dev" 0
ok "the link comes" until_so carrier "$dev" 1
ok "a card more" until_so there 16
# two in a VLAN, and one in another: the first hears who has an address where nobody is asked by a route
for i in 17 18 19; do
	ok "card $i" until_so there $i
	ip link set "$(card $i)" up
	until_so carrier "$(card $i)" 1
done
ip addr add 10.7.0.18/24 dev "$(card 18)"
ip addr add 10.7.0.19/24 dev "$(card 19)"
# no card answers for another one's address
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
heard() { ! arping -q -D -c 3 -I "$(card 17)" "$1"; }
ok "one of its VLAN is heard" heard 10.7.0.18
if heard 10.7.0.19; then echo "NET failed another VLAN is heard"; fi
echo "NET hears"
ok "a card less" until_so gone 16
nslookup -type=a host.test 10.0.2.3 2>&1 | sed -n 's/^Address.*: \(192.0.2.*\)/NET name \1/p'
until_so quiet wget -O /dev/null http://10.1.0.1:8000/end
dmesg | grep -i -E 'BUG:|Oops|Call Trace|WARNING: (CPU|.* at )|netvsc.*(fail|error|unable|timeout)|NETDEV WATCHDOG' | sed 's/^/NET complaint /'
echo "NET ends"
