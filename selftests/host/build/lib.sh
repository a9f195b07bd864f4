# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# lib.sh - what the builders of the test host share: a cache whose folders are
# named by a hash of what they were made of, one progress line per step.
# A builder prints the folder of its artefact on stdout, all else on stderr.

# shellcheck disable=SC2034  # for those who source this
hostdir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${OVID_CACHE:-${HOME:-/var/tmp}/.cache/ovid}
mkdir -p "$cache/log"
cache=$(cd "$cache" && pwd)
export CCACHE_DIR="$cache/ccache" CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
: "${OVID_JOBS:=$(nproc)}"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# as_root COMMAND...: run it as root, by sudo if need be
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "needs root or sudo: $*"; fi
}

hash_of() { sha256sum | cut -c1-12; }

# step TEXT LOG COMMAND...: run COMMAND with its output in LOG; a line with its time.
# COMMAND may be a function: it runs in a strict shell of its own.  (Not after "||"
# or in "if": bash forgets -e in all that runs there, deep inside too.)
step() {
	local text=$1 log=$2 t0=$SECONDS rc; shift 2
	say "  $text ..."
	set +e
	(set -eux; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if [ $rc != 0 ]; then
		say "  $text: FAILED after $((SECONDS - t0)) s; the end of $log:"
		tail -n 25 "$log" >&2
		# of a parallel build, the end is not where it went wrong
		sed -n -E '/^\++ /d; /error:|ERROR:|^E: /{s/^/  the first error in it: /p; q}' "$log" >&2
		return $rc
	fi
	say "  $text: $((SECONDS - t0)) s"
}

# folder LABEL KEY: where that artefact is, or will be
folder() { printf '%s\n' "$cache/$1-$(printf %s "$2" | hash_of)"; }

# artefact NAME KEY TEXT FUNCTION: print the folder NAME-hash(KEY); if it is not
# there, FUNCTION fills a temporary folder (its $1), which is renamed (to $2) when
# it is complete.  The lock keeps two builders of one thing apart.
artefact() {
	local label=$1 key=$2 text=$3 func=$4 dir
	dir=$(folder "$label" "$key")
	[ -d "$dir" ] || (
		flock 9
		[ ! -d "$dir" ] || exit 0
		rm -rf "$dir.tmp"
		mkdir -p "$dir.tmp"
		printf '%s\n' "$key" >"$dir.tmp/.inputs"
		step "$text" "$cache/log/$label.log" "$func" "$dir.tmp" "$dir"
		mv "$dir.tmp" "$dir"
		prune "$label"
	) 9>"$dir.lock"
	touch "$dir"
	printf '%s\n' "$dir"
}

# prune LABEL: drop its artefacts that nobody has used for a week
prune() {
	find "$cache" -maxdepth 1 -mtime +7 -regextype posix-extended \
		-regex ".*/$1-[0-9a-f]{12}(\.tmp|\.lock)?" -exec rm -rf {} +
}

# pinned NAME CANDIDATE-COMMAND...: the version that the cache was built with, so
# that a new Debian upload rebuilds nothing by itself (OVID_UPDATE=1 does)
pinned() {
	local pin=$cache/pin-$1 v; shift
	if [ ! -s "$pin" ] || [ "${OVID_UPDATE:-}" ]; then
		v=$("$@") || return 1
		[ "$v" ] || return 1
		printf '%s\n' "$v" >"$pin.$$"
		mv "$pin.$$" "$pin"
	fi
	cat "$pin"
}
