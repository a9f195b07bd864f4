#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a Debian that is a guest: what selftests/debian wants of it.  Lines for the job begin with
# INSIDE.  The disc is mounted where this script is.
#	install PACKAGE	from the disc's repository
#	verify PACKAGE	what dpkg knows of it is there
#	fio DISK SIZE	makes a filesystem on it; so much is written at random places, read and compared
disc=$(dirname "$0")

inside() { echo "INSIDE $*"; }

# there is no other source of packages
apt() { apt-get -q -o Dir::Etc::SourceList=/root/disc.list -o Dir::Etc::SourceParts=- "$@"; }

install_one() {
	dpkg-query -W "$1" 2>/dev/null && inside "has $1 already"
	echo "deb [trusted=yes] file:$disc/repo ./" >/root/disc.list
	apt update && apt install -y --no-install-recommends "$1"
	inside "installed $(dpkg-query -W -f '${Package} ${Version} ${Status}' "$1")"
}

# documentation is left out when packages are unpacked (host/guest/debian/dpkg.cfg)
verify() {
	dpkg --verify | grep -v -E '^missing +/usr/share/(doc|man|locale)/' >/root/verify
	cat /root/verify
	inside "verify: $(wc -l </root/verify) differ of $(dpkg-query -W | wc -l) packages"
	inside "audit: $(dpkg --audit | wc -l) lines"
	inside "it starts: $("$1" --version)"
}

fio_verify() {
	mkfs.ext4 -q -F "$1" && mkdir -p /srv/d && mount "$1" /srv/d || inside "no filesystem"
	from=$(cut -d. -f1 /proc/uptime)
	"$disc/fio/run" --name=verify --filename=/srv/d/file --size="$2" --rw=randwrite --bs=128k --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --do_verify=1 --verify_fatal=1 --end_fsync=1 \
		--eta=never --output=/root/fio.txt
	inside "fio ended $? after $(($(cut -d. -f1 /proc/uptime) - from)) s"
	grep -E -e 'err=|WRITE:|READ:' -e 'issued rwts' /root/fio.txt | sed 's/^ */INSIDE fio /'
	inside "file $(stat -c %s /srv/d/file)"
}

what=$1
shift
case $what in
install) install_one "$@" ;;
verify) verify "$@" ;;
fio) fio_verify "$@" ;;
esac
inside "done $what"
