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

#define HANDLER		0x1800		/* of vector 0x40 */
#define VECTOR		0x40
#define APIC_SVR	4		/* words of the LAPIC blob */
#define APIC_LVT_TIMER	32
#define APIC_INITIAL	40
#define APIC_CURRENT	41
#define APIC_DIVIDE	42
#define APIC_FREQUENCY	(OVID_REGISTER_HV_MSR0 + 0x23)

CODE16(halt16, "cli; hlt; 1: out %al, $0xf4; jmp 1b");
CODE16(idle16, "cli; mov $0x400000f0, %ecx; rdmsr; 1: out %al, $0xf4; jmp 1b");
CODE16(stop16, "1: out %al, $0xf4; jmp 1b");
CODE16(count_nmi16, "incw 0x500; iret");
CODE16(wait_nmi16, "mov $1000, %cx; 1: loop 1b; 2: out %al, $0xf4; jmp 2b");
CODE16(assist16, "mov 0x5190, %ax; mov %ax, 0x500; movw $0x7777, 0x5192; 1: out %al, $0xf4; jmp 1b");

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

/* the activity of a VP that stopped by itself */
static uint64_t activity_after(const uint8_t *code, uint64_t len)
{
	struct ov_thread t;
	struct ov_vm vm;
	uint64_t activity;

	ov_vm_create(&vm, 1 << 20, code, len);
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(50);
	vm.run->cancel = 1;
	ov_thread_join(&t, 1000);
	activity = ov_get(vm.vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE);
	ov_vm_destroy(&vm);
	return activity;
}

/* puts a VP to sleep by its registers; true if an interrupt ends that */
static bool interrupt_ends(uint64_t activity, uint64_t rflags)
{
	struct ov_thread t;
	struct ov_vm vm;
	bool ended;

	ov_vm_create(&vm, 1 << 20, stop16, CODE_LEN(stop16));
	memcpy(vm.ram + HANDLER, stop16, CODE_LEN(stop16));
	*(uint32_t *)(vm.ram + VECTOR * 4) = HANDLER;
	ov_set(vm.vp, HV_X64_REGISTER_RSP, 0x8000);
	apic_on(vm.vp, 0x10000);
	/* RFLAGS last: whoever restores may do so in any order */
	ov_set(vm.vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE, activity);
	ov_set(vm.vp, HV_X64_REGISTER_RFLAGS, rflags);
	tap_is(ov_get(vm.vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE), activity, "activity %d reads back",
	       (int)activity);
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(30);
	tap_is(t.done, false, "and it sleeps");
	ov_inject(vm.part, OVID_INJECT_MSI, 0xfee00000, VECTOR);
	ov_sleep_ms(50);
	ended = t.done;
	vm.run->cancel = 1;
	ov_thread_join(&t, 1000);
	ov_vm_destroy(&vm);
	return ended;
}

static void activity(void)
{
	tap_is(activity_after(halt16, CODE_LEN(halt16)), 2, "HLT is activity 2");
	tap_is(activity_after(idle16, CODE_LEN(idle16)), 4, "guest idle is activity 4");
	tap_is(interrupt_ends(2, 0x202), true, "an interrupt ends a HLT that was put in");
	tap_is(interrupt_ends(2, 0x2), false, "but none with interrupts off");
	tap_is(interrupt_ends(4, 0x2), true, "idle is ended by one then too");
}

/* the APIC's timer, or a synthetic one, in so many milliseconds */
static void arm_timer(struct ov_vm *vm, bool synthetic, unsigned int ms)
{
	uint64_t *timer = (uint64_t *)page, now = 0;

	if (synthetic) {
		ov_property(vm->part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &now);
		memset(page, 0, sizeof(page));
		timer[1] = 1 | VECTOR << 4 | 1 << 12;	/* enabled, direct */
		timer[2] = now + ms * 10000ull;
		tap_is(blob(vm->vp, MSHV_VP_STATE_SYNTHETIC_TIMERS, true), 0, "a synthetic timer");
		return;
	}
	blob(vm->vp, MSHV_VP_STATE_LAPIC, false);
	page[APIC_LVT_TIMER] = VECTOR;
	page[APIC_DIVIDE] = 0xb;
	page[APIC_INITIAL] = page[APIC_CURRENT] = ov_get(vm->vp, APIC_FREQUENCY) / 1000 * ms;
	tap_is(blob(vm->vp, MSHV_VP_STATE_LAPIC, true), 0, "the APIC's timer");
}

static void freeze(struct ov_vm *vm, bool on)
{
	tap_is(ov_set_property(vm->part, HV_PARTITION_PROPERTY_TIME_FREEZE, on), 0,
	       on ? "time stands" : "and goes on");
}

