# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # kernel, vmlinux, package, quick: for those who source this; here, build, initrd: theirs
# hyperv.sh - for jobs whose guests are stock kernels: what they have, with a VMBus too.

# half of a boot is what says nothing of Hyper-V: tests of algorithms, tables for
# tracing, certificates, two walks through all page tables
quick="cryptomgr.notests pti=off rodata=off initcall_blacklist=bpf_tcp_ca_kfunc_init,bpf_dummy_struct_ops_init"
quick="$quick,jent_mod_init,load_system_certificate_list,init_kprobe_trace"

# hyperv_guest SERIES: `kernel`, the folder of Debian's kernel, `vmlinux`, the same unpacked, `package`,
# what it is of, and a folder root with what its guest has beside busybox
hyperv_guest() {
	local hyperv
	kernel=$("$build/guest-kernel" "$1") && hyperv=$("$build/guest-hyperv" "$1") && vmlinux=$("$build/guest-vmlinux" "$1")/vmlinux || return
	package=$(cat "$kernel/package")
	rm -rf root
	mkdir -p root/stock root/hyperv/daemons
	cp "$here/../stock/"{vmbus,next}.sh root/stock
	cp -r "$hyperv/modules" root/hyperv
	cp -r "$hyperv/daemons/bin" root/hyperv/daemons
	cp -r "$hyperv/daemons/"lib{,64} root
}

# packed FOLDER: as an archive for the kernel
packed() { (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0); }

# guest_initrd: the folder of guest-initrd and root as one, for a kernel that is entered by its PVH note
# takes no second one
guest_initrd() { cat "$initrd/initrd" && packed root; }
