// SPDX-License-Identifier: GPL-2.0-only
/* pages that the guest writes to: property 0x50005, MSHV_GET_GPAP_ACCESS_BITMAP */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define RAM		(16u << 20)
#define PAGES		(RAM >> 12)
#define TRACKING	HV_PARTITION_PROPERTY_GPA_PAGE_ACCESS_TRACKING
#define AT(page)	((uint32_t)(page) << 12)

#define DIRTY		MSHV_GPAP_ACCESS_TYPE_DIRTY
#define ACCESSED	MSHV_GPAP_ACCESS_TYPE_ACCESSED
#define READ		MSHV_GPAP_ACCESS_OP_NOOP
#define CLEAR		MSHV_GPAP_ACCESS_OP_CLEAR
#define SET		MSHV_GPAP_ACCESS_OP_SET

static uint8_t bits[PAGES / 8 + 8];

static int get(int part, uint8_t type, uint8_t op, uint64_t first, uint64_t pages)
{
	struct mshv_gpap_access_bitmap arg = {
		.access_type = type, .access_op = op, .page_count = pages, .gpap_base = first,
		.bitmap_ptr = (uintptr_t)bits,
	};

	memset(bits, 0xa5, sizeof(bits));
	return ov_ioctl(part, MSHV_GET_GPAP_ACCESS_BITMAP, &arg);
}

/* how many of @pages bits are set, or a negative errno */
static int count(int part, uint8_t type, uint8_t op, uint64_t first, uint64_t pages)
{
	int ret = get(part, type, op, first, pages), n = 0;

	for (uint64_t i = 0; !ret && i < pages; i++)
		n += bits[i / 8] >> i % 8 & 1;
	return ret ?: n;
}

static bool is_set(uint64_t page)
{
	return bits[page / 8] >> page % 8 & 1;
}

static void store(struct ov_vm *vm, uint32_t page)
{
	if (ov_store(vm, AT(page) + 8, 0x1234) != OVID_EXIT_IO)
		tap_ok(false, "a store to page %#x", page);
}

static void rules(void)
{
	struct mshv_gpap_access_bitmap arg = { .access_type = DIRTY, .page_count = 1, .bitmap_ptr = 8 };
	struct ov_vm vm;
	uint64_t on = 7;

	ov_vm_create32(&vm, RAM);
	tap_is(ov_property(vm.part, TRACKING, &on), 0, "the property reads");
	tap_is(on, 0, "it is off");
	tap_is(get(vm.part, DIRTY, READ, 0, 1), -EINVAL, "then there are no marks");
	tap_is(get(vm.part, ACCESSED, READ, 0, 1), -EINVAL, "of either kind");
	tap_is(ov_set_property(vm.part, TRACKING, 2), -EINVAL, "on or off");
	tap_is(ov_set_property(vm.part, TRACKING, 1), 0, "on");
	tap_is(ov_set_property(vm.part, TRACKING, 1), 0, "twice");
	tap_is(get(vm.part, 2, READ, 0, 1), -EINVAL, "an unknown kind");
	tap_is(get(vm.part, DIRTY, 3, 0, 1), -EINVAL, "an unknown operation");
	tap_is(get(vm.part, DIRTY, READ, 0, 0), -EINVAL, "no pages");
	tap_is(get(vm.part, DIRTY, READ, 0, (1 << 20) + 1), -E2BIG, "too many");
	tap_is(get(vm.part, DIRTY, READ, 1ull << 36, 1), -EINVAL, "behind all there can be");
	tap_is(get(vm.part, DIRTY, READ, (1ull << 36) - 1, 2), -EINVAL, "half behind it");
	tap_is(get(vm.part, DIRTY, READ, ~0ull, 2), -EINVAL, "around the end");
	tap_is(get(vm.part, ACCESSED, SET, 0, 1), -EOPNOTSUPP, "nobody sets that a page was used");
	tap_is(-ov_ioctl(vm.part, MSHV_GET_GPAP_ACCESS_BITMAP, &arg), EFAULT, "nowhere to write");
	store(&vm, 0x400);
	arg.gpap_base = 0x400;
	arg.access_op = CLEAR;
	tap_is(-ov_ioctl(vm.part, MSHV_GET_GPAP_ACCESS_BITMAP, &arg), EFAULT, "nor to clear");
	tap_is(count(vm.part, DIRTY, CLEAR, 0, PAGES), 1, "what nobody has seen is still marked");
	ov_discard(vm.part, AT(0x401), AT(2));
	tap_is(count(vm.part, DIRTY, CLEAR, 0, PAGES), 2, "pages that were given back have become others");
	arg.access_op = READ;
	arg.rsvd[5] = 1;
	tap_is(-ov_ioctl(vm.part, MSHV_GET_GPAP_ACCESS_BITMAP, &arg), EINVAL, "reserved bytes");
	tap_is(get(vm.part, DIRTY, READ, 0, 1), 0, "one page");
	tap_is(bits[0], 0, "one byte");
	tap_is(bits[1], 0xa5, "and no more");
	tap_is(ov_set_property(vm.part, TRACKING, 0), 0, "off");
	tap_is(get(vm.part, DIRTY, READ, 0, 1), -EINVAL, "no marks any more");
	ov_vm_destroy(&vm);
}