/* a VP that is in HLT when it runs; its timer is yet to be armed */
static void sleeper_create(struct ov_vm *vm)
{
	ov_vm_create(vm, 1 << 20, stop16, CODE_LEN(stop16));
	memcpy(vm->ram + HANDLER, stop16, CODE_LEN(stop16));
	*(uint32_t *)(vm->ram + VECTOR * 4) = HANDLER;
	ov_set(vm->vp, HV_X64_REGISTER_RSP, 0x8000);
	ov_set(vm->vp, HV_X64_REGISTER_RFLAGS, 0x202);
	ov_set(vm->vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 2);
	apic_on(vm->vp, 0x10000);
}

static void sleeper_wakes(struct ov_vm *vm, struct ov_thread *t)
{
	tap_is(t->done, false, "it sleeps still");
	for (int i = 0; i < 200 && !t->done; i++)
		ov_sleep_ms(10);
	tap_is(t->done, true, "until its timer wakes it");
	vm->run->cancel = 1;
	ov_thread_join(t, 1000);
	ov_vm_destroy(vm);
}

/*
 * The guest's clock stands still for longer than the timer takes: while its VP sleeps, or
 * before it does (@early).
 */
static void sleeper_stands(bool synthetic, bool early)
{
	struct ov_thread t;
	struct ov_vm vm;

	sleeper_create(&vm);
	if (early)
		freeze(&vm, true);
	arm_timer(&vm, synthetic, 60);
	if (!early) {
		ov_thread_start_strict(&t, vm.vp);
		ov_sleep_ms(10);
		freeze(&vm, true);
	}
	ov_sleep_ms(100);
	freeze(&vm, false);
	if (early)
		ov_thread_start_strict(&t, vm.vp);
	sleeper_wakes(&vm, &t);
}

/* the reference time is put forward */
static void sleeper_moves(void)
{
	uint64_t now = 0;
	struct ov_thread t;
	struct ov_vm vm;

	sleeper_create(&vm);
	arm_timer(&vm, true, 10000);
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(10);
	tap_is(t.done, false, "a timer of ten seconds");
	ov_property(vm.part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &now);
	tap_is(ov_set_property(vm.part, HV_PARTITION_PROPERTY_REFERENCE_TIME, now + 95000000), 0,
	       "of which all but half a one pass at once");
	sleeper_wakes(&vm, &t);
}

/* one exception, whichever way it is looked at */
static void events(void)
{
	const uint64_t gp = 1 | 1 << 8 | 13 << 16 | 0x50ull << 32;
	const uint64_t irq = 1 | 0x33 << 16;		/* type 0: cut short */
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, stop16, CODE_LEN(stop16));
	tap_is(ov_set(vm.vp, HV_REGISTER_PENDING_EVENT0, gp), 0, "an exception is pending");
	tap_is(ov_get(vm.vp, HV_REGISTER_PENDING_EVENT0), gp, "it reads back");
	tap_is(ov_get(vm.vp, HV_REGISTER_PENDING_INTERRUPTION), 0, "and is no interruption too");
	tap_is(ov_set(vm.vp, HV_REGISTER_PENDING_INTERRUPTION, irq), 0, "an interruption beside it");
	tap_is(ov_get(vm.vp, HV_REGISTER_PENDING_EVENT0), gp, "leaves it where it is");
	tap_is(ov_get(vm.vp, HV_REGISTER_PENDING_INTERRUPTION), irq, "and reads back");
	ov_vm_destroy(&vm);
}

/* two NMIs that wait: the LAPIC's state has room for one */
static void nmis(void)
{
	struct ov_vm from, to;

	ov_vm_create(&from, 1 << 20, stop16, CODE_LEN(stop16));
	ov_vm_create(&to, 1 << 20, wait_nmi16, CODE_LEN(wait_nmi16));
	for (int i = 0; i < 3; i++)
		ov_inject(from.part, OVID_INJECT_NMI, 0, 0);
	tap_is(ov_get(from.vp, OVID_REGISTER_NMIS), 2, "of three NMIs two wait");
	tap_is(-ov_set(to.vp, OVID_REGISTER_NMIS, 3), EINVAL, "three are refused");
	tap_is(ov_set(to.vp, OVID_REGISTER_NMIS, 2), 0, "two are put in");
	blob(from.vp, MSHV_VP_STATE_LAPIC, false);
	tap_is(blob(to.vp, MSHV_VP_STATE_LAPIC, true), 0, "then the LAPIC, which knows of one");
	tap_is(ov_get(to.vp, OVID_REGISTER_NMIS), 2, "that makes no third");
	memcpy(to.ram + HANDLER, count_nmi16, CODE_LEN(count_nmi16));
	*(uint32_t *)(to.ram + 2 * 4) = HANDLER;
	ov_set(to.vp, HV_X64_REGISTER_RSP, 0x8000);
	tap_is(ov_run(to.vp), 0, "the VP runs");
	tap_is(*(uint16_t *)(to.ram + 0x500), 2, "and takes two");
	tap_is(ov_get(to.vp, OVID_REGISTER_NMIS), 0, "none waits then");
	ov_vm_destroy(&to);
	ov_vm_destroy(&from);
}

