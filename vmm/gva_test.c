// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for gva.c: small guest memory with page tables built by hand, each
 * paging mode, each answer, rights as a full table, accessed and dirty bits
 * with a memory that changes underneath.
 */
#include <kunit/test.h>
#include "gva.c"

#define MEM_SIZE	0x8000

#define P		BIT_ULL(0)
#define W		BIT_ULL(1)
#define U		BIT_ULL(2)
#define A		BIT_ULL(5)
#define D		BIT_ULL(6)
#define PS		BIT_ULL(7)
#define NX		BIT_ULL(63)

#define CR0_PG_PE	(BIT_ULL(31) | BIT_ULL(0))
#define CR0_WP		BIT_ULL(16)
#define CR4_PSE		BIT_ULL(4)
#define CR4_PAE		BIT_ULL(5)
#define CR4_SMEP	BIT_ULL(20)
#define CR4_SMAP	BIT_ULL(21)
#define EFER_LM		(BIT_ULL(10) | BIT_ULL(8))
#define EFER_NXE	BIT_ULL(11)
#define RFLAGS_AC	BIT_ULL(18)

/* where the tables of the cases lie */
#define ROOT		0x1000
#define L3		0x2000
#define L2		0x3000
#define L1		0x4000

#define R		OVID_GVA_READ

struct memory {
	u8 bytes[MEM_SIZE];
	unsigned int reads, swaps;
	unsigned int collisions;	/* swaps still to fail because of another writer */
	bool readonly;
};

struct fixture {
	struct memory mem;
	struct ovid_paging pg;
};

static int mem_read(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	struct memory *mem = ctx;

	mem->reads++;
	if (gpa > MEM_SIZE - size)
		return -EFAULT;
	memcpy(buf, mem->bytes + gpa, size);
	return 0;
}

static int mem_cmpxchg(void *ctx, gpa_t gpa, u64 old, u64 new, size_t size)
{
	struct memory *mem = ctx;
	u64 now = 0;

	mem->swaps++;
	if (gpa > MEM_SIZE - size || mem->readonly)
		return -EFAULT;
	memcpy(&now, mem->bytes + gpa, size);
	if (now != old)
		return -EAGAIN;
	if (mem->collisions) {
		mem->collisions--;
		now ^= BIT_ULL(9);	/* a bit for software */
		memcpy(mem->bytes + gpa, &now, size);
		return -EAGAIN;
	}
	memcpy(mem->bytes + gpa, &new, size);
	return 0;
}

static void put(struct fixture *f, gpa_t table, unsigned int index, size_t size, u64 val)
{
	memcpy(f->mem.bytes + table + index * size, &val, size);
}

static u64 get(struct fixture *f, gpa_t table, unsigned int index, size_t size)
{
	u64 val = 0;

	memcpy(&val, f->mem.bytes + table + index * size, size);
	return val;
}

static struct fixture *fixture(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->pg.cr0 = CR0_PG_PE | CR0_WP;
	f->pg.cr3 = ROOT;
	f->pg.phys_bits = 40;
	f->pg.read = mem_read;
	f->pg.compare_swap = mem_cmpxchg;
	f->pg.ctx = &f->mem;
	return f;
}

/* 4-level, one 4 KiB page: gva see below */
#define GVA4	0x0000812d76b78000ull	/* the top bit of each large page's offset is set */
#define I4	((GVA4 >> 39) & 511)
#define I3	((GVA4 >> 30) & 511)
#define I2	((GVA4 >> 21) & 511)
#define I1	((GVA4 >> 12) & 511)
#define PAGE4	0x9876543000ull

static struct fixture *fixture_4level(struct kunit *test)
{
	struct fixture *f = fixture(test);

	f->pg.cr4 = CR4_PAE;
	f->pg.efer = EFER_LM | EFER_NXE;
	/* canonical form of an address with bit 47 set */
	put(f, ROOT, I4, 8, L3 | P | W | U);
	put(f, L3, I3, 8, L2 | P | W | U);
	put(f, L2, I2, 8, L1 | P | W | U);
	put(f, L1, I1, 8, PAGE4 | P | W | U);
	return f;
}

#define CANON(gva)	((gva) | 0xffff000000000000ull)

#define EXPECT_GPA(f, gva, access, want) do {					\
	gpa_t __gpa = ~0ull;							\
	KUNIT_EXPECT_EQ(test, (int)OVID_GVA_OK,					\
			(int)ovid_gva_translate(&(f)->pg, gva, access, &__gpa)); \
	KUNIT_EXPECT_EQ(test, (u64)(want), __gpa);				\
} while (0)