/* the same with memory objects, large leaves or not, and with user memory */
static void marks(struct ov_vm *vm, const char *what)
{
	uint32_t v;

	for (uint32_t page = 0x400; page < 0x420; page++)
		store(vm, page);
	tap_is(ov_set_property(vm->part, TRACKING, 1), 0, "%s: tracking", what);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 0, "%s: nothing is marked at first", what);
	tap_is(ov_load(vm, AT(0x405) + 8, &v), OVID_EXIT_IO, "%s: a load", what);
	tap_is(v, 0x1234, "%s: finds what was there", what);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 0, "%s: and marks nothing", what);
	store(vm, 0x405);
	store(vm, 0x7ff);
	store(vm, 0x800);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 3, "%s: three stores", what);
	tap_ok(is_set(0x405) && is_set(0x7ff) && is_set(0x800), "%s: mark their pages", what);
	tap_is(count(vm->part, DIRTY, CLEAR, 0x405, 0x3fb), 2, "%s: a range that begins anywhere", what);
	tap_ok(is_set(0) && is_set(0x3fa), "%s: its bits begin with the first page", what);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 1, "%s: cleared, but for what is outside", what);
	store(vm, 0x405);
	store(vm, 0x405);
	tap_is(count(vm->part, DIRTY, CLEAR, 0, PAGES), 2, "%s: a page that was cleared is marked again", what);
	store(vm, 0x405);
	tap_is(count(vm->part, DIRTY, CLEAR, 0, PAGES), 1, "%s: and again", what);
	tap_is(count(vm->part, DIRTY, CLEAR, 0, PAGES), 0, "%s: and not by itself", what);
	tap_is(count(vm->part, DIRTY, SET, 0x3ff, 3), 0, "%s: set: what was", what);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 3, "%s: is set", what);
	tap_is(ov_set_property(vm->part, TRACKING, 0), 0, "%s: off", what);
	store(vm, 0x406);
	tap_is(ov_set_property(vm->part, TRACKING, 1), 0, "%s: on again", what);
	tap_is(count(vm->part, DIRTY, READ, 0, PAGES), 0, "%s: nothing is left", what);
	tap_is(ov_set_property(vm->part, TRACKING, 0), 0, "%s: off", what);
}

static void backings(void)
{
	struct ov_vm vm;
	uint8_t *p = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ov_vm_create32(&vm, RAM);
	marks(&vm, "object");
	tap_is(count(vm.part, DIRTY, READ, 0, 1), -EINVAL, "off is off");
	ov_unmap(vm.part, AT(0x400), AT(0x800));
	ov_map_user(vm.part, AT(0x400), AT(0x800), p);
	marks(&vm, "user memory");
	ov_vm_destroy(&vm);
	munmap(p, RAM);
}

static void accessed(void)
{
	struct ov_vm vm;
	uint32_t v;

	ov_vm_create32(&vm, RAM);
	ov_set_property(vm.part, TRACKING, 1);
	ov_load(&vm, AT(0x500), &v);
	tap_is(count(vm.part, ACCESSED, READ, 0x500, 2), 1, "a page that was read was used");
	tap_ok(is_set(0), "that one");
	tap_is(count(vm.part, ACCESSED, CLEAR, 0x500, 2), 1, "the mark comes off");
	tap_is(count(vm.part, ACCESSED, READ, 0x500, 2), 0, "it is off");
	ov_vm_destroy(&vm);
}

