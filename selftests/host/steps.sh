# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# steps.sh - points that are made once: source it after tap.sh, with $done a folder that
# notes which have passed.

# step NAME TITLE COMMAND...: once only; by $seed what is random can be done again
step() {
	local name=$1 title=$2 before=$bad; shift 2
	if [ -e "$done/$name" ]; then
		points=$((points + 1))
		echo "ok $points - $title (before)"
		return
	fi
	# shellcheck disable=SC2034  # for COMMAND
	seed=$(date +%s)
	echo "# seed $seed"
	point "$title" "$@"
	[ "$bad" != "$before" ] || touch "$done/$name"
}
