// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VP registers that clients of /dev/mshv name, all 152 of them (vid-abi.md 2.3): set
 * and read back through the passthrough hypercalls, many at once, all or nothing.
 */
#include "lib/client.h"

#define NAMES		152
#define AT_ONCE		127	/* as many as a page of input holds */
#define SEG(base, sel, attr, limit)	(base), (limit) | (uint64_t)(sel) << 32 | (uint64_t)(attr) << 48
#define REP8(byte)	((byte) * 0x0101010101010101ull)

/*
 * @count names from @name on; value number i is @low + i * @step, @high.  In the order in
 * which one allows the next: the hypercall page wants an OS, x2APIC mode its id.
 */
static const struct {
	uint32_t name, count;
	uint64_t low, high, step;
} table[] = {
	{ HV_X64_REGISTER_RAX, 16, 0x1111222233330000, 0, 0x101 },
	{ HV_X64_REGISTER_RIP, 1, 0xffffffff81000000 },
	{ HV_X64_REGISTER_RFLAGS, 1, 0x40246 },
	{ HV_X64_REGISTER_EFER, 1, 0xd01 },		/* NXE LMA LME SCE */
	{ HV_X64_REGISTER_CR4, 1, 0x6b0 },
	{ HV_X64_REGISTER_CR0, 1, 0x80050033 },
	{ HV_X64_REGISTER_CR2, 1, 0xffff800012345678 },
	{ HV_X64_REGISTER_CR3, 1, 0x12345000 },
	{ HV_X64_REGISTER_CR8, 1, 7 },
	{ HV_X64_REGISTER_XFEM, 1, 3 },
	{ HV_X64_REGISTER_INTERMEDIATE_CR0, 1, 0x80050033 },
	{ HV_X64_REGISTER_INTERMEDIATE_CR3, 1, 0x12345000 },
	{ HV_X64_REGISTER_INTERMEDIATE_CR4, 1, 0x6b0 },
	{ HV_X64_REGISTER_ES, 1, SEG(0, 0x2b, 0xc0f3, ~0u) },
	{ HV_X64_REGISTER_CS, 1, SEG(0, 0x33, 0xa0fb, ~0u) },
	{ HV_X64_REGISTER_SS, 1, SEG(0, 0x2b, 0xc0f3, ~0u) },
	{ HV_X64_REGISTER_DS, 1, SEG(0x10, 0x2b, 0xc0f3, 0xfffff) },
	{ HV_X64_REGISTER_FS, 1, SEG(0x7f0012345678, 0, 0xc0f3, ~0u) },
	{ HV_X64_REGISTER_GS, 1, SEG(0xffff888000000000, 0, 0xc0f3, ~0u) },
	{ HV_X64_REGISTER_LDTR, 1, SEG(0x5000, 0x48, 0x82, 0x17) },
	{ HV_X64_REGISTER_TR, 1, SEG(0xfffffe0000003000, 0x40, 0x8b, 0x206f) },
	{ HV_X64_REGISTER_IDTR, 1, 0x0fffull << 48, 0xfffffe0000000000 },
	{ HV_X64_REGISTER_GDTR, 1, 0x007full << 48, 0xfffffe0000001000 },
	{ HV_X64_REGISTER_XMM0, 16, 0x1122334455667700, 0x99aabbccddeeff00, 1 },
	{ HV_X64_REGISTER_FP_MMX0, 8, 0x8000000000000000, 0x3fff, 1 },
	{ HV_X64_REGISTER_FP_CONTROL_STATUS, 1, 0x012300551234027f, 0x401234 },
	{ HV_X64_REGISTER_XMM_CONTROL_STATUS, 1, 0x405678, 0x1fa0 },
	{ HV_X64_REGISTER_DR0, 4, 0xffff888000001000, 0, 8 },
	{ HV_X64_REGISTER_DR6, 1, 0xffff0ff1 },
	{ HV_X64_REGISTER_DR7, 1, 0x402 },
	{ HV_REGISTER_PENDING_INTERRUPTION, 1, 1 | 0x31 << 16 },
	{ HV_REGISTER_INTERRUPT_STATE, 1, 2 },		/* NMIs are masked */
	{ HV_REGISTER_PENDING_EVENT0, 1, 1 | 5 << 1 | 0x32 << 8 },
	{ HV_REGISTER_PENDING_EVENT1, 1, 0 },
	{ HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 1, 5ull << 48 },
	{ HV_REGISTER_INTERNAL_ACTIVITY_STATE, 1, 2 },	/* halted */
	{ HV_X64_REGISTER_INITIAL_APIC_ID, 1, 5 },
	{ HV_X64_REGISTER_APIC_BASE, 1, 0xfee00d00 },	/* x2APIC, the first processor */
	{ HV_X64_REGISTER_APIC_ID, 1, 5 },
	{ HV_X64_REGISTER_TSC, 1, 0x123456789a },
	{ HV_X64_REGISTER_KERNEL_GS_BASE, 1, 0x7f00abcdef00 },
	{ HV_X64_REGISTER_PAT, 1, 0x0007010600070106 },
	{ HV_X64_REGISTER_SYSENTER_CS, 1, 0x10 },
	{ HV_X64_REGISTER_SYSENTER_EIP, 1, 0xffffffff81002000 },
	{ HV_X64_REGISTER_SYSENTER_ESP, 1, 0xfffffe0000003200 },
	{ HV_X64_REGISTER_STAR, 1, 0x0023001000000000 },
	{ HV_X64_REGISTER_LSTAR, 1, 0xffffffff81001000 },
	{ HV_X64_REGISTER_CSTAR, 1, 0xffffffff81001800 },
	{ HV_X64_REGISTER_SFMASK, 1, 0x257fd5 },
	{ HV_X64_REGISTER_TSC_AUX, 1, 0x1005 },
	{ HV_X64_REGISTER_DEBUG_CTL, 1, 2 },
	{ HV_X64_REGISTER_XSS, 1, 0 },
	{ 0x8008c, 8, 0 },				/* CET, which no guest has */
	{ HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 1, 0xc06 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0, 8, 0x80000006, 0, 0x1000000 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0, 8, 0xff0000800, 0, 0x1000000 },
	{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000, 11, REP8(5) },
	{ HV_REGISTER_GUEST_OS_ID, 1, 0x8100000060c00000 },
	{ HV_X64_REGISTER_HYPERCALL, 1, 0x10001 },
	{ HV_REGISTER_VP_ASSIST_PAGE, 1, 0x8001 },
	{ HV_REGISTER_REFERENCE_TSC, 1, 0x7001 },
	{ HV_REGISTER_SINT0, 16, 0x10040, 0, 1 },
	{ HV_REGISTER_SIEFP, 1, 0x6001 },
	{ HV_REGISTER_SIMP, 1, 0x5001 },
	{ HV_REGISTER_SCONTROL, 1, 1 },
	{ HV_REGISTER_EOM, 1, 0 },
};

