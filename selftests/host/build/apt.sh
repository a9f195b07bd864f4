# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # cache: lib.sh
# apt.sh - packages of this machine's Debian and, by a private apt configuration,
# of other suites from the same mirror.  Nothing of the system's is changed.

# the Debian mirror that this machine uses already
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL) $(CREATED_BY)' |
		awk '$NF == "Packages" && $2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

# the archive's key ring
keyring() {
	local k
	for k in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		if [ -e "$k" ]; then echo "$k"; return; fi
	done
	die "package debian-archive-keyring is missing"
}

# suite_apt SUITE COMMAND...: apt-get or apt-cache with the lists of SUITE alone
suite_apt() {
	local suite=$1 d=$cache/apt-$1 cmd=$2 list=$cache/apt-$1/sources.list; shift 2
	mkdir -p "$d/lists/partial" "$d/archives/partial" "$d/parts"
	# renamed into place: another builder may be reading it
	cat >"$list.$$" <<-E
	deb [signed-by=$(keyring)] $(mirror) $suite main
	deb-src [signed-by=$(keyring)] $(mirror) $suite main
	E
	mv "$list.$$" "$list"
	: >"$d/status"
	"$cmd" -o Dir::Etc::SourceList="$list" -o Dir::Etc::SourceParts="$d/parts" \
		-o Dir::State="$d" -o Dir::State::Lists="$d/lists" -o Dir::State::status="$d/status" \
		-o Dir::Cache="$d" -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# suite_update SUITE: fetch its lists, once a day at most, by one builder at a time
suite_update() {
	local stamp=$cache/apt-$1/updated
	(
		flock 9
		[ ! "$(find "$stamp" -mtime -1 2>/dev/null)" ] || exit 0
		if suite_apt "$1" apt-get update -q >"$cache/log/apt-$1.log" 2>&1; then
			touch "$stamp"
		else
			say "  apt-get update of $1 failed (see $cache/log/apt-$1.log); going on with what is there"
		fi
	) 9>"$cache/apt-$1.lock"
}

# candidate PACKAGE: the version that this machine's apt would install
candidate() {
	policy "$1" | grep . || { refresh && policy "$1"; }
}

policy() { apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

# fresh package lists, for a machine that has none or old ones
refresh() {
	say "  apt-get update ..."
	as_root apt-get update -q >"$cache/log/apt-update.log" 2>&1
}

# suite_candidate SUITE PACKAGE
suite_candidate() {
	suite_update "$1"
	suite_apt "$1" apt-cache policy "$2" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# get_debs NAME=VERSION...: their .debs into the current folder
get_debs() {
	apt-get -o APT::Sandbox::User=root download -q "$@" || {
		refresh
		apt-get -o APT::Sandbox::User=root download -q "$@"
	}
}

# get_deb PACKAGE VERSION
get_deb() { get_debs "$1=$2"; }

# suite_get SUITE NAME=VERSION...: their .debs into the current folder
suite_get() {
	local suite=$1; shift
	suite_apt "$suite" apt-get -o APT::Sandbox::User=root download -q "$@" || {
		# the mirror has moved on since: fetch the lists anew the next time
		rm -f "$cache/apt-$suite/updated"
		return 1
	}
}

# plain KIND: of package names on stdin, those of Debian's plain kernels: no meta
# package, no variant for clouds or real time
plain() { grep -E "^linux-$1-[0-9]+\.[0-9]+(\.[0-9]+|\+)[+a-z0-9]*-amd64$"; }

# newest_of KIND SERIES: the newest plain linux-KIND-SERIES.* that apt offers, NAME=VERSION
newest_of() {
	local n
	n=$(apt-cache pkgnames "linux-$1-$2." | plain "$1" |
		while read -r n; do [ -z "$(candidate "$n")" ] || echo "$n"; done | sort -V | tail -n 1)
	[ -z "$n" ] || echo "$n=$(candidate "$n")"
}

# on_offer SUITE|here NAME=VERSION...: apt knows where to get each of them
on_offer() {
	local suite=$1; shift
	if [ "$suite" = here ]; then
		apt-get download -qq --print-uris "$@" >/dev/null 2>&1
	else
		suite_update "$suite"
		suite_apt "$suite" apt-get download -qq --print-uris "$@" >/dev/null 2>&1
	fi
}

# settle LABEL SUITE|here: what to build LABEL of.  The caller's `choose` sets
# `packages` by the pins, its `key` prints the artefact's key for them.  A mirror
# drops old versions: where they are neither built nor on offer, the pins go.
settle() {
	choose
	# shellcheck disable=SC2086,SC2154  # packages: a list, by choose
	[ -d "$(folder "$1" "$(key)")" ] || on_offer "$2" $packages || {
		say "  $1: what was pinned is no longer on offer; taking what is"
		OVID_UPDATE=1 choose
	}
}
