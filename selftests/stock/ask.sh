# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ask.sh - for scripts in the test host whose guest says things on its console, in g.log.
patience=${patience:-200}

guest() { tr -d '\r' <g.log; }

# seen PATTERN [COUNT]: whole lines of the guest, within $patience s of the host's
seen() {
	i=0
	until [ "$(guest | grep -c -x -- "$1")" -ge "${2:-1}" ]; do
		sleep 1
		i=$((i + 1))
		[ $i -lt "$patience" ] || { echo "no '$1'; it says:"; guest | tail -n 20; return 1; }
	done
}

# until COMMAND...: it succeeds, some time
until_ok() {
	i=0
	until "$@" >/dev/null 2>try; do
		sleep 1
		i=$((i + 1))
		[ $i -lt 100 ] || { echo "not '$*': $(cat try)"; return 1; }
	done
}