struct assign { uint32_t name, pad; uint64_t pad2, low, high; };
struct set { uint64_t part; uint32_t vp; uint8_t vtl, pad[3]; struct assign r[AT_ONCE]; };
struct get { uint64_t part; uint32_t vp; uint8_t vtl, pad[3]; uint32_t names[NAMES]; };

static struct assign all[NAMES];

static unsigned int expand(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		for (uint32_t k = 0; k < table[i].count && n < NAMES; k++)
			all[n++] = (struct assign){
				.name = table[i].name + k, .low = table[i].low + k * table[i].step,
				.high = table[i].high,
			};
	return n;
}

/* errno of the call */
static int set_many(int vp, const struct assign *r, uint16_t n, uint16_t *reps, uint16_t *status)
{
	struct set in = {};

	memcpy(in.r, r, n * sizeof(*r));
	*reps = n;
	return hvcall(vp, HVCALL_SET_VP_REGISTERS, &in, 16 + n * sizeof(*r), NULL, 0, reps, status);
}

static int get_all(int vp, uint64_t (*v)[2])
{
	uint16_t reps = NAMES, status;
	struct get in = {};
	int err;

	for (unsigned int i = 0; i < NAMES; i++)
		in.names[i] = all[i].name;
	err = hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, sizeof(in), v, NAMES * 16, &reps, &status);
	tap_ok(!err && !status && reps == NAMES, "%u registers are read in one call (errno %d, status %#x, reps %u)",
	       NAMES, err, status, reps);
	return err;
}

/* MXCSR's mask is the processor's */
static bool same(const struct assign *want, const uint64_t v[2])
{
	uint64_t high = want->name == HV_X64_REGISTER_XMM_CONTROL_STATUS ? (uint32_t)v[1] : v[1];

	return v[0] == want->low && high == want->high;
}

static void read_back(int vp)
{
	static uint64_t v[NAMES][2];

	if (get_all(vp, v))
		return;
	for (unsigned int i = 0; i < NAMES; i++)
		tap_ok(same(&all[i], v[i]), "register %#x reads back: %#llx %#llx", all[i].name,
		       (long long)v[i][0], (long long)v[i][1]);
}

