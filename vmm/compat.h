/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that asks for the kernel's version.  The first part is for assembler too.
 */
#ifndef OVID_COMPAT_H
#define OVID_COMPAT_H

#include <linux/version.h>
#include <asm/cpufeatures.h>

/*
 * By which features the kernel's mitigations at VM entry and exit are known: those that
 * KVM's VMX part of that kernel goes by.  Kernels with the last name here set ..._BUF_VM
 * for VM entries on all processors.  In older ones it is for AMD's alone, if it is there.
 */
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM_MMIO
#define OVID_FEATURE_VERW	X86_FEATURE_CLEAR_CPU_BUF_VM
#else
#define OVID_FEATURE_VERW	X86_FEATURE_CLEAR_CPU_BUF
#endif
/* the sequence for branch history is then for KVM's modules alone */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT)
#define OVID_FEATURE_BHB	X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT
#endif

#ifndef __ASSEMBLER__
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/syscore_ops.h>
#include <linux/hrtimer.h>
#include <linux/mmu_notifier.h>
#include <linux/sched.h>
#include <linux/sched/vhost_task.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#endif
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

/*
 * From 6.19 on the CR4 shadow is for KVM's modules only: VMX is then entered
 * around each run ("scoped", see vmx/vmxon.c), and CR4.VMXE never outlives the
 * interrupts-off window in which it was set.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define OVID_HAVE_CR4_SHADOW	1
static inline void ovid_cr4_set(unsigned long bits)
{
	unsigned long flags;

	local_irq_save(flags);
	cr4_set_bits_irqsoff(bits);
	local_irq_restore(flags);
}

static inline void ovid_cr4_clear(unsigned long bits)
{
	unsigned long flags;

	local_irq_save(flags);
	cr4_clear_bits_irqsoff(bits);
	local_irq_restore(flags);
}

/* one at a time, and KVM warns when it finds another's */
#define OVID_HAVE_EMERGENCY	1
static inline void ovid_emergency_register(void (*fn)(void))
{
	cpu_emergency_register_virt_callback(fn);
}

static inline void ovid_emergency_unregister(void (*fn)(void))
{
	cpu_emergency_unregister_virt_callback(fn);
}
#else
#define OVID_HAVE_CR4_SHADOW	0
static inline void ovid_cr4_set(unsigned long bits) { }
static inline void ovid_cr4_clear(unsigned long bits) { }
/* newer ones (7.2 has it) look at CR4.VMXE of each CPU themselves when they crash */
#define OVID_HAVE_EMERGENCY	0
static inline void ovid_emergency_register(void (*fn)(void)) { }
static inline void ovid_emergency_unregister(void (*fn)(void)) { }
#endif

/*
 * A VM exit leaves the TSS limit too short for an I/O bitmap.  Where the
 * kernel's "limit is stale" word is not ours, the register is reloaded.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define ovid_tss_limit_stale()		invalidate_tss_limit()
#else
static inline void ovid_tss_limit_stale(void)
{
	struct desc_struct *gdt = get_cpu_gdt_rw(smp_processor_id());
	struct desc_ptr direct = { GDT_SIZE - 1, (unsigned long)gdt }, current_gdt;
	tss_desc tss;

	memcpy(&tss, &gdt[GDT_ENTRY_TSS], sizeof(tss));
	tss.type = DESC_TSS;
	write_gdt_entry(gdt, GDT_ENTRY_TSS, &tss, DESC_TSS);
	/* LTR marks the descriptor busy: not in the read-only alias */
	native_store_gdt(&current_gdt);
	native_load_gdt(&direct);
	asm volatile("ltr %w0" : : "q" (GDT_ENTRY_TSS * 8));
	native_load_gdt(&current_gdt);
}
#endif

/*
 * What the host's administrator wants against L1TF: when L1D is flushed for a guest.  From
 * 6.19 on l1tf= is told to KVM's modules alone; mitigations= is open.
 */
enum ovid_l1tf {
	OVID_L1TF_OFF,
	OVID_L1TF_COND_QUIET,
	OVID_L1TF_COND,
	OVID_L1TF_FULL,
	OVID_L1TF_FORCE,
};

static inline enum ovid_l1tf ovid_host_l1tf(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && IS_ENABLED(CONFIG_KVM_INTEL)
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return OVID_L1TF_OFF;
	case L1TF_MITIGATION_FLUSH_NOWARN:
		return OVID_L1TF_COND_QUIET;
	case L1TF_MITIGATION_FULL:
		return OVID_L1TF_FULL;
	case L1TF_MITIGATION_FULL_FORCE:
		return OVID_L1TF_FORCE;
	default:
		return OVID_L1TF_COND;
	}