#define EXPECT_RES(f, gva, access, want) do {					\
	gpa_t __gpa;								\
	KUNIT_EXPECT_EQ(test, (int)(want),					\
			(int)ovid_gva_translate(&(f)->pg, gva, access, &__gpa)); \
} while (0)

static void no_paging(struct kunit *test)
{
	struct fixture *f = fixture(test);

	f->pg.cr0 = 0;
	EXPECT_GPA(f, 0x12345678, R, 0x12345678);
	EXPECT_GPA(f, 0x1ffff0123ull, R, 0xffff0123);
	f->pg.cr0 = BIT_ULL(0);
	EXPECT_GPA(f, 0xfee00020, OVID_GVA_WRITE | OVID_GVA_USER, 0xfee00020);
	KUNIT_EXPECT_EQ(test, 0u, f->mem.reads);
}

static void mode_32(struct kunit *test)
{
	struct fixture *f = fixture(test);

	f->pg.cr3 = ROOT | 0xfff;	/* low bits are no address */
	put(f, ROOT, 0x345, 4, L1 | P | W | U);
	put(f, L1, 0x0ab, 4, 0xdead7000 | P | W | U);
	EXPECT_GPA(f, 0xd14ab123, R, 0xdead7123);
	EXPECT_GPA(f, 0x7700000000ull + 0xd14ab123, R, 0xdead7123);
	EXPECT_RES(f, 0xd14ac123, R, OVID_GVA_NOT_PRESENT);
	EXPECT_RES(f, 0x00000000, R, OVID_GVA_NOT_PRESENT);

	/* PS without CR4.PSE is nothing */
	put(f, ROOT, 0x345, 4, L1 | P | W | U | PS);
	EXPECT_GPA(f, 0xd14ab123, R, 0xdead7123);
	f->pg.cr4 = CR4_PSE;
	put(f, ROOT, 0x345, 4, 0x40000000 | P | PS);
	EXPECT_GPA(f, 0xd14ab123, R, 0x400ab123);
	EXPECT_GPA(f, 0xd16ab123, R, 0x402ab123);
	/* PSE-36: bits 20:13 are 39:32 */
	put(f, ROOT, 0x345, 4, 0x40000000 | BIT_ULL(13) | BIT_ULL(20) | P | PS);
	EXPECT_GPA(f, 0xd14ab123, R, 0x81400ab123ull);
	put(f, ROOT, 0x345, 4, 0x40000000 | BIT_ULL(21) | P | PS);
	EXPECT_RES(f, 0xd14ab123, R, OVID_GVA_BAD_PTE);
	f->pg.phys_bits = 36;
	put(f, ROOT, 0x345, 4, 0x40000000 | BIT_ULL(16) | P | PS);
	EXPECT_GPA(f, 0xd14ab123, R, 0x8400ab123ull);
	put(f, ROOT, 0x345, 4, 0x40000000 | BIT_ULL(17) | P | PS);
	EXPECT_RES(f, 0xd14ab123, R, OVID_GVA_BAD_PTE);
	/* the PAT bit is not an address */
	put(f, ROOT, 0x345, 4, 0x40000000 | BIT_ULL(12) | P | PS);
	EXPECT_GPA(f, 0xd14ab123, R, 0x400ab123);
}

