# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# newest.sh - for jobs about the newest kernel that Debian has; source it after tap.sh.
# Debian moves on by itself.  That the module does not fit a kernel that nobody has
# tried is news, not a failure.

# The newest series that the module was built for and run on.  Raise it when that
# has been done with a newer one: from then on a failure is one.
newest_seen=7.2

# seen SERIES: it is that series, or an older one
seen() { [ "$(printf '%s\n' "$1" "$newest_seen" | sort -V | tail -n 1)" = "$newest_seen" ]; }

# series_of NAME=VERSION: 7.2, of a package such as linux-source-7.2=... or linux-headers-7.2.13+deb14-amd64=...
series_of() { sed -E 's/^[^0-9]*([0-9]+\.[0-9]+).*/\1/' <<<"$1"; }

# first_error: of a log on stdin, the line that tells what went wrong first
first_error() {
	awk '
		{ sub(/^[ \t]+/, "") }
		!NF { next }
		!found && /(error|ERROR|Error|warning|WARNING|undefined|not found|\*\*\*)/ { found = $0 }
		{ last = $0 }
		END { print found ? found : last ? last : "no word" }'
}

# newest_point PACKAGE=VERSION NAME COMMAND...: `point` for a series that was seen; for
# a newer one a failure is a skip that tells why
newest_point() {
	local package=$1 linux name=$2 out; shift 2
	linux=$(series_of "$package")
	if seen "$linux"; then
		point "$name" "$@"
	elif out=$("$@" 2>&1); then
		point "$name" true
		echo "# Linux $linux is newer than the newest seen, $newest_seen, and does (selftests/host/newest.sh)"
	else
		skip "$name" "Debian now has Linux $linux ($package), newer than any seen ($newest_seen): it fails with: $(first_error <<<"$out")"
		printf '%s\n' "$out" | tail -n 30 | sed 's/^/# /'
	fi
}
