# SPDX-License-Identifier: GPL-2.0-only
# Developer targets; what the module is made of is in Kbuild.  `make help` lists them.

KERNEL ?= 6.12
CONFIG ?= lean
O ?= $(CURDIR)/build
build := selftests/host/build
run := selftests/host/run
export OVID_KERNEL := $(KERNEL)
export OVID_CONFIG := $(CONFIG)

# a part of the tree that is made by its own Makefile, once it is there; built by all processors
sub = @if [ -e $(1)/Makefile ]; then $(MAKE) --no-print-directory -C $(1) O=$(abspath $(O)) $(2); fi
built = $(call sub,$(1),-j$(shell nproc))
# a script that is run if it is there
script = @if [ -x $(1) ]; then $(1) $(2); else echo "$(1) is not there yet"; fi

.PHONY: all module tools guests host-image demo check soak peer-qemu bench host unit kunit fuzz lint layers help deps clean
.PHONY: install uninstall load unload
all: module tools

## module      the module, for the test host (KERNEL=6.12|newest CONFIG=lean|debug|headers) or KDIR=/lib/modules/.../build
module: deps
	@$(build)/module $(CONFIG) $(KERNEL) $(KDIR)

## tools       the userspace programs, to build/bin
tools: deps
	$(call built,userspace)

## guests      the small guests that tests run, to build/guests
guests: deps
	$(call built,selftests/guest)
	$(call built,selftests/api)
	$(call built,selftests/bench)
	$(call built,selftests/life)
	$(call built,selftests/stock)

## host-image  the emulator, the test host's kernel and Debian's kernel for guests, to the cache
host-image: deps
	@$(build)/bochs >/dev/null
	@$(build)/host $(CONFIG) $(KERNEL) >/dev/null
	@$(build)/guest-kernel >/dev/null
	@$(build)/guest-initrd >/dev/null

## demo        from nothing: a Debian with its stock kernel in a partition, in the test host
demo: deps host-image module tools
	@$(build)/guest-debian >/dev/null
	@selftests/demo

## check       every test once; JOBS="10-host ..." for some
check: deps host-image module tools guests
	@$(build)/host debug $(KERNEL) >/dev/null
	@$(build)/module debug $(KERNEL)
	@selftests/check $(JOBS)

## soak        the long counts (no time limit)
soak: host-image module tools guests
	@$(build)/host debug $(KERNEL) >/dev/null
	@$(build)/module debug $(KERNEL)
	$(call script,selftests/soak)

## peer-qemu   Debian's QEMU, which the bench compares with, to the cache
peer-qemu: deps
	@$(build)/peer-qemu >/dev/null

## bench       ovid and KVM side by side
bench: host-image peer-qemu module tools guests
	$(call script,selftests/bench/run)

## host        a shell in the test host, the module in it (DEBUG=1: KASAN, lockdep, kmemleak)
host: host-image module tools guests
	@$(run) --timeout 86400 $(if $(wildcard build/$(KERNEL)-$(CONFIG)/ovid.ko),,--no-module) $(if $(DEBUG),--debug-kernel) -- sh -l

## unit        the pure files' tests, on this machine
unit: deps
	$(call sub,selftests/unit,check)

## kunit       the KUnit suites, in the test host
kunit: host-image module
	@selftests/host/kunit

## lint        what a reviewer should not have to say
lint: layers
	$(call script,selftests/lint)

## layers      which folder may include and call which
layers:
	$(call script,selftests/layers)

## deps        the Debian packages that all this needs
deps:
	@$(build)/deps

## clean       all that was built in the tree (the cache stays)
clean:
	rm -rf build

help:
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)

-include packaging/install.mk