static void mode_pae(struct kunit *test)
{
	struct fixture *f = fixture(test);
	const gva_t gva = 0xc1334567;	/* pdpt 3, pd 9, pt 0x134 */
	int bit;

	f->pg.cr4 = CR4_PAE;
	f->pg.cr3 = 0x1020 | 0x1f;
	put(f, 0x1020, 3, 8, L2 | P);
	put(f, L2, 9, 8, L1 | P | W | U);
	put(f, L1, 0x134, 8, 0x9abcdef000ull | P | W | U);
	EXPECT_GPA(f, gva, R, 0x9abcdef567ull);
	EXPECT_GPA(f, gva, R | OVID_GVA_WRITE | OVID_GVA_USER, 0x9abcdef567ull);
	EXPECT_RES(f, 0x41334567, R, OVID_GVA_NOT_PRESENT);

	for (bit = 1; bit < 64; bit++) {
		bool reserved = bit <= 2 || (bit >= 5 && bit <= 8) || bit >= 40;

		if (bit >= 12 && bit < 40)
			continue;
		put(f, 0x1020, 3, 8, L2 | P | BIT_ULL(bit));
		EXPECT_RES(f, gva, R, reserved ? OVID_GVA_BAD_PTE : OVID_GVA_OK);
	}
	f->pg.cr3 |= BIT_ULL(31);
	EXPECT_RES(f, gva, R, OVID_GVA_GPA_UNMAPPED);
	f->pg.cr3 ^= BIT_ULL(31) | BIT_ULL(32);		/* beyond what PAE's CR3 has */
	put(f, 0x1020, 3, 8, L2 | P | BIT_ULL(11));	/* ignored */
	EXPECT_GPA(f, gva, R, 0x9abcdef567ull);

	put(f, L1, 0x134, 8, 0x1000 | P | NX);
	EXPECT_RES(f, gva, R, OVID_GVA_BAD_PTE);
	f->pg.efer = EFER_NXE;
	EXPECT_GPA(f, gva, R, 0x1567);
	EXPECT_RES(f, gva, OVID_GVA_EXEC, OVID_GVA_PRIVILEGE);
	for (bit = 40; bit < 63; bit++) {	/* all of them are reserved in PAE */
		put(f, L1, 0x134, 8, 0x1000 | P | BIT_ULL(bit));
		EXPECT_RES(f, gva, R, OVID_GVA_BAD_PTE);
	}

	put(f, L2, 9, 8, 0x8000000000ull | P | PS);	/* 2 MiB */
	EXPECT_GPA(f, gva, R, 0x8000134567ull);
	put(f, L2, 9, 8, 0x8000000000ull | BIT_ULL(13) | P | PS);
	EXPECT_RES(f, gva, R, OVID_GVA_BAD_PTE);
}

static void mode_4level(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);

	EXPECT_GPA(f, CANON(GVA4) + 0x123, R, PAGE4 + 0x123);
	KUNIT_EXPECT_EQ(test, 4u, f->mem.reads);
	EXPECT_GPA(f, CANON(GVA4), OVID_GVA_EXEC | OVID_GVA_USER, PAGE4);
	f->pg.cr3 |= 0xfff | BIT_ULL(63) | BIT_ULL(40);	/* PCID, no flush, beyond the width */
	EXPECT_GPA(f, CANON(GVA4), R, PAGE4);

	/* 2 MiB and 1 GiB; PAT bit ignored */
	put(f, L2, I2, 8, 0x9876400000ull | BIT_ULL(12) | P | PS);
	EXPECT_GPA(f, CANON(GVA4) + 5, R, 0x9876400000ull + (GVA4 & 0x1fffff) + 5);
	put(f, L3, I3, 8, 0x9840000000ull | BIT_ULL(12) | P | PS);
	EXPECT_GPA(f, CANON(GVA4) + 5, R, 0x9840000000ull + (GVA4 & 0x3fffffff) + 5);
	/* ignored bits: 11:9, 62:52 */
	put(f, L3, I3, 8, 0x9840000e00ull | GENMASK_ULL(62, 52) | P | PS);
	EXPECT_GPA(f, CANON(GVA4) + 5, R, 0x9840000000ull + (GVA4 & 0x3fffffff) + 5);
}

static void not_present(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);
	static const struct { gpa_t table; unsigned int index; } at[] = {
		{ ROOT, I4 }, { L3, I3 }, { L2, I2 }, { L1, I1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		u64 was = get(f, at[i].table, at[i].index, 8);

		/* without P nothing else counts */
		put(f, at[i].table, at[i].index, 8, ~P);
		EXPECT_RES(f, CANON(GVA4), R | OVID_GVA_SET_AD, OVID_GVA_NOT_PRESENT);
		put(f, at[i].table, at[i].index, 8, was);
	}
	KUNIT_EXPECT_EQ(test, 0u, f->mem.swaps);
	EXPECT_RES(f, GVA4, R, OVID_GVA_NOT_PRESENT);		/* not canonical */
	EXPECT_RES(f, 0x800000000000ull, R, OVID_GVA_NOT_PRESENT);
	f->pg.cr4 |= BIT_ULL(12);				/* LA57 */
	EXPECT_RES(f, CANON(GVA4), R, OVID_GVA_BAD_PTE);
}

