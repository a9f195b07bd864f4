// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "state.h"

/* registers with names in a row */
struct range {
	u32 first, count;
};

/* the partition's, by its first VP: the guest's TSC, then what rests on it */
static const struct range part_regs[] = {
	{ HV_X64_REGISTER_TSC, 1 },
	{ HV_REGISTER_GUEST_OS_ID, 1 },		/* before the hypercall page, which needs it */
	{ HV_X64_REGISTER_HYPERCALL, 1 },
	{ HV_REGISTER_REFERENCE_TSC, 1 },
	{ HV_REGISTER_GUEST_CRASH_P0, 5 },
	{ OVID_REGISTER_HV_MSR0 + 0x106, 2 },	/* reenlightenment, TSC emulation */
	{ OVID_REGISTER_HV_MSR0 + 0x118, 1 },	/* invariant TSC */
};

/*
 * A VP's, in the order in which they are put back: the APIC's mode decides what its
 * other registers can be, SINTs come before what could use them, and what makes the VP
 * stop or jump comes last.  Not here is what a blob has.
 */
static const struct range vp_regs[] = {
	{ HV_X64_REGISTER_APIC_BASE, 1 },
	{ HV_X64_REGISTER_APIC_TPR, 1 },
	{ HV_X64_REGISTER_TSC_DEADLINE, 2 },	/* and TSC_ADJUST */
	{ HV_X64_REGISTER_KERNEL_GS_BASE, 1 },
	{ HV_X64_REGISTER_PAT, 8 },		/* to SFMASK */
	{ HV_X64_REGISTER_TSC_AUX, 1 },
	{ HV_X64_REGISTER_DEBUG_CTL, 1 },
	{ HV_X64_REGISTER_XSS, 1 },
	{ HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 1 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0, 8 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0, 8 },
	{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000, 11 },
	{ HV_X64_REGISTER_MSR_IA32_MISC_ENABLE, 1 },
	{ OVID_REGISTER_MCG_STATUS, 1 },
	{ OVID_REGISTER_MC0_CTL, 4 },
	{ OVID_REGISTER_NMIS, 1 },
	{ HV_REGISTER_VP_RUNTIME, 1 },
	{ HV_REGISTER_SINT0, 16 },
	{ HV_REGISTER_SCONTROL, 1 },
	{ HV_REGISTER_SIEFP, 2 },		/* and SIMP */
	{ HV_REGISTER_VP_ASSIST_PAGE, 1 },
	{ HV_X64_REGISTER_EFER, 1 },
	{ HV_X64_REGISTER_CR4, 1 },
	{ HV_X64_REGISTER_CR3, 1 },
	{ HV_X64_REGISTER_CR2, 1 },
	{ HV_X64_REGISTER_CR0, 1 },
	{ HV_X64_REGISTER_XFEM, 1 },
	{ HV_X64_REGISTER_DR0, 6 },		/* to DR7 */
	{ HV_X64_REGISTER_ES, 8 },		/* to TR */
	{ HV_X64_REGISTER_IDTR, 2 },		/* and GDTR */
	{ HV_X64_REGISTER_RAX, 18 },		/* to RFLAGS */
	{ HV_REGISTER_INTERRUPT_STATE, 1 },
	{ HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION, 1 },
	{ HV_REGISTER_PENDING_INTERRUPTION, 1 },
	{ HV_REGISTER_PENDING_EVENT0, 1 },
	{ HV_REGISTER_INTERNAL_ACTIVITY_STATE, 1 },
};

/*
 * In the order in which they are put back: pages when the MSRs that place them are
 * there, timers when there is somebody to be told.
 */
static const u8 blobs[] = {
	MSHV_VP_STATE_XSAVE, MSHV_VP_STATE_SIMP, MSHV_VP_STATE_SIEFP, MSHV_VP_STATE_LAPIC,
	OVID_VP_STATE_ASSIST, MSHV_VP_STATE_SYNTHETIC_TIMERS,
};

/* those that a partition is given before it has a VP, and the one that needs its TSC */
static const u32 properties[] = {
	HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY,
	HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET,
	HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION,
};

struct regs {
	struct ovid_reg reg[OVID_MAX_REGS];
	u32 count;
};

struct vp_state {
	u8 blob[ARRAY_SIZE(blobs)][OVID_PAGE_SIZE];
	struct regs regs;
} __attribute__((aligned(OVID_PAGE_SIZE)));

struct state {
	struct vp_state *vp;
	unsigned int nr;
	struct ovid_cpuid_entry cpuid[OVID_MAX_CPUID];
	u32 nr_cpuid;
	u64 property[ARRAY_SIZE(properties)];
	u64 reference_time;
	struct regs regs;
};

