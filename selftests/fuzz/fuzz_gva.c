// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: struct head, then guest memory, which repeats through the address
 * space (or ends, as a flag says), so that walks go deep.  The walk must end,
 * ask for aligned entries inside the address width only, write nothing it was
 * not asked to, and agree with a plain walk written down a second time here.
 */
#include <stdlib.h>
#include "purelib_host.h"
#include "gva.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK(c)	do { if (!(c)) abort(); } while (0)

struct head {
	u64 cr0, cr3, cr4, efer, rflags, gva;
	u8 phys_bits, access, repeat, collisions;
};

struct memory {
	u8 *bytes;
	size_t len;
	bool repeat;
	unsigned int phys_bits, reads, swaps, collisions;
};

static u8 *at(struct memory *m, gpa_t gpa, size_t size)
{
	CHECK(size == 4 || size == 8);
	CHECK(!(gpa % size) && !(gpa >> m->phys_bits));
	if (m->len < 8)
		return NULL;
	if (m->repeat)
		gpa %= m->len & ~7ull;
	return gpa > m->len - size ? NULL : m->bytes + gpa;
}

static int mem_read(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	struct memory *m = ctx;
	u8 *p = at(m, gpa, size);

	m->reads++;
	if (!p)
		return -EFAULT;
	memcpy(buf, p, size);
	return 0;
}

static int mem_cmpxchg(void *ctx, gpa_t gpa, u64 old, u64 new, size_t size)
{
	struct memory *m = ctx;
	u8 *p = at(m, gpa, size);
	u64 now = 0;

	m->swaps++;
	if (!p)
		return -EFAULT;
	CHECK(old != new && !((old ^ new) & ~0x60ull) && !(old & ~new));
	CHECK(size == 8 || !(new >> 32));
	if (m->collisions) {
		m->collisions--;
		return -EAGAIN;
	}
	memcpy(&now, p, size);
	if (now != old)
		return -EAGAIN;
	memcpy(p, &new, size);
	return 0;
}

/* 4-level only, addresses only: what an entry means, without rights */
static bool plain_walk(struct memory *m, const struct head *h, gpa_t *gpa)
{
	u64 mask = (1ull << m->phys_bits) - 1, entry, table = h->cr3 & mask & ~0xfffull;
	int shift;

	for (shift = 39; ; shift -= 9) {
		u64 offset = (1ull << shift) - 1;

		if (mem_read(m, table + (h->gva >> shift & 511) * 8, &entry, 8) || !(entry & 1))
			return false;
		if (entry & ~mask & 0x000fffffffffffffull)
			return false;
		if (entry >> 63 && !(h->efer & 1 << 11))
			return false;
		if (shift == 39 && entry & 0x80)
			return false;
		if (shift > 12 && !(entry & 0x80)) {
			table = entry & mask & ~0xfffull;
			continue;
		}
		if (shift > 12 && entry & offset & ~0x1fffull)
			return false;
		*gpa = (entry & mask & ~0xfffull & ~offset) | (h->gva & offset);
		return true;
	}
}

static void compare(struct memory *m, const struct head *h, const struct ovid_paging *pg)
{
	enum ovid_gva_result res;
	gpa_t gpa, want = 0;
	bool ok;

	if (!(h->cr0 >> 31 & 1) || !(h->efer & 1 << 10) || h->cr4 & 1 << 12 ||
	    (s64)(h->gva << 16) >> 16 != (s64)h->gva)
		return;
	res = ovid_gva_translate(pg, h->gva, OVID_GVA_READ | OVID_GVA_NO_PERM, &gpa);
	ok = plain_walk(m, h, &want);
	CHECK(ok == (res == OVID_GVA_OK));
	if (ok)
		CHECK(gpa == want);
}

static unsigned int clamp_bits(u8 bits)
{
	return bits < 32 ? 32 : bits > 52 ? 52 : bits;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct memory m = {};
	enum ovid_gva_result res, again;
	gpa_t gpa = 0, gpa2 = 0;
	struct head h;

	if (len < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	m.len = len - sizeof(h);
	m.bytes = malloc(m.len ?: 1);
	CHECK(m.bytes);
	memcpy(m.bytes, data + sizeof(h), m.len);
	m.repeat = h.repeat & 1;
	m.phys_bits = clamp_bits(h.phys_bits);
	m.collisions = h.collisions;

	struct ovid_paging pg = {
		.cr0 = h.cr0, .cr3 = h.cr3, .cr4 = h.cr4, .efer = h.efer, .rflags = h.rflags,
		.phys_bits = h.phys_bits, .read = mem_read, .compare_swap = mem_cmpxchg, .ctx = &m,
	};

	res = ovid_gva_translate(&pg, h.gva, h.access & ~OVID_GVA_SET_AD, &gpa);
	CHECK(m.reads <= 4 && !m.swaps);
	CHECK(res <= OVID_GVA_GPA_UNMAPPED);
	if (res == OVID_GVA_OK) {
		CHECK(!(gpa >> 52) && (gpa & 0xfff) == (h.gva & 0xfff));
		again = ovid_gva_translate(&pg, h.gva, OVID_GVA_READ | OVID_GVA_NO_PERM, &gpa2);
		CHECK(again == OVID_GVA_OK && gpa == gpa2);
	}
	compare(&m, &h, &pg);
	m.reads = 0;
	again = ovid_gva_translate(&pg, h.gva, h.access | OVID_GVA_SET_AD, &gpa2);
	CHECK(m.reads <= 32 && m.swaps <= 32);
	CHECK(again <= OVID_GVA_GPA_UNMAPPED);
	if (res != OVID_GVA_OK)		/* nothing was written */
		CHECK(!m.swaps && again == res);
	free(m.bytes);
	return 0;
}