static void bad_pte(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);
	static const struct { gpa_t table; unsigned int index; u64 good; unsigned int first, last; } at[] = {
		{ ROOT, I4, L3 | P, 40, 51 }, { ROOT, I4, L3 | P, 7, 7 },
		{ L3, I3, L2 | P, 40, 51 }, { L3, I3, 0x9840000000ull | P | PS, 13, 29 },
		{ L2, I2, L1 | P, 40, 51 }, { L2, I2, 0x9840000000ull | P | PS, 13, 20 },
		{ L1, I1, PAGE4 | P, 40, 51 },
	};
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		u64 was = get(f, at[i].table, at[i].index, 8);

		put(f, at[i].table, at[i].index, 8, at[i].good);
		EXPECT_RES(f, CANON(GVA4), R | OVID_GVA_NO_PERM, OVID_GVA_OK);
		for (bit = at[i].first; bit <= at[i].last; bit++) {
			put(f, at[i].table, at[i].index, 8, at[i].good | BIT_ULL(bit));
			EXPECT_RES(f, CANON(GVA4), R | OVID_GVA_NO_PERM, OVID_GVA_BAD_PTE);
		}
		put(f, at[i].table, at[i].index, 8, was);
	}
	put(f, L1, I1, 8, PAGE4 | PS | P);	/* PAT in a PTE */
	EXPECT_GPA(f, CANON(GVA4), R, PAGE4);
	f->pg.efer = EFER_LM;
	put(f, L2, I2, 8, L1 | P | NX);
	EXPECT_RES(f, CANON(GVA4), R, OVID_GVA_BAD_PTE);
}

static void table_unmapped(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);

	/* of the result: fine */
	EXPECT_GPA(f, CANON(GVA4), R, PAGE4);
	put(f, L2, I2, 8, 0x80000000ull | P);
	EXPECT_RES(f, CANON(GVA4), R, OVID_GVA_GPA_UNMAPPED);
	f->pg.cr3 = 0xfffffff000ull;
	EXPECT_RES(f, CANON(GVA4), R, OVID_GVA_GPA_UNMAPPED);
	f->pg.cr3 = ~0ull;
	EXPECT_RES(f, CANON(GVA4), R, OVID_GVA_GPA_UNMAPPED);
}

/* page: W U NX as all levels together; the answer for each kind of access */
struct right {
	u64 page;
	bool wp, smep, smap, ac;
	/* supervisor R W X, user R W X */
	bool may[6];
};

static const struct right rights[] = {
	/* page	      WP SMEP SMAP AC	   kr kw kx  ur uw ux */
	{ 0,		1, 0, 0, 0, { 1, 0, 1,  0, 0, 0 } },
	{ 0,		0, 0, 0, 0, { 1, 1, 1,  0, 0, 0 } },
	{ W,		1, 0, 0, 0, { 1, 1, 1,  0, 0, 0 } },
	{ W | NX,	1, 0, 0, 0, { 1, 1, 0,  0, 0, 0 } },
	{ U,		1, 0, 0, 0, { 1, 0, 1,  1, 0, 1 } },
	{ U,		0, 0, 0, 0, { 1, 1, 1,  1, 0, 1 } },
	{ U | W,	1, 0, 0, 0, { 1, 1, 1,  1, 1, 1 } },
	{ U | W | NX,	1, 0, 0, 0, { 1, 1, 0,  1, 1, 0 } },
	{ U | W,	1, 1, 0, 0, { 1, 1, 0,  1, 1, 1 } },
	{ U | W,	1, 0, 1, 0, { 0, 0, 1,  1, 1, 1 } },
	{ U | W,	1, 1, 1, 0, { 0, 0, 0,  1, 1, 1 } },
	{ U | W,	1, 0, 1, 1, { 1, 1, 1,  1, 1, 1 } },
	{ U,		1, 0, 1, 1, { 1, 0, 1,  1, 0, 1 } },
	{ U,		0, 0, 1, 0, { 0, 0, 1,  1, 0, 1 } },
	{ W,		1, 1, 1, 0, { 1, 1, 1,  0, 0, 0 } },
	{ W | NX,	0, 1, 1, 0, { 1, 1, 0,  0, 0, 0 } },
};

static void set_rights(struct fixture *f, const struct right *r, int at)
{
	static const struct { gpa_t table; unsigned int index; u64 next; } level[] = {
		{ ROOT, I4, L3 }, { L3, I3, L2 }, { L2, I2, L1 }, { L1, I1, PAGE4 },
	};
	int i;

	for (i = 0; i < 4; i++)
		put(f, level[i].table, level[i].index, 8,
		    level[i].next | P | (i == at ? r->page : W | U));
	f->pg.cr0 = CR0_PG_PE | (r->wp ? CR0_WP : 0);
	f->pg.cr4 = CR4_PAE | (r->smep ? CR4_SMEP : 0) | (r->smap ? CR4_SMAP : 0);
	f->pg.rflags = r->ac ? RFLAGS_AC : 0;
}

