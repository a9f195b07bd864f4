// SPDX-License-Identifier: GPL-2.0-only
/* worker/state.c on calls that note what they were asked for, and in which order. */
#include <stdbool.h>

#include "../worker/state.h"
#include "tap.h"

#define OLD	10	/* P files; V files are the numbers behind */
#define NEW	20
#define VPS	2

enum kind { GET_REG, SET_REG, GET_BLOB, SET_BLOB, SET_PROPERTY, SET_CPUID };

static struct event {
	enum kind kind;
	int fd;
	u32 what;
	u64 value;
} log[4096];
static unsigned int nr, lacking, failing;

static void note(enum kind kind, int fd, u32 what, u64 value)
{
	log[nr++] = (struct event){ kind, fd, what, value };
}

/* where in the log; -1: nowhere */
static int when(enum kind kind, int fd, u32 what)
{
	for (unsigned int i = 0; i < nr; i++)
		if (log[i].kind == kind && log[i].fd == fd && log[i].what == what)
			return i;
	return -1;
}

static bool before(enum kind a, u32 first, enum kind b, u32 second, int fd)
{
	int x = when(a, fd, first), y = when(b, fd, second);

	return x >= 0 && y >= 0 && x < y;
}

int vid_get_regs(int vp, struct ovid_reg *regs, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (regs[i].name == lacking || regs[i].name == failing)
			return -EINVAL;
		regs[i].low = (u64)regs[i].name << 8 | (vp - OLD);
		note(GET_REG, vp, regs[i].name, regs[i].low);
	}
	return 0;
}

int vid_set_regs(int vp, const struct ovid_reg *regs, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (regs[i].name == failing)
			return -EINVAL;
		note(SET_REG, vp, regs[i].name, regs[i].low);
	}
	return 0;
}

int vid_get_state(int vp, u8 type, void *page)
{
	memset(page, type + 16 * (vp - OLD), OVID_PAGE_SIZE);
	note(GET_BLOB, vp, type, *(u8 *)page);
	return 0;
}

int vid_set_state(int vp, u8 type, void *page)
{
	note(SET_BLOB, vp, type, *((u8 *)page + OVID_PAGE_SIZE - 1));
	return 0;
}

int vid_get_property(int part, u32 code, u64 *value)
{
	*value = part == OLD && code != HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY ? code : 1;
	return 0;
}

int vid_set_property(int part, u32 code, u64 value)
{
	note(SET_PROPERTY, part, code, value);
	return 0;
}

int vid_get_cpuid(int part, struct ovid_cpuid_entry *entries, u32 *count)
{
	*count = 1;
	entries[0].leaf = part;
	return 0;
}

int vid_set_cpuid(int part, const struct ovid_cpuid_entry *entries, u32 count)
{
	note(SET_CPUID, part, count, entries[0].leaf);
	return 0;
}

static const int old_vps[VPS] = { OLD + 1, OLD + 2 }, new_vps[VPS] = { NEW + 1, NEW + 2 };

static struct state *read_all(struct failure *why)
{
	nr = 0;
	return state_read(OLD, old_vps, VPS, why);
}

/* what was read of a VP and not written to the same one, or written but not read */
static unsigned int lost(enum kind get, enum kind set, int vp)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < nr; i++) {
		bool read = log[i].kind == get && log[i].fd == OLD + vp;
		bool written = log[i].kind == set && log[i].fd == NEW + vp;
		int other = read ? when(set, NEW + vp, log[i].what) :
				   when(get, OLD + vp, log[i].what);

		if ((read || written) && (other < 0 || log[other].value != log[i].value)) {
			printf("# VP %d: %#x\n", vp, log[i].what);
			bad++;
		}
	}
	return bad;
}

