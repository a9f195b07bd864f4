// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VP's state is made of: all of it can be read, and put into another VP that
 * goes on from there.  (abi-vp has the registers, abi-mshv the blobs by themselves.)
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define APIC_SVR	4		/* words of the LAPIC blob */
#define APIC_LVT_TIMER	32

static uint32_t page[1024] __attribute__((aligned(4096)));

static int blob(int vp, uint8_t type, bool set)
{
	struct mshv_get_set_vp_state s = {
		.type = type, .buf_sz = sizeof(page), .buf_ptr = (uintptr_t)page,
	};

	return ov_ioctl(vp, set ? MSHV_SET_VP_STATE : MSHV_GET_VP_STATE, &s);
}

static void apic_on(int vp, uint32_t lvt_timer)
{
	blob(vp, MSHV_VP_STATE_LAPIC, false);
	page[APIC_SVR] = 0x1ff;
	page[APIC_LVT_TIMER] = lvt_timer;
	tap_is(blob(vp, MSHV_VP_STATE_LAPIC, true), 0, "the APIC is switched on");
}

/* registers that no other test sets, and values that they do not have at reset */
static void registers(int dev)
{
	static const struct { uint32_t name; uint64_t value; const char *what; } r[] = {
		{ HV_X64_REGISTER_TSC_DEADLINE, 1ull << 60, "TSC deadline" },
		{ HV_X64_REGISTER_TSC_ADJUST, -5ull, "TSC_ADJUST" },
		{ HV_X64_REGISTER_MSR_IA32_MISC_ENABLE, 0x1800, "MISC_ENABLE" },
		{ HV_X64_REGISTER_APIC_TPR, 0x25, "TPR, all of it" },
		{ HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION, 0x4000, "pending debug exceptions" },
		{ OVID_REGISTER_MCG_STATUS, 4, "MCG_STATUS" },
		{ OVID_REGISTER_MC0_CTL, ~0ull, "MC0_CTL" },
		{ OVID_REGISTER_MC0_CTL + 3, 0x1234, "MC3_CTL" },
	};
	static const struct { uint32_t name; uint64_t value; const char *what; } bad[] = {
		{ HV_X64_REGISTER_APIC_TPR, 0x100, "a TPR of nine bits" },
		{ HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION, 0x10, "a reserved debug exception" },
		{ HV_REGISTER_VP_RUNTIME, ~0ull, "a run time of many years" },
		{ OVID_REGISTER_MCG_STATUS, 8, "a reserved bit of MCG_STATUS" },
		{ OVID_REGISTER_MC0_CTL + 4, 0, "a bank that is not there" },
	};
	int part = ov_partition(dev, "save"), vp = ov_vp(part, 0);
	uint64_t runtime;

	apic_on(vp, 0x40041);		/* TSC-deadline mode */
	for (uint32_t i = 0; i < ARRAY_SIZE(r); i++) {
		if (tap_is(ov_set(vp, r[i].name, r[i].value), 0, "set: %s", r[i].what))
			tap_is(ov_get(vp, r[i].name), r[i].value, "reads back: %s", r[i].what);
	}
	if (tap_is(ov_set(vp, HV_REGISTER_VP_RUNTIME, 123456789), 0, "set: run time")) {
		runtime = ov_get(vp, HV_REGISTER_VP_RUNTIME);
		tap_ok(runtime == 123456789 || runtime == 123456790, "reads back: run time, not less");
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_is(-ov_set(vp, bad[i].name, bad[i].value), EINVAL, "refused: %s", bad[i].what);
	close(vp);
	close(part);
}

int main(void)
{
	int dev;

	tap_begin("abi-save", TAP_LIMIT);
	dev = ov_open();
	registers(dev);
	close(dev);
	return tap_done();
}