CODE32(writer, "1: incl (%ebx); add $0x1000, %ebx; cmp $0xc00000, %ebx; jb 1b; mov $0x400000, %ebx; jmp 1b");

/* no store is lost: what a page holds when its mark was taken, or the mark comes again */
static void under_load(void)
{
	static uint32_t last[PAGES];
	unsigned int rounds, lost = 0, seen = 0;
	struct ov_thread t;
	struct ov_vm vm;

	ov_vm_create32(&vm, RAM);
	ov_set_property(vm.part, TRACKING, 1);
	ov_enter32(&vm, writer, CODE_LEN(writer), 0x400000, 0);
	ov_thread_start(&t, vm.vp);
	for (rounds = 0; rounds < 50; rounds++) {
		if (get(vm.part, DIRTY, CLEAR, 0, PAGES))
			break;
		for (uint32_t p = 0x400; p < 0xc00; p++) {
			uint32_t now = *(volatile uint32_t *)(vm.ram + AT(p));

			/* as a migration does it: a page is copied when it is marked */
			if (is_set(p))
				last[p] = now;
			seen += is_set(p);
		}
	}
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 5000), "the writer stops");
	vm.run->cancel = 0;
	get(vm.part, DIRTY, CLEAR, 0, PAGES);
	for (uint32_t p = 0x400; p < 0xc00; p++) {
		if (is_set(p))
			last[p] = *(uint32_t *)(vm.ram + AT(p));
		lost += last[p] != *(uint32_t *)(vm.ram + AT(p));
	}
	tap_is(rounds, 50, "fifty rounds");
	tap_ok(seen > 50, "%u pages were marked", seen);
	tap_is(lost, 0, "the copy is the memory");
	ov_vm_destroy(&vm);
}

/* [0x400000, 0x84c000): more than twice what a CPU's log holds */
#define LOGGED	0x44cu

CODE32(toucher, "1: mov (%ebx), %eax; add $0x1000, %ebx; cmp $0x84c000, %ebx; jb 1b; out %al, $0x10");
CODE32(stamper, "1: incl (%ebx); add $0x1000, %ebx; cmp $0x84c000, %ebx; jb 1b; out %al, $0x10");

static void over_pages(struct ov_vm *vm, const uint8_t *code, size_t len)
{
	int ret;

	ov_enter32(vm, code, len, AT(0x400), 0);
	do
		ret = ov_run(vm->vp);
	while (ret == -EINTR);
	if (ret || vm->run->exit != OVID_EXIT_IO || ov_commit(vm) != 1)
		tap_ok(false, "a walk over %u pages", LOGGED);
}

static int64_t faults(struct ov_vm *vm)
{
	int fd = ov_ioctl(vm->vp, OVID_GET_STATS_FD, NULL);
	int64_t n = ov_stat(fd, "page_faults");

	close(fd);
	return n;
}

/* a CPU that logs writes needs no fault to see them */
static void logged(void)
{
	struct ovid_info info;
	struct ov_vm vm;
	int64_t before;

	ov_vm_create32(&vm, RAM);
	ov_info(vm.dev, &info);
	ov_set_property(vm.part, TRACKING, 1);
	over_pages(&vm, toucher, CODE_LEN(toucher));
	tap_is(count(vm.part, DIRTY, CLEAR, 0x400, LOGGED), 0, "pages that were read are not marked");
	for (int round = 0; round < 3; round++) {
		before = faults(&vm);
		over_pages(&vm, stamper, CODE_LEN(stamper));
		tap_is(faults(&vm) - before, info.caps & OVID_CAP_PML ? 0 : LOGGED, "faults for writes");
		tap_is(count(vm.part, DIRTY, CLEAR, 0x400, LOGGED), LOGGED, "each write is marked");
	}
	ov_vm_destroy(&vm);
}

int main(void)
{
	tap_begin("abi-track", 120);
	rules();
	backings();
	accessed();
	logged();
	under_load();
	return tap_done();
}
