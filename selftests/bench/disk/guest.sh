#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh ovid|kvm - in a guest of the disk rows: its disk's driver, then iobench.
if [ "$1" = ovid ]; then
	list=$(grep -v -e hv_sock -e vsock -e uio -e brd -e ext4 /hyperv/modules/order; cat /hyperv/modules/disks)
	disk=sda
else
	list=$(cat /hyperv/modules/peer)
	disk=vda
fi
for m in $list; do insmod "/hyperv/modules/$m"; done
i=0
until [ -b /dev/$disk ] || [ $i = 100 ]; do
	sleep 0.1
	i=$((i + 1))
done
echo none >/sys/block/$disk/queue/scheduler
exec /iobench /dev/$disk
