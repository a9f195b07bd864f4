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
	local suite=$1 d=$cache/apt-$1 cmd=$2; shift 2
	mkdir -p "$d/lists/partial" "$d/archives/partial" "$d/parts"
	cat >"$d/sources.list" <<-E
	deb [signed-by=$(keyring)] $(mirror) $suite main
	deb-src [signed-by=$(keyring)] $(mirror) $suite main
	E
	: >"$d/status"
	"$cmd" -o Dir::Etc::SourceList="$d/sources.list" -o Dir::Etc::SourceParts="$d/parts" \
		-o Dir::State="$d" -o Dir::State::Lists="$d/lists" -o Dir::State::status="$d/status" \
		-o Dir::Cache="$d" -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# suite_update SUITE: fetch its lists, once a day at most
suite_update() {
	local stamp=$cache/apt-$1/updated
	[ ! "$(find "$stamp" -mtime -1 2>/dev/null)" ] || return 0
	if suite_apt "$1" apt-get update -q >"$cache/log/apt-$1.log" 2>&1; then
		touch "$stamp"
	else
		say "  apt-get update of $1 failed (see $cache/log/apt-$1.log); going on with what is there"
	fi
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

# get_deb PACKAGE VERSION: its .deb into the current folder
get_deb() {
	apt-get -o APT::Sandbox::User=root download -q "$1=$2" || {
		refresh
		apt-get -o APT::Sandbox::User=root download -q "$1=$2"
	}
}
