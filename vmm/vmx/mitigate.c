// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures against leaks by speculation that take more than an instruction of
 * enter.S: L1D is flushed before the guest runs (L1TF), and predictions of indirect
 * branches are dropped between two VPs (IBPB).  What the host does is done, measures.c
 * decides; module parameters overrule it.  What is off costs a NOP.
 *
 * Between guest and worker (VMSCAPE) the kernel does it: ovid_guest_ran() asks for it.
 */
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/sched/smt.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/sync_core.h>
#include "measures.h"
#include "vmx.h"

#define READ_OVER_ORDER	4		/* 64 KiB: no affected processor has a larger L1D */
#define READ_OVER_SIZE	(PAGE_SIZE << READ_OVER_ORDER)

DEFINE_STATIC_KEY_FALSE(vmx_ibpb_key);
DEFINE_STATIC_KEY_FALSE(vmx_l1d_key);
static struct vmx_measures measures;	/* written at load only */
static u8 *read_over_area;
static DEFINE_PER_CPU(struct vmx_vp *, last_vp);	/* for IBPB; only compared */

/* ---- parameters ---- */

/* by enum vmx_when, from VMX_AUTO on */
static const char * const when_names[] = { "auto", "never", "cond", "always" };

static int when_set(const char *val, const struct kernel_param *kp)
{
	int n = sysfs_match_string(when_names, val);

	if (n < 0)
		return n;
	*(enum vmx_when *)kp->arg = n + VMX_AUTO;
	return 0;
}

static const char *when_name(enum vmx_when when)
{
	return when_names[when - VMX_AUTO];
}

static int when_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", when_name(*(enum vmx_when *)kp->arg));
}

static const struct kernel_param_ops when_ops = { .set = when_set, .get = when_get };

static enum vmx_when l1d_flush = VMX_AUTO;
module_param_cb(l1d_flush, &when_ops, &l1d_flush, 0444);
MODULE_PARM_DESC(l1d_flush, "flush L1D before a guest runs: auto (as the host's l1tf= says), never, cond (whenever the host ran in between), always (at each entry)");

static enum vmx_when ibpb = VMX_AUTO;
module_param_cb(ibpb, &when_ops, &ibpb, 0444);
MODULE_PARM_DESC(ibpb, "barrier of branch prediction before a guest runs: auto (as the host does between tasks), never, cond (when another VP ran there last), always");

static const struct { unsigned int feature; const char *name; } of_kernel[] = {
	{ OVID_FEATURE_VERW, "verw" },
	{ X86_FEATURE_RSB_VMEXIT, "rsb" },
	{ X86_FEATURE_RSB_VMEXIT_LITE, "rsb-lite" },
	{ X86_FEATURE_KERNEL_IBRS, "ibrs" },
#ifdef OVID_FEATURE_BHB
	{ OVID_FEATURE_BHB, "bhb" },
#endif
};

/* what is in force, in one line: /sys/module/ovid/parameters/mitigations */
static int mitigations_get(char *buf, const struct kernel_param *kp)
{
	int at = 0, i;

	if (measures.l1d != VMX_NEVER)
		at += sysfs_emit_at(buf, at, "l1d-flush=%s%s ", when_name(measures.l1d),
				    measures.l1d_by_reads ? ",reads" : "");
	if (measures.ibpb != VMX_NEVER)
		at += sysfs_emit_at(buf, at, "ibpb=%s ", when_name(measures.ibpb));
	if (ovid_host_ibpb_user())
		at += sysfs_emit_at(buf, at, "ibpb-user ");
	for (i = 0; i < ARRAY_SIZE(of_kernel); i++)
		if (boot_cpu_has(of_kernel[i].feature))
			at += sysfs_emit_at(buf, at, "%s ", of_kernel[i].name);
	if (!at)
		at = sysfs_emit_at(buf, at, "none ");
	buf[at - 1] = '\n';
	return at;
}