static void test_order(int vp)
{
	CHECK(before(GET_BLOB, MSHV_VP_STATE_LAPIC, GET_REG, HV_X64_REGISTER_TSC_DEADLINE,
		     OLD + vp), "VP %d: the LAPIC is read before the deadline", vp);
	CHECK(before(SET_REG, HV_X64_REGISTER_APIC_BASE, SET_REG, HV_X64_REGISTER_APIC_TPR,
		     NEW + vp), "the APIC's mode before its registers");
	CHECK(before(SET_REG, HV_REGISTER_SIMP, SET_BLOB, MSHV_VP_STATE_SIMP, NEW + vp) &&
	      before(SET_REG, HV_REGISTER_SIEFP, SET_BLOB, MSHV_VP_STATE_SIEFP, NEW + vp) &&
	      before(SET_REG, HV_REGISTER_VP_ASSIST_PAGE, SET_BLOB, OVID_VP_STATE_ASSIST, NEW + vp),
	      "where pages are before what is in them");
	CHECK(before(SET_BLOB, MSHV_VP_STATE_SIMP, SET_BLOB, MSHV_VP_STATE_SYNTHETIC_TIMERS,
		     NEW + vp) &&
	      before(SET_BLOB, MSHV_VP_STATE_LAPIC, SET_BLOB, MSHV_VP_STATE_SYNTHETIC_TIMERS,
		     NEW + vp), "timers last");
	CHECK(before(SET_REG, OVID_REGISTER_NMIS, SET_BLOB, MSHV_VP_STATE_LAPIC, NEW + vp),
	      "all NMIs before the one that the LAPIC knows of");
	CHECK(before(SET_REG, HV_X64_REGISTER_RFLAGS, SET_REG,
		     HV_REGISTER_INTERNAL_ACTIVITY_STATE, NEW + vp), "RFLAGS before HLT");
}

static void test_all(void)
{
	struct failure why = { "" };
	struct state *s = read_all(&why);
	int time, tsc, first;

	CHECK(s && !why.text[0], "read");
	CHECK(!state_write_partition(s, NEW, &why), "the partition is written");
	first = nr;
	CHECK(log[when(SET_CPUID, NEW, 1)].value == OLD, "CPUID is the old one's");
	CHECK(when(SET_PROPERTY, NEW, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY) < 0,
	      "a property that is right is left alone");
	CHECK(when(SET_PROPERTY, NEW, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION) >= 0,
	      "another is set");
	CHECK(!state_write_vps(s, NEW, new_vps, &why), "VPs are written");
	for (int vp = 1; vp <= VPS; vp++) {
		CHECK(!lost(GET_BLOB, SET_BLOB, vp), "VP %d has the blobs of the old one", vp);
		CHECK(!lost(GET_REG, SET_REG, vp), "and its registers");
		test_order(vp);
	}
	tsc = when(SET_REG, NEW + 1, HV_X64_REGISTER_TSC);
	time = when(SET_PROPERTY, NEW, HV_PARTITION_PROPERTY_REFERENCE_TIME);
	CHECK(tsc == first, "the TSC is set first");
	CHECK(time > tsc && time < when(SET_REG, NEW + 1, HV_X64_REGISTER_APIC_BASE),
	      "then the reference time, then VPs");
	CHECK(before(SET_REG, HV_REGISTER_GUEST_OS_ID, SET_REG, HV_X64_REGISTER_HYPERCALL,
		     NEW + 1), "who the guest is before its hypercall page");
	CHECK(when(SET_REG, NEW + 2, HV_X64_REGISTER_TSC) < 0, "the partition's on one VP only");
	state_free(s);
}

static void test_failures(void)
{
	struct failure why = { "" };
	struct state *s;

	lacking = HV_X64_REGISTER_TSC_AUX;
	s = read_all(&why);
	CHECK(s && !state_write_vps(s, NEW, new_vps, &why), "a VP without TSC_AUX");
	CHECK(when(SET_REG, NEW + 1, HV_X64_REGISTER_TSC_AUX) < 0, "does not get one");
	lacking = 0;
	failing = HV_X64_REGISTER_DR7;
	CHECK(state_write_vps(s, NEW, new_vps, &why) < 0 && strstr(why.text, "VP 0"),
	      "a register that is refused: %s", why.text);
	state_free(s);
	CHECK(!read_all(&why) && strstr(why.text, "register 0x50000"),
	      "one that cannot be read: %s", why.text);
	failing = 0;
}

int main(void)
{
	test_all();
	test_failures();
	return tap_done();
}