static void set_in_two_calls(int vp)
{
	uint16_t reps, status;
	unsigned int i;

	tap_is(set_many(vp, all, AT_ONCE, &reps, &status), 0, "%u registers are set at once", AT_ONCE);
	tap_is(reps, AT_ONCE, "reps says so");
	tap_is(set_many(vp, all + AT_ONCE, NAMES - AT_ONCE, &reps, &status), 0, "and the others");
	tap_is(reps, NAMES - AT_ONCE, "reps says so");
	for (i = 0; i < NAMES; i++)
		if (set_many(vp, all + i, 1, &reps, &status))
			tap_note("register %#x alone: status %#x", all[i].name, status);
}

/* one that cannot be set, the last of as many as there can be: nothing happens */
static void all_or_nothing(int vp)
{
	static const struct { struct assign r; const char *what; } bad[] = {
		{ { .name = HV_X64_REGISTER_CR8, .low = 16 }, "a value that cannot be" },
		{ { .name = 0x99999 }, "a name that is none" },
		{ { .name = HV_X64_REGISTER_RAX, .pad = 1 }, "padding" },
		{ { .name = 0x8008c, .low = 1 }, "CET" },
	};
	static uint64_t v[NAMES][2];
	struct assign r[AT_ONCE];
	uint16_t reps, status;
	unsigned int changed = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(r, all, sizeof(r));
		for (unsigned int k = 0; k < 16; k++)
			r[k].low = ~r[k].low;
		r[AT_ONCE - 1] = bad[i].r;
		tap_is(set_many(vp, r, AT_ONCE, &reps, &status), EINVAL, "%u at once, the last is %s",
		       AT_ONCE, bad[i].what);
		tap_is(status, HV_STATUS_INVALID_PARAMETER, "its status");
		tap_is(reps, 0, "and none was set");
	}
	if (get_all(vp, v))
		return;
	for (unsigned int i = 0; i < NAMES; i++)
		changed += !same(&all[i], v[i]);
	tap_is(changed, 0, "all are as they were");
}

static void partial_read(int vp)
{
	struct get in = { .names = { HV_X64_REGISTER_RAX, HV_X64_REGISTER_CR3, 0x99999, HV_X64_REGISTER_RBX } };
	uint16_t reps = 4, status;
	uint64_t v[4][2];

	tap_is(hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, 32, v, sizeof(v), &reps, &status), EINVAL,
	       "four are read, the third is unknown");
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "its status");
	tap_is(reps, 2, "reps: two were read");
	reps = 0;
	tap_is(hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, 32, v, sizeof(v), &reps, &status), EINVAL, "none at all");
	tap_is(status, HV_STATUS_INVALID_HYPERCALL_INPUT, "is no call of this kind");
	reps = 5;
	tap_is(hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, 32, v, sizeof(v), &reps, &status), EINVAL,
	       "more than the input holds");
	tap_is(status, HV_STATUS_INVALID_HYPERCALL_INPUT, "its status");
	tap_is(reps, 0, "and none was read");
	reps = 4;
	in.vtl = 1;
	hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, 32, v, sizeof(v), &reps, &status);
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "VTL 1 is not there");
}

CODE32(out32, "out %al, $0xf4");

/* what a root partition shows of VPs that stand still */
static void suspended(void)
{
	struct hv_message msg;
	uint16_t status;
	struct machine m;
	uint64_t v[2];

	machine(&m, out32, CODE_LEN(out32));
	tap_is(get_reg(m.vp, 0, v, &status), 0, "explicit suspend");
	tap_is(v[0], 1, "is on until the first run");
	run(&m, &msg);
	get_reg(m.vp, 0, v, &status);
	tap_is(v[0], 0, "and off from then on");
	tap_is(get_reg(m.vp, 1, v, &status), 0, "intercept suspend");
	tap_is(v[0], 0, "is off");
	machine_end(&m);
}

int main(void)
{
	struct machine m;
	uint16_t status;

	tap_begin("abi-mshv-regs", TAP_LIMIT);
	tap_is(expand(), NAMES, "the registers' table");
	machine_with(&m, out32, CODE_LEN(out32), ~0ull);
	set_property(m.part, HV_PARTITION_PROPERTY_TIME_FREEZE, 1, &status);
	set_in_two_calls(m.vp);
	read_back(m.vp);
	all_or_nothing(m.vp);
	partial_read(m.vp);
	machine_end(&m);
	suspended();
	return tap_done();
}