/* what is in the VP assist page, not only where it is */
static void assist(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, assist16, CODE_LEN(assist16));
	memset(page, 0, sizeof(page));
	page[0x190 / 4] = 0x1234;
	tap_is(blob(vm.vp, OVID_VP_STATE_ASSIST, true), 0, "the VP assist page is put in");
	tap_is(ov_set(vm.vp, HV_REGISTER_VP_ASSIST_PAGE, 0x5001), 0, "and placed");
	tap_is(ov_run(vm.vp), 0, "the VP runs");
	tap_is(*(uint16_t *)(vm.ram + 0x500), 0x1234, "and finds what was put in");
	memset(page, 0, sizeof(page));
	tap_is(blob(vm.vp, OVID_VP_STATE_ASSIST, false), 0, "it is read");
	tap_is(page[0x190 / 4], 0x77771234, "with what the guest has stored");
	tap_is(*(uint32_t *)(vm.ram + 0x5190), 0, "which the memory beneath has not");
	ov_vm_destroy(&vm);
}

/* INIT that came while the VP was out is part of its state after a cancelled run */
static void init_counts(int dev)
{
	int part = ov_partition(dev, "init"), vp = ov_vp(part, 0), ap = ov_vp(part, 1);
	struct ovid_run *run = ov_run_page(ap);

	tap_is(ov_set(ap, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0), 0, "an AP that runs");
	ov_set(ap, HV_X64_REGISTER_CR2, 0x1234);
	tap_is(ov_inject(part, OVID_INJECT_MSI, 0xfee01000, 0x500), 0, "INIT is sent to it");
	run->cancel = 1;
	tap_is(ov_run(ap), 1, "a cancelled run");
	tap_is(ov_get(ap, HV_REGISTER_INTERNAL_ACTIVITY_STATE), 1, "it waits for SIPI");
	tap_is(ov_get(ap, HV_X64_REGISTER_CR2), 0, "and has been through INIT");
	close(ap);
	close(vp);
	close(part);
}

/* a timer that is due when it is put in, and its slot is full: the message waits */
static void timer_due(int dev)
{
	int part = ov_partition(dev, "timer"), vp = ov_vp(part, 0);
	struct ovid_reg regs[] = {
		{ .name = HV_REGISTER_SINT0 + 2, .low = 0x53 },
		{ .name = HV_REGISTER_SIMP, .low = 0x5001 },
		{ .name = HV_REGISTER_SCONTROL, .low = 1 },
	};
	uint64_t *timer = (uint64_t *)page;

	tap_is(ov_set_regs(vp, regs, ARRAY_SIZE(regs)), 0, "a SynIC with message slots");
	memset(page, 0, sizeof(page));
	page[2 * 64] = 1;			/* the slot of SINT 2 has a message */
	tap_is(blob(vp, MSHV_VP_STATE_SIMP, true), 0, "one is full");
	memset(page, 0, sizeof(page));
	timer[1] = 1 | 2 << 16;			/* enabled, SINT 2 */
	timer[2] = 1;				/* long ago */
	tap_is(blob(vp, MSHV_VP_STATE_SYNTHETIC_TIMERS, true), 0, "a timer that is due");
	memset(page, 0, sizeof(page));
	blob(vp, MSHV_VP_STATE_SYNTHETIC_TIMERS, false);
	tap_is(timer[0] & 1, 1, "its message waits for the slot");
	tap_is(timer[4], 1, "and says when it was due");
	close(vp);
	close(part);
}

/* PKRU is not where XSAVES would have it in the kernel */
static void protection_keys(int dev)
{
	int part = ov_partition(dev, "pkru"), vp = ov_vp(part, 0);
	uint64_t *states = (uint64_t *)page + 64, size = 0;

	blob(vp, MSHV_VP_STATE_XSAVE, false);
	if (!(states[1] & 1 << 9)) {
		tap_skip("PKRU", "the processor has none");
	} else {
		/* the last component */
		ov_property(part, HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE, &size);
		states[0] |= 1 << 9;
		page[size / 4 - 2] = 0x55555554;
		tap_is(blob(vp, MSHV_VP_STATE_XSAVE, true), 0, "PKRU is put in");
		memset(page, 0, sizeof(page));
		blob(vp, MSHV_VP_STATE_XSAVE, false);
		tap_is(states[0] & 1 << 9, 1 << 9, "it is there");
		tap_is(page[size / 4 - 2], 0x55555554, "and reads back");
	}
	close(vp);
	close(part);
}

int main(void)
{
	int dev;

	tap_begin("abi-save", TAP_LIMIT);
	dev = ov_open();
	registers(dev);
	activity();
	events();
	for (int i = 0; i < 4; i++)
		sleeper_stands(i & 1, i & 2);
	sleeper_moves();
	nmis();
	assist();
	init_counts(dev);
	timer_due(dev);
	protection_keys(dev);
	close(dev);
	return tap_done();
}