/* the restriction counts at whichever level it stands */
static void privilege(struct kunit *test)
{
	static const u32 kind[3] = { OVID_GVA_READ, OVID_GVA_WRITE, OVID_GVA_EXEC };
	struct fixture *f = fixture_4level(test);
	int i, at, k;
	gpa_t gpa;

	for (i = 0; i < (int)ARRAY_SIZE(rights); i++) {
		for (at = 0; at < 4; at++) {
			set_rights(f, &rights[i], at);
			for (k = 0; k < 6; k++) {
				u32 access = kind[k % 3] | (k >= 3 ? OVID_GVA_USER : 0);
				int want = rights[i].may[k] ? OVID_GVA_OK : OVID_GVA_PRIVILEGE;
				int got = ovid_gva_translate(&f->pg, CANON(GVA4), access, &gpa);

				KUNIT_EXPECT_EQ_MSG(test, want, got, "row %d level %d access %d",
						    i, 4 - at, k);
			}
			EXPECT_RES(f, CANON(GVA4), OVID_GVA_WRITE | OVID_GVA_EXEC |
				   OVID_GVA_USER | OVID_GVA_NO_PERM, OVID_GVA_OK);
		}
	}
}

static void accessed_dirty(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);

	EXPECT_GPA(f, CANON(GVA4), R, PAGE4);
	KUNIT_EXPECT_EQ(test, 0u, f->mem.swaps);
	EXPECT_GPA(f, CANON(GVA4), R | OVID_GVA_SET_AD, PAGE4);
	KUNIT_EXPECT_EQ(test, 4u, f->mem.swaps);
	KUNIT_EXPECT_EQ(test, L3 | P | W | U | A, get(f, ROOT, I4, 8));
	KUNIT_EXPECT_EQ(test, PAGE4 | P | W | U | A, get(f, L1, I1, 8));
	EXPECT_GPA(f, CANON(GVA4), R | OVID_GVA_SET_AD, PAGE4);
	KUNIT_EXPECT_EQ(test, 4u, f->mem.swaps);
	EXPECT_GPA(f, CANON(GVA4), OVID_GVA_WRITE | OVID_GVA_SET_AD, PAGE4);
	KUNIT_EXPECT_EQ(test, 5u, f->mem.swaps);
	KUNIT_EXPECT_EQ(test, L2 | P | W | U | A, get(f, L3, I3, 8));
	KUNIT_EXPECT_EQ(test, PAGE4 | P | W | U | A | D, get(f, L1, I1, 8));

	/* nothing is set by an access that is not allowed */
	put(f, L1, I1, 8, PAGE4 | P);
	EXPECT_RES(f, CANON(GVA4), OVID_GVA_WRITE | OVID_GVA_SET_AD, OVID_GVA_PRIVILEGE);
	KUNIT_EXPECT_EQ(test, PAGE4 | P, get(f, L1, I1, 8));

	/* large page: dirty in the leaf */
	put(f, L2, I2, 8, 0x9876400000ull | P | W | PS);
	EXPECT_RES(f, CANON(GVA4), OVID_GVA_WRITE | OVID_GVA_SET_AD, OVID_GVA_OK);
	KUNIT_EXPECT_EQ(test, 0x9876400000ull | P | W | PS | A | D, get(f, L2, I2, 8));
	KUNIT_EXPECT_EQ(test, PAGE4 | P, get(f, L1, I1, 8));
}

static void accessed_dirty_32(struct kunit *test)
{
	struct fixture *f = fixture(test);

	put(f, ROOT, 1, 4, L1 | P | W);
	put(f, ROOT, 2, 4, 0xffffffff);		/* neighbour */
	put(f, L1, 2, 4, 0x7000 | P | W);
	put(f, L1, 3, 4, 0xffffffff);
	EXPECT_GPA(f, 0x402010, OVID_GVA_WRITE | OVID_GVA_SET_AD, 0x7010);
	KUNIT_EXPECT_EQ(test, L1 | P | W | A, get(f, ROOT, 1, 4));
	KUNIT_EXPECT_EQ(test, 0x7000 | P | W | A | D, get(f, L1, 2, 4));
	KUNIT_EXPECT_EQ(test, 0xffffffffull, get(f, ROOT, 2, 4));
	KUNIT_EXPECT_EQ(test, 0xffffffffull, get(f, L1, 3, 4));
}

