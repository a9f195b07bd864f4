#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# grub.sh ROOT COMMAND-LINE - boot/grub/grub.cfg as Debian's grub-mkconfig makes it, in short; that
# one asks the disks of the machine that it runs on.
set -eu
cd "$1"
uuid=$(sed -n 's/^UUID=\([^ ]*\) .*/\1/p' etc/fstab)
mkdir -p boot/grub
cat >boot/grub/grub.cfg <<-G
set default="0"
if [ x"\${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option
set timeout=5
menuentry 'Debian GNU/Linux' --class debian --class gnu-linux \$menuentry_id_option 'gnulinux-simple-$uuid' {
	insmod part_gpt
	insmod ext2
	search --no-floppy --fs-uuid --set=root $uuid
	linux	/$(echo boot/vmlinuz-*) $2
	initrd	/$(echo boot/initrd.img-*)
}
G