static int mitigations_set(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops mitigations_ops = {
	.set = mitigations_set, .get = mitigations_get,
};
module_param_cb(mitigations, &mitigations_ops, NULL, 0444);
MODULE_PARM_DESC(mitigations, "for reading: what is done against leaks by speculation");

/* ---- the measures; interrupts off ---- */

void vmx_ibpb(struct vmx_vp *v)
{
	if (this_cpu_read(last_vp) == v && measures.ibpb != VMX_ALWAYS)
		return;
	this_cpu_write(last_vp, v);
	ovid_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	v->vp->stats.ibpbs++;
}

/* its memory may be another VP's next, which is not to pass for this one */
void vmx_forget(struct vmx_vp *v)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(per_cpu_ptr(&last_vp, cpu), v, NULL);
}

/* other lines take the place of all that is there */
static void read_over(void)
{
	size_t i;

	/* translations first: walks for them would put lines of their own in between */
	for (i = 0; i < READ_OVER_SIZE; i += PAGE_SIZE)
		READ_ONCE(read_over_area[i]);
	sync_core();
	for (i = 0; i < READ_OVER_SIZE; i += SMP_CACHE_BYTES)
		READ_ONCE(read_over_area[i]);
	rmb();	/* an LFENCE: all have been read before the guest begins */
}

/*
 * What handles an exit within a window reads the VP's own data: only what runs
 * between two windows, with interrupts on, brings in that of others.
 */
void vmx_l1d_flush(struct vmx_vp *v)
{
	if (!v->l1d_stale && measures.l1d != VMX_ALWAYS)
		return;
	v->l1d_stale = false;
	if (measures.l1d_by_reads)
		read_over();
	else
		ovid_wrmsr(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	v->vp->stats.l1d_flushes++;
}

/* ---- at load ---- */

static bool flushed_below(void)
{
	u64 caps;

	if (!boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		return false;
	ovid_rdmsr(MSR_IA32_ARCH_CAPABILITIES, caps);
	return caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH;
}

static struct vmx_host_says host_says(void)
{
	static const enum vmx_when l1d[] = {
		[OVID_L1TF_OFF] = VMX_NEVER,
		[OVID_L1TF_COND_QUIET] = VMX_COND,
		[OVID_L1TF_COND] = VMX_COND,
		[OVID_L1TF_FULL] = VMX_ALWAYS,
		[OVID_L1TF_FORCE] = VMX_ALWAYS,
	};
	enum ovid_l1tf setting = ovid_host_l1tf();

	return (struct vmx_host_says) {
		.l1tf = boot_cpu_has_bug(X86_BUG_L1TF) && !flushed_below(),
		.l1d = l1d[setting],
		.l1d_forced = setting == OVID_L1TF_FORCE,
		.quiet = setting == OVID_L1TF_OFF || setting == OVID_L1TF_COND_QUIET,
		.smt = sched_smt_active(),
		.flush_cmd = boot_cpu_has(X86_FEATURE_FLUSH_L1D),
		.has_ibpb = boot_cpu_has(X86_FEATURE_IBPB),
		.ibpb = ovid_host_ibpb(),
	};
}

static void tell(void)
{
	if (measures.warn_l1d)
		pr_warn("ovid: L1TF: L1D is not flushed before guests run: they can read data of the host (l1d_flush=)\n");
	if (measures.warn_smt)
		pr_warn("ovid: L1TF: a guest can read what the other thread of its core leaves in L1D: trust guests, or boot with l1tf=full or nosmt\n");
	if (measures.warn_ibpb)
		pr_warn("ovid: ibpb=: this CPU has no such barrier (microcode?)\n");
}

int vmx_mitigate_init(void)
{
	struct vmx_host_says host = host_says();

	measures = vmx_measures(&host, l1d_flush, ibpb);
	if (measures.l1d_by_reads) {
		read_over_area = (u8 *)__get_free_pages(GFP_KERNEL, READ_OVER_ORDER);
		if (!read_over_area)
			return -ENOMEM;
		/* pages that differ: a hypervisor below may merge equal ones into one */
		for (int i = 0; i < 1 << READ_OVER_ORDER; i++)
			memset(read_over_area + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	}
	if (measures.l1d != VMX_NEVER)
		static_branch_enable(&vmx_l1d_key);
	if (measures.ibpb != VMX_NEVER)
		static_branch_enable(&vmx_ibpb_key);
	tell();
	return 0;
}

/* no VP is left */
void vmx_mitigate_fini(void)
{
	free_pages((unsigned long)read_over_area, READ_OVER_ORDER);
	read_over_area = NULL;
}
