#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh ovid|kvm - in a guest of the net rows: its card's driver, then netbench.
if [ "$1" = ovid ]; then
	list=$(grep -v -e hv_sock -e vsock -e uio -e brd -e ext4 /hyperv/modules/order
		grep -v -e bridge -e 8021q -e stp -e llc -e garp -e mrp /hyperv/modules/nets)
else
	list=$(grep -v virtio_blk /hyperv/modules/peer)
fi
for m in $list; do insmod "/hyperv/modules/$m"; done
i=0
until [ -e /sys/class/net/eth0 ] || [ $i = 100 ]; do
	sleep 0.1
	i=$((i + 1))
done
echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6
ip link set eth0 up
ip addr add 10.1.0.2/24 dev eth0
until ping -c 1 -W 1 10.1.0.1 >/dev/null || [ $i = 200 ]; do i=$((i + 1)); done
exec /netbench 10.1.0.1
