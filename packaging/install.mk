# SPDX-License-Identifier: GPL-2.0-only
# Onto this machine and off it again; the Makefile at the top includes this.
#
#	make install [KDIR=...] [PREFIX=/usr/local] [DESTDIR=...]
#
# With DESTDIR files are put there and the system is left alone: no root, no group,
# no depmod, no udev.  DKMS, for a module that follows the kernel: see dkms.conf.

PREFIX	?= /usr/local
UDEVDIR	?= /etc/udev/rules.d
SYSUSERSDIR ?= /etc/sysusers.d
native_kdir = $(or $(KDIR),/lib/modules/$(shell uname -r)/build)
native_release = $(shell cat $(native_kdir)/include/config/kernel.release 2>/dev/null)
# what is made for a package is the caller's own
root := $(if $(DESTDIR)$(filter 0,$(shell id -u)),,sudo)

.PHONY: native install uninstall load unload dkms

# the module for this machine's kernel, in build/native
native: deps
	@[ -e $(native_kdir)/Makefile ] || { echo "no kernel headers at $(native_kdir): apt-get install linux-headers-$$(uname -r)"; exit 1; }
	@$(build)/module native '' $(native_kdir)

## install     module, programs, udev rule, group and man page onto this machine
install: native tools
	for m in ovid ovid_vsock; do \
		[ ! -e build/native/$$m.ko ] || $(root) install -D -m 644 build/native/$$m.ko \
			$(DESTDIR)/lib/modules/$(native_release)/updates/$$m.ko || exit; \
	done
	$(root) $(MAKE) --no-print-directory -C userspace O=$(abspath $(O)) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install
	$(root) install -D -m 644 packaging/60-ovid.rules $(DESTDIR)$(UDEVDIR)/60-ovid.rules
	$(root) install -D -m 644 packaging/ovid.sysusers $(DESTDIR)$(SYSUSERSDIR)/ovid.conf
ifeq ($(DESTDIR),)
	getent group ovid >/dev/null || $(root) groupadd --system ovid
	$(root) depmod -a $(native_release)
	-$(root) udevadm control --reload
	-$(root) udevadm trigger --sysname-match=ovid	# should it be loaded already
	@echo 'now: modprobe ovid, and adduser USER ovid (log in anew); then `ovid info`'
endif

## uninstall   takes it all away, but for the group
uninstall:
	$(root) rm -f $(DESTDIR)/lib/modules/*/updates/ovid.ko \
		$(DESTDIR)/lib/modules/*/updates/ovid_vsock.ko $(DESTDIR)$(UDEVDIR)/60-ovid.rules \
		$(DESTDIR)$(SYSUSERSDIR)/ovid.conf $(DESTDIR)$(PREFIX)/bin/ovid \
		$(DESTDIR)$(PREFIX)/share/man/man1/ovid.1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ovid \
		$(addprefix $(DESTDIR)$(PREFIX)/lib/libovid,.a .so .so.0) \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig/libovid.pc \
		$(addprefix $(DESTDIR)$(PREFIX)/include/ovid/,libovid.h ovid.h)
ifeq ($(DESTDIR),)
	$(root) depmod -a
endif

## load        the module of this tree into this machine's kernel (ARGS="scoped=1 ...")
load: native
	$(root) insmod build/native/ovid.ko $(ARGS)

## unload      and out of it
unload:
	$(root) rmmod ovid

## dkms        the module's source to /usr/src, to be built by DKMS for each kernel
dkms: version := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
dkms:
	$(root) install -d $(DESTDIR)/usr/src/ovid-$(version)
	tar -c Kbuild dkms.conf LICENSE uapi vmm $(wildcard vmbus vsp) | \
		$(root) tar -x --no-same-owner -C $(DESTDIR)/usr/src/ovid-$(version)
	@[ -n "$(DESTDIR)" ] || echo 'now: dkms install ovid/$(version)'