static void accessed_pae_skips_pdpte(struct kunit *test)
{
	struct fixture *f = fixture(test);

	f->pg.cr4 = CR4_PAE;
	put(f, ROOT, 0, 8, L2 | P);
	put(f, L2, 0, 8, L1 | P);
	put(f, L1, 0, 8, 0x7000 | P);
	EXPECT_GPA(f, 0x10, R | OVID_GVA_SET_AD, 0x7010);
	KUNIT_EXPECT_EQ(test, L2 | P, get(f, ROOT, 0, 8));
	KUNIT_EXPECT_EQ(test, L1 | P | A, get(f, L2, 0, 8));
	KUNIT_EXPECT_EQ(test, 2u, f->mem.swaps);
}

static void concurrent_change(struct kunit *test)
{
	struct fixture *f = fixture_4level(test);

	f->mem.collisions = 3;
	EXPECT_GPA(f, CANON(GVA4), R | OVID_GVA_SET_AD, PAGE4);
	KUNIT_EXPECT_EQ(test, 16u, f->mem.reads);
	KUNIT_EXPECT_EQ(test, L3 | P | W | U | A | BIT_ULL(9), get(f, ROOT, I4, 8));

	/* for ever: it gives up */
	put(f, L1, I1, 8, PAGE4 | P);
	f->mem.collisions = ~0u;
	f->mem.reads = 0;
	EXPECT_RES(f, CANON(GVA4), R | OVID_GVA_SET_AD, OVID_GVA_NOT_PRESENT);
	KUNIT_EXPECT_EQ(test, 32u, f->mem.reads);

	f->mem.collisions = 0;
	f->mem.readonly = true;
	EXPECT_RES(f, CANON(GVA4), R | OVID_GVA_SET_AD, OVID_GVA_GPA_UNMAPPED);
}

/* tables full of anything, loops among them included: it ends and stays inside */
static void hostile_tables(struct kunit *test)
{
	struct fixture *f = fixture(test);
	u64 seed = 42;
	unsigned int i, j;
	gpa_t gpa;

	for (i = 0; i < 2000; i++) {
		int res;

		for (j = 0; j < 64; j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			put(f, 0, (seed >> 33) % (MEM_SIZE / 8), 8,
			    (seed >> 7 & 0x7fe7) | (i & 1 ? seed & NX : 0) | P);
		}
		f->pg.cr3 = seed & 0x7fff;
		f->pg.cr4 = seed >> 20 & (CR4_PSE | CR4_PAE | CR4_SMEP | CR4_SMAP);
		f->pg.efer = f->pg.cr4 & CR4_PAE ? seed >> 30 & (EFER_LM | EFER_NXE) : 0;
		f->pg.phys_bits = seed >> 40 & 0xff;
		f->mem.reads = 0;
		res = ovid_gva_translate(&f->pg, (s64)(seed << 16) >> 16,
					 seed >> 50 & 0x3f, &gpa);
		KUNIT_EXPECT_LE_MSG(test, f->mem.reads, 32u, "round %u", i);
		KUNIT_EXPECT_TRUE_MSG(test, res >= OVID_GVA_OK && res <= OVID_GVA_GPA_UNMAPPED,
				      "round %u: %d", i, res);
		if (res == OVID_GVA_OK)
			KUNIT_EXPECT_EQ_MSG(test, 0ull, gpa >> 52, "round %u", i);
	}
}

static struct kunit_case gva_cases[] = {
	KUNIT_CASE(no_paging),
	KUNIT_CASE(mode_32),
	KUNIT_CASE(mode_pae),
	KUNIT_CASE(mode_4level),
	KUNIT_CASE(not_present),
	KUNIT_CASE(bad_pte),
	KUNIT_CASE(table_unmapped),
	KUNIT_CASE(privilege),
	KUNIT_CASE(accessed_dirty),
	KUNIT_CASE(accessed_dirty_32),
	KUNIT_CASE(accessed_pae_skips_pdpte),
	KUNIT_CASE(concurrent_change),
	KUNIT_CASE(hostile_tables),
	{}
};

static struct kunit_suite gva_suite = {
	.name = "ovid_gva",
	.test_cases = gva_cases,
};
kunit_test_suite(gva_suite);

MODULE_DESCRIPTION("cases for the guest page-table walk");
MODULE_LICENSE("GPL");
