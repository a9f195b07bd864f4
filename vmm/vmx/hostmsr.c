// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that the host needs only when it returns to user mode: the SYSCALL
 * ones and TSC_AUX.  They keep the guest's values between runs; the kernel's
 * user-return notifier puts the host's back.  All of it is per CPU, touched
 * with interrupts off.
 */
#include <linux/percpu.h>
#include <linux/user-return-notifier.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include "vmx.h"

struct hostmsr {
	u32 msr;
	size_t offset;		/* of the guest's value in struct ovid_msr_store */
};

/* CSTAR is not among them: Intel's CPUs store it and never use it */
static const struct hostmsr hostmsrs[] = {
	{ MSR_STAR, offsetof(struct ovid_msr_store, star) },
	{ MSR_LSTAR, offsetof(struct ovid_msr_store, lstar) },
	{ MSR_SYSCALL_MASK, offsetof(struct ovid_msr_store, sfmask) },
	{ MSR_TSC_AUX, offsetof(struct ovid_msr_store, tsc_aux) },
};

#define FIRST_NOT_SYSCALL	3
#define EFER_SYSCALL		(EFER_LMA | EFER_SCE)

struct hostmsr_cpu {
	struct user_return_notifier urn;
	bool registered;
	bool known;
	u64 host[ARRAY_SIZE(hostmsrs)];
	u64 now[ARRAY_SIZE(hostmsrs)];
};

static struct hostmsr_cpu __percpu *hostmsr_cpus;
static unsigned int nr_hostmsrs;

static void hostmsr_restore(struct hostmsr_cpu *c)
{
	int i;

	for (i = 0; i < nr_hostmsrs; i++) {
		if (c->now[i] == c->host[i])
			continue;
		ovid_wrmsr(hostmsrs[i].msr, c->host[i]);
		c->now[i] = c->host[i];
	}
}

static void hostmsr_user_return(struct user_return_notifier *urn)
{
	struct hostmsr_cpu *c = container_of(urn, struct hostmsr_cpu, urn);
	unsigned long flags;

	local_irq_save(flags);
	if (c->registered) {
		c->registered = false;
		user_return_notifier_unregister(urn);
	}
	hostmsr_restore(c);
	local_irq_restore(flags);
}

static void hostmsr_learn(struct hostmsr_cpu *c)
{
	int i;

	for (i = 0; i < nr_hostmsrs; i++) {
		ovid_rdmsr(hostmsrs[i].msr, c->host[i]);
		c->now[i] = c->host[i];
	}
	c->urn.on_user_return = hostmsr_user_return;
	c->known = true;
}

/*
 * The guest can use the SYSCALL ones only in long mode with EFER.SCE; a change
 * of those calls here again.
 */
void vmx_hostmsr_load(struct ovid_vp *vp)
{
	struct hostmsr_cpu *c = this_cpu_ptr(hostmsr_cpus);
	const char *store = (const char *)&vp->msrs;
	u64 want;
	int i = (to_vmx(vp)->efer & EFER_SYSCALL) == EFER_SYSCALL ? 0 : FIRST_NOT_SYSCALL;

	if (unlikely(!c->known))
		hostmsr_learn(c);
	for (; i < nr_hostmsrs; i++) {
		want = *(const u64 *)(store + hostmsrs[i].offset);
		if (want == c->now[i])
			continue;
		ovid_wrmsr(hostmsrs[i].msr, want);
		c->now[i] = want;
		if (!c->registered) {
			c->registered = true;
			user_return_notifier_register(&c->urn);
		}
	}
}

int vmx_hostmsr_init(void)
{
	nr_hostmsrs = ARRAY_SIZE(hostmsrs);
	if (!boot_cpu_has(X86_FEATURE_RDTSCP))
		nr_hostmsrs--;		/* TSC_AUX is the last */
	hostmsr_cpus = alloc_percpu(struct hostmsr_cpu);
	return hostmsr_cpus ? 0 : -ENOMEM;
}

/*
 * This CPU leaves us (offline, suspend, last partition gone): nobody may return
 * to user mode on it, and its MSRs may be another's when it comes back.
 */
void vmx_hostmsr_drop(void)
{
	struct hostmsr_cpu *c = this_cpu_ptr(hostmsr_cpus);

	if (c->registered)
		hostmsr_user_return(&c->urn);
	c->known = false;
}

void vmx_hostmsr_fini(void)
{
	free_percpu(hostmsr_cpus);
}