#else
	return cpu_mitigations_off() ? OVID_L1TF_OFF : OVID_L1TF_COND;
#endif
}

/* Does it want IBPB between tasks?  Kernels without a feature for that keep it to themselves. */
static inline bool ovid_host_ibpb(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

/* VMSCAPE: does the kernel have a barrier ready for the way back to user mode? */
static inline bool ovid_host_ibpb_user(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	return boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER);
#else
	return false;
#endif
}

/* A guest ran on this CPU.  Interrupts off, so that it is still this one. */
static __always_inline void ovid_guest_ran(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/* 6.16 renamed the full-width MSR accessors */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define ovid_rdmsr(msr, val)		rdmsrq(msr, val)
#define ovid_rdmsr_safe(msr, val)	rdmsrq_safe(msr, val)
#define ovid_wrmsr(msr, val)		wrmsrq(msr, val)
#define ovid_wrmsr_safe(msr, val)	wrmsrq_safe(msr, val)
#else
#define ovid_rdmsr(msr, val)		rdmsrl(msr, val)
#define ovid_rdmsr_safe(msr, val)	rdmsrl_safe(msr, val)
#define ovid_wrmsr(msr, val)		wrmsrl(msr, val)
#define ovid_wrmsr_safe(msr, val)	wrmsrl_safe(msr, val)
#endif

/* some stable kernels took over 6.19's syscore argument: Kbuild looks */
#ifdef OVID_SYSCORE_DATA
#define OVID_SYSCORE(name, suspend_fn, resume_fn)			\
static int name##_suspend(void *data) { return suspend_fn(); }		\
static void name##_resume(void *data) { resume_fn(); }			\
static const struct syscore_ops name##_ops = {				\
	.suspend = name##_suspend, .resume = name##_resume };		\
static struct syscore name = { .ops = &name##_ops }
#define ovid_syscore_register(s)	register_syscore(s)
#define ovid_syscore_unregister(s)	unregister_syscore(s)
#else
#define OVID_SYSCORE(name, suspend_fn, resume_fn)			\
static struct syscore_ops name = { .suspend = suspend_fn, .resume = resume_fn }
#define ovid_syscore_register(s)	register_syscore_ops(s)
#define ovid_syscore_unregister(s)	unregister_syscore_ops(s)
#endif

/* NULL or ERR_PTR to begin with: in 6.14 it became the latter */
static inline struct vhost_task *ovid_task_create(bool (*fn)(void *), void (*killed)(void *),
						  void *arg, const char *name)
{
	struct vhost_task *task = vhost_task_create(fn, killed, arg, name);

	return task ?: ERR_PTR(-ENOMEM);
}

/* what the mmu notifier's young calls return: int, in later kernels bool */
#define ovid_young_t	typeof(((struct mmu_notifier_ops *)NULL)->test_young(NULL, NULL, 0))

/*
 * AF_VSOCK, whose headers are its user's.  May a socket go there?  Later kernels (7.2) ask with the
 * socket, as network namespaces have to do with it.  They also count by themselves who waits to
 * be accepted.  Kbuild looks.
 */
#ifdef OVID_VSOCK_NAMESPACES
#define OVID_VSOCK_ALLOW_ARGS	struct vsock_sock *vsk, u32 cid, u32 port
#define OVID_VSOCK_ALLOWED	vsock_net_mode_global(vsk)
#else
#define OVID_VSOCK_ALLOW_ARGS	u32 cid, u32 port
#define OVID_VSOCK_ALLOWED	true
#endif
#ifdef OVID_VSOCK_COUNTS
#define ovid_vsock_enqueue_accept(listener, child)	vsock_enqueue_accept(listener, child)
#else
#define ovid_vsock_enqueue_accept(listener, child) do {			\
	sk_acceptq_added(listener);					\
	vsock_enqueue_accept(listener, child);				\
} while (0)
#endif

/* 6.13 brought hrtimer_setup(); 6.15 took hrtimer_init() away */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void ovid_hrtimer_setup(struct hrtimer *t,
				      enum hrtimer_restart (*fn)(struct hrtimer *),
				      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(t, clock, mode);
	t->function = fn;
}
#else
#define ovid_hrtimer_setup(t, fn, clock, mode)	hrtimer_setup(t, fn, clock, mode)
#endif

#endif /* __ASSEMBLER__ */
#endif
