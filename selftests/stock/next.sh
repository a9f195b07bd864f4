# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# next.sh - for those who go on to another kernel by kexec.

# our own command line, without what is for this kernel alone
next=$(sed 's/ *ovid\.cmd=".*//' /proc/cmdline)

# what was said is out of the serial port, before the kernel's words come between
drain() { stty sane <&1 2>/dev/null; }

# hand_over OPTION COMMAND WITHOUT: the next kernel, which does COMMAND; it gets the files that
# are here but for some.  Checksums of it take a minute here.  Gives kexec's status.
hand_over() {
	(cd / && find . -xdev ! -path './tmp/*' ! -path "$3" | cpio -o -H newc) >/tmp/initrd
	kexec --kexec-syscall --no-checks "$1" /boot/vmlinuz --initrd=/tmp/initrd \
		--command-line="$next ovid.cmd=\"$2\""
	set -- $?
	rm /tmp/initrd
	return "$1"
}
