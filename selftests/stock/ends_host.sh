#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with a card of each kind, whose host serves and fetches files, moves it,
# pulls its cables and gives it another card.  Prints what became of it: 71-net-ends reads that.
# usage: ends_host.sh APPEND
append=$1
# shellcheck disable=SC1091
. ./ask.sh
patience=400

sum() { sha256sum | cut -d ' ' -f 1; }
fetched() { echo "HOST fetched $1 $(wget -q -O - "$2" | sum)"; }
# says WHAT COMMAND...: what it prints, in one line
says() { what=$1; shift; echo "HOST $what $("$@" 2>&1 | tr '\n' ' ' | sed 's/ $//')"; }

serve() {
	mkdir -p www/cgi-bin
	dd if=/dev/urandom of=www/data bs=64k count=16 2>/dev/null
	# a piece each second: it is still coming when the guest is moved
	cat >www/cgi-bin/slow <<-'C'
	#!/bin/sh
	printf 'Content-Type: application/octet-stream\r\n\r\n'
	for i in 0 1 2 3 4 5 6 7; do
		dd if=../data bs=64k skip=$i count=1 2>/dev/null
		sleep 1
	done
	C
	chmod +x www/cgi-bin/slow
	httpd -p 127.0.0.1:8000 -h www
	echo "nameserver 127.0.0.1" >/etc/resolv.conf
	./nameserver &
	nameserver=$!
	echo "HOST serves $(sum <www/data)"
	echo "HOST slowly $(dd if=www/data bs=64k count=8 2>/dev/null | sum)"
}

interfaces() {
	for m in llc stp bridge tun; do modprobe $m 2>/dev/null; done
	ip link set lo up
	brctl addbr br0
	ip addr add 10.1.0.1/24 dev br0
	ip link set br0 up
	brctl addbr br1
	echo 1 >/sys/class/net/br1/bridge/vlan_filtering
	ip link set br1 up
}

start() {
	ovid run --kernel vmlinuz --initrd initrd --initrd programs --memory 400M --vps 2 --name g --detach \
		--serial file:g.log --append "$append" \
		--net user,hostfwd=tcp::2222-:80,mac=02:aa:00:00:00:00 \
		--net bridge=br0,mac=02:aa:00:00:00:01,guard=on \
		--net if=wan0,mac=02:aa:00:00:00:02,mtu=9000 || exit
	ip addr add 10.2.0.1/24 dev wan0
	# what is on the loopback interface only is the guest's by `user` alone
	httpd -p 10.1.0.1:8000 -h www
	httpd -p 10.2.0.1:8000 -h www
}

# all three ways in
fetch_all() {
	fetched "user $1" http://127.0.0.1:2222/data
	fetched "bridge $1" http://10.1.0.2/data
	fetched "interface $1" http://10.2.0.2/data
}

serve
interfaces
start
seen 'NET serves .*' || { ovid kill g; guest; exit 1; }
fetch_all before
seen 'NET downloads' && ovid pulse g && ovid pulse g && echo "HOST moved"
ip addr add 10.2.0.1/24 dev wan0
seen 'NET looks' || { ovid net-list g; ovid kill g; guest; exit 1; }
fetch_all after
ovid net-link g 0 down
seen 'NET ok the link goes'
ovid net-link g 0 up
seen 'NET ok the link comes'
says attached ovid net-attach g tap=t9,mac=02:aa:00:00:00:10
seen 'NET ok a card more'
says vlan ovid run --kernel vmlinuz --net bridge=br0,vlan=7
for i in 7:11 7:12 8:13; do
	ovid net-attach g bridge=br1,vlan=${i%:*},mac=02:aa:00:00:00:${i#*:} || guest
done
seen 'NET hears'
ovid net-detach g 3
seen 'NET ok a card less'
says ip ovid ip --wait=100 g
ovid net-list g | sed 's/^/HOST card /'
ovid net-list --json g | sed 's/^/HOST json /'
# another network for the card that is `user`'s: the host is there under another address
ovid net-move g 0 bridge=br0
ip addr add 10.0.2.1/24 dev br0
fetched "by another end" http://10.0.2.15/data
: >www/end
ovid wait g
echo "HOST ended $?"
# they go with the last of its files, which its process closes when it ends
left() { pidof ovid-slirp || ip link | grep -E 'wan0|ovid[0-9]|t9'; }
n=0
while left >/dev/null && [ $n -lt 100 ]; do
	sleep 0.2
	n=$((n + 1))
done
left || echo "HOST nothing is left"
kill $nameserver
guest
