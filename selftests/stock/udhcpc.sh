#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# udhcpc.sh - what busybox's udhcpc calls with what it was told: the interface gets it.
# shellcheck disable=SC2154  # from udhcpc
case ${1:-} in
deconfig)
	ip addr flush dev "$interface" ;;
bound|renew)
	ip addr add "$ip/$mask" dev "$interface" 2>/dev/null
	for r in ${router:-}; do ip route replace default via "$r" dev "$interface"; done
	: >/etc/resolv.conf
	for d in ${dns:-}; do echo "nameserver $d" >>/etc/resolv.conf; done ;;
esac