/* ---- read ------------------------------------------------------------------ */

static int read_range(struct regs *to, int vp, const struct range *r)
{
	struct ovid_reg *reg = &to->reg[to->count];
	int ret;

	if (r->count > OVID_MAX_REGS - to->count)
		return -E2BIG;
	memset(reg, 0, r->count * sizeof(*reg));
	for (u32 i = 0; i < r->count; i++)
		reg[i].name = r->first + i;
	ret = vid_get_regs(vp, reg, r->count);
	/* not every processor has it */
	if (ret == -EINVAL && r->first == HV_X64_REGISTER_TSC_AUX)
		return 0;
	if (!ret)
		to->count += r->count;
	return ret;
}

static int read_ranges(struct regs *to, int vp, const struct range *r, size_t nr,
		       struct failure *why)
{
	for (size_t i = 0; i < nr; i++) {
		int ret = read_range(to, vp, &r[i]);

		if (ret)
			return fail(why, OVID_X_HOST, "cannot read register %#x: %s", r[i].first,
				    strerror(-ret));
	}
	return 0;
}

/*
 * Blobs before registers: a timer that is due becomes an interrupt when the LAPIC's is
 * read, and its deadline is none from then on.
 */
static int read_vp(struct vp_state *s, int vp, struct failure *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		int ret = vid_get_state(vp, blobs[i], s->blob[i]);

		if (ret)
			return fail(why, OVID_X_HOST, "cannot read VP state %u: %s", blobs[i],
				    strerror(-ret));
	}
	return read_ranges(&s->regs, vp, vp_regs, ARRAY_SIZE(vp_regs), why);
}

static int read_partition(struct state *s, int part, struct failure *why)
{
	int ret = vid_get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME,
				   &s->reference_time);

	for (size_t i = 0; i < ARRAY_SIZE(properties) && !ret; i++)
		ret = vid_get_property(part, properties[i], &s->property[i]);
	s->nr_cpuid = OVID_MAX_CPUID;
	if (!ret)
		ret = vid_get_cpuid(part, s->cpuid, &s->nr_cpuid);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot read the partition's properties: %s",
			    strerror(-ret));
	return 0;
}

static struct state *state_alloc(unsigned int nr)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->nr = nr;
	s->vp = aligned_alloc(OVID_PAGE_SIZE, nr * sizeof(*s->vp));
	if (!s->vp) {
		free(s);
		return NULL;
	}
	memset(s->vp, 0, nr * sizeof(*s->vp));
	return s;
}

struct state *state_read(int part, const int *vp, unsigned int nr, struct failure *why)
{
	struct state *s = state_alloc(nr);
	int ret;

	if (!s) {
		fail(why, OVID_X_HOST, "out of memory");
		return NULL;
	}
	ret = read_partition(s, part, why);
	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = read_vp(&s->vp[i], vp[i], why);
	if (!ret)
		ret = read_ranges(&s->regs, vp[0], part_regs, ARRAY_SIZE(part_regs), why);
	if (!ret)
		return s;
	state_free(s);
	return NULL;
}

void state_free(struct state *s)
{
	if (s)
		free(s->vp);
	free(s);
}

/* ---- write ----------------------------------------------------------------- */

/* only what is another value: not all that can be read is taken at any time */
static int write_property(int part, u32 code, u64 value)
{
	u64 now;
	int ret = vid_get_property(part, code, &now);

	return ret || now == value ? ret : vid_set_property(part, code, value);
}

int state_write_partition(const struct state *s, int part, struct failure *why)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(properties) && !ret; i++)
		ret = write_property(part, properties[i], s->property[i]);
	if (!ret)
		ret = vid_set_cpuid(part, s->cpuid, s->nr_cpuid);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set the new partition's properties: %s",
			    strerror(-ret));
	return 0;
}

static int write_vp(struct vp_state *s, int vp)
{
	int ret = vid_set_regs(vp, s->regs.reg, s->regs.count);

	for (size_t i = 0; i < ARRAY_SIZE(blobs) && !ret; i++)
		ret = vid_set_state(vp, blobs[i], s->blob[i]);
	return ret;
}

int state_write_vps(const struct state *s, int part, const int *vp, struct failure *why)
{
	int ret = vid_set_regs(vp[0], s->regs.reg, s->regs.count);

	if (!ret)
		ret = vid_set_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME,
				       s->reference_time);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set the new partition's time and MSRs: %s",
			    strerror(-ret));
	for (unsigned int i = 0; i < s->nr; i++) {
		ret = write_vp(&s->vp[i], vp[i]);
		if (ret)
			return fail(why, OVID_X_HOST, "cannot set the state of VP %u: %s", i,
				    strerror(-ret));
	}
	return 0;
}
