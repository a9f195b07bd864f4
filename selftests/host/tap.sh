# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# tap.sh - TAP for test jobs in shell: source it, then `point NAME COMMAND...` or
# `skip NAME REASON`, and at the end `plan`.
points=0 bad=0

# point NAME COMMAND...: ok if COMMAND succeeds; what it says goes to a comment
point() {
	local name=$1 out rc=0; shift
	points=$((points + 1))
	out=$("$@" 2>&1) || rc=$?
	if [ $rc = 0 ]; then
		echo "ok $points - $name"
	else
		bad=$((bad + 1))
		echo "not ok $points - $name"
		echo "# status $rc"
		printf '%s\n' "$out" | tail -n 30 | sed 's/^/# /'
	fi
}

skip() {
	points=$((points + 1))
	echo "ok $points - $1 # SKIP $2"
}

plan() {
	echo "1..$points"
	[ $bad = 0 ]
}
