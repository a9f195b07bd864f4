// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call of run(): a window with interrupts off in which the guest, its FPU
 * state in the registers, is entered as often as exits can be handled right
 * there.
 *
 * The window ends for an interrupt of the host, a request, or an exit that has
 * to sleep.  So a guest that makes only fast exits holds the CPU no longer
 * than to the host's next interrupt.
 */
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vtime.h>
#include <linux/hw_breakpoint.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/gsseg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fsgsbase.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tsc.h>
#include "../regs.h"
#include "../trace.h"
#include "vmx.h"

#define DR_GLOBAL_OR_LOCAL	0xff

static u64 host_xcr0;
static u64 host_xss;

int vmx_run_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return -ENODEV;
	host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		ovid_rdmsr(MSR_IA32_XSS, host_xss);
	return 0;
}

/* ---- FPU ---- */

static void xstate_save(struct xregs_state *x, u64 mask)
{
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		asm volatile("xsaves64 %0" : "+m" (*x)
			     : "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("xsave64 %0" : "+m" (*x)
			     : "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
}

static void xstate_load(const struct xregs_state *x, u64 mask)
{
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		asm volatile("xrstors64 %0" : : "m" (*x),
			     "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("xrstor64 %0" : : "m" (*x),
			     "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
}

static bool guest_uses_pkru(struct vmx_vp *v)
{
	return v->cr4_shadow & X86_CR4_PKE || v->vp->xcr0 & XFEATURE_MASK_PKRU;
}

static void pkru_write(u32 pkru)
{
	asm volatile("wrpkru" : : "a" (pkru), "c" (0), "d" (0));
}

static u32 pkru_read(void)
{
	u32 pkru, edx;

	asm volatile("rdpkru" : "=a" (pkru), "=d" (edx) : "c" (0));
	return pkru;
}

/*
 * The area is loaded and saved under the host's XCR0 and all of the guest's
 * components, so that none is lost while the guest's own XCR0 is small.
 * PKRU is apart: the host keeps its own live in the register.
 */
static void fpu_in(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;

	xstate_load(vp->fpu, v->xmask);
	v->fpu_loaded = true;
	/* the guest may change all of these before it comes out: what was loaded counts */
	v->xcr0_loaded = (v->cr4_shadow & X86_CR4_OSXSAVE) && vp->xcr0 != host_xcr0;
	if (v->xcr0_loaded)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vp->xcr0);
	v->xss_loaded = vmx_caps.xsaves && unlikely(host_xss != vp->xss);
	if (v->xss_loaded)
		ovid_wrmsr(MSR_IA32_XSS, vp->xss);
	v->pkru_loaded = boot_cpu_has(X86_FEATURE_OSPKE) && guest_uses_pkru(v);
	if (v->pkru_loaded) {
		v->host_pkru = pkru_read();
		if (v->host_pkru != vp->pkru)
			pkru_write(vp->pkru);
	}
}

static void fpu_out(struct vmx_vp *v)
{
	if (v->pkru_loaded) {
		v->vp->pkru = pkru_read();
		if (v->host_pkru != v->vp->pkru)
			pkru_write(v->host_pkru);
	}
	if (v->xss_loaded)
		ovid_wrmsr(MSR_IA32_XSS, host_xss);
	if (v->xcr0_loaded)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
	xstate_save(v->vp->fpu, v->xmask);
	v->fpu_loaded = false;
}

void vmx_xmm_get(struct ovid_vp *vp, void *to)
{
	struct vmx_vp *v = to_vmx(vp);

	if (!v->fpu_loaded) {
		ovid_fpu_settle(vp);
		memcpy(to, vp->fpu->i387.xmm_space, 6 * 16);
		return;
	}
	asm volatile("movups %%xmm0, (%0)\n\tmovups %%xmm1, 16(%0)\n\t"
		     "movups %%xmm2, 32(%0)\n\tmovups %%xmm3, 48(%0)\n\t"
		     "movups %%xmm4, 64(%0)\n\tmovups %%xmm5, 80(%0)"
		     : : "r" (to) : "memory");
}

void vmx_xmm_set(struct ovid_vp *vp, const void *from)
{
	struct vmx_vp *v = to_vmx(vp);

	if (!v->fpu_loaded) {
		ovid_fpu_settle(vp);
		memcpy(vp->fpu->i387.xmm_space, from, 6 * 16);
		return;
	}
	asm volatile("movups (%0), %%xmm0\n\tmovups 16(%0), %%xmm1\n\t"
		     "movups 32(%0), %%xmm2\n\tmovups 48(%0), %%xmm3\n\t"
		     "movups 64(%0), %%xmm4\n\tmovups 80(%0), %%xmm5"
		     : : "r" (from) : "memory");
}

void vmx_fpu_reset(struct vmx_vp *v)
{
	struct xregs_state *x = v->vp->fpu;

	memset(x, 0, PAGE_SIZE);
	x->i387.cwd = 0x40;		/* after RESET, not FNINIT's 0x37F */
	x->i387.mxcsr = MXCSR_DEFAULT;
	x->header.xfeatures = XFEATURE_MASK_FPSSE;
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		x->header.xcomp_bv = XCOMP_BV_COMPACTED_FORMAT | v->xmask;
	v->vp->xcr0 = XFEATURE_MASK_FP;
	v->vp->xss = 0;
	v->vp->pkru = 0;
}

int vmx_fpu_init(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;

	/* whatever a CPUID table may come to offer; without AMX a page holds it */
	v->xmask = ovid_cpuid_xcr0_host() & ~(u64)XFEATURE_MASK_PKRU;
	vp->fpu = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vp->fpu ? 0 : -ENOMEM;
}

void vmx_fpu_fini(struct vmx_vp *v)
{
	free_page((unsigned long)v->vp->fpu);
	v->vp->fpu = NULL;
}

/* ---- the host's own state around the window ---- */

/* what a VM exit loads per CPU: TSS, GDT, IDT, GS base, SYSENTER stack */
static void host_cpu_fields(struct vmx_vp *v)
{
	struct ldttss_desc *tss;
	struct desc_ptr idt;
	u64 val;

	native_store_gdt(&v->host_gdt);
	store_idt(&idt);
	tss = (void *)(v->host_gdt.address + GDT_ENTRY_TSS * 8);
	vmwrite(HOST_TR_BASE, tss->base0 | (u64)tss->base1 << 16 |
			      (u64)tss->base2 << 24 | (u64)tss->base3 << 32);
	vmwrite(HOST_GDTR_BASE, v->host_gdt.address);
	vmwrite(HOST_IDTR_BASE, idt.address);
	ovid_rdmsr(MSR_GS_BASE, val);
	vmwrite(HOST_GS_BASE, val);
	ovid_rdmsr(MSR_IA32_SYSENTER_ESP, val);
	vmwrite(HOST_IA32_SYSENTER_ESP, val);
	v->host_cpu = smp_processor_id();
}

static u64 read_fs_base(void)
{
	u64 base;

	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		return rdfsbase();
	ovid_rdmsr(MSR_FS_BASE, base);
	return base;
}

/* perf's and ptrace's breakpoints on this CPU, around the window */
static void breakpoints_save(struct vmx_vp *v)
{
	get_debugreg(v->host_dr[0], 0);
	get_debugreg(v->host_dr[1], 1);
	get_debugreg(v->host_dr[2], 2);
	get_debugreg(v->host_dr[3], 3);
	get_debugreg(v->host_dr7, 7);
}

static void breakpoints_back(struct vmx_vp *v)
{
	set_debugreg(v->host_dr[0], 0);
	set_debugreg(v->host_dr[1], 1);
	set_debugreg(v->host_dr[2], 2);
	set_debugreg(v->host_dr[3], 3);
	set_debugreg(v->host_dr7, 7);
}

/* interrupts off, VMCS current */
static void host_save(struct vmx_vp *v)
{
	unsigned long cr;
	u64 base, perf;

	if (unlikely(v->host_cpu != smp_processor_id()))
		host_cpu_fields(v);
	savesegment(fs, v->host_fs);
	savesegment(gs, v->host_gs);
	savesegment(ds, v->host_ds);
	savesegment(es, v->host_es);
	store_ldt(v->host_ldt);

	base = read_fs_base();
	if (base != v->fs_base_written) {
		v->fs_base_written = base;
		vmwrite(HOST_FS_BASE, base);
	}
	cr = __read_cr3();
	if (cr != v->host_cr3) {
		v->host_cr3 = cr;
		vmwrite(HOST_CR3, cr);
	}
	cr = __read_cr4();
	if (cr != v->host_cr4) {
		v->host_cr4 = cr;
		vmwrite(HOST_CR4, cr);
	}
	ovid_rdmsr(MSR_KERNEL_GS_BASE, v->host_kernel_gs);
	if (v->vp->msrs.kernel_gs_base != v->host_kernel_gs)
		ovid_wrmsr(MSR_KERNEL_GS_BASE, v->vp->msrs.kernel_gs_base);
	ovid_rdmsr(MSR_IA32_DEBUGCTLMSR, v->host_debugctl);
	if (vmx_caps.exit & VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL) {
		ovid_rdmsr(MSR_CORE_PERF_GLOBAL_CTRL, perf);
		if (perf != v->host_perf) {
			v->host_perf = perf;
			vmwrite(HOST_IA32_PERF_GLOBAL_CTRL, perf);
		}
	}
	v->host_breakpoints = hw_breakpoint_active();
	if (unlikely(v->host_breakpoints))
		breakpoints_save(v);
	vmx_hostmsr_load(v->vp);
}

static void host_restore(struct vmx_vp *v)
{
	ovid_rdmsr(MSR_KERNEL_GS_BASE, v->vp->msrs.kernel_gs_base);
	if (v->vp->msrs.kernel_gs_base != v->host_kernel_gs)
		ovid_wrmsr(MSR_KERNEL_GS_BASE, v->host_kernel_gs);
	/* a VM exit leaves null selectors and a GDT limit of 64 KiB */
	native_load_gdt(&v->host_gdt);
	if (unlikely(v->host_ldt))
		asm volatile("lldt %w0" : : "r" (v->host_ldt));
	if (unlikely(v->host_fs)) {
		loadsegment(fs, v->host_fs);
		ovid_wrmsr(MSR_FS_BASE, v->fs_base_written);
	}
	if (unlikely(v->host_gs)) {
		load_gs_index(v->host_gs);
		ovid_wrmsr(MSR_KERNEL_GS_BASE, v->host_kernel_gs);
	}
	if (unlikely(v->host_ds | v->host_es)) {
		loadsegment(ds, v->host_ds);
		loadsegment(es, v->host_es);
	}
	ovid_tss_limit_stale();
	/* ... DR7 and DEBUGCTL off */
	if (unlikely(v->host_debugctl))
		ovid_wrmsr(MSR_IA32_DEBUGCTLMSR, v->host_debugctl);
	if (unlikely(v->host_breakpoints))
		breakpoints_back(v);
}

void vmx_debug_regs_in(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;

	/* the guest's addresses are not for the host's own breakpoints */
	if (unlikely(v->host_breakpoints))
		set_debugreg(0ul, 7);
	set_debugreg(vp->dr[0], 0);
	set_debugreg(vp->dr[1], 1);
	set_debugreg(vp->dr[2], 2);
	set_debugreg(vp->dr[3], 3);
	set_debugreg(vp->dr6, 6);
	v->debug_regs_loaded = true;
	vmx_set_proc(v, 0, CPU_BASED_MOV_DR_EXITING);
}

static void debug_regs_out(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;

	get_debugreg(vp->dr[0], 0);
	get_debugreg(vp->dr[1], 1);
	get_debugreg(vp->dr[2], 2);
	get_debugreg(vp->dr[3], 3);
	get_debugreg(vp->dr6, 6);
	v->debug_regs_loaded = false;
	v->breakpoints = vmread_guest(v, GUEST_DR7) & DR_GLOBAL_OR_LOCAL;
	vmx_set_proc(v, CPU_BASED_MOV_DR_EXITING, 0);
}

/* ---- the window ---- */

/* translations this CPU may still hold from before a zap, or from another's VPID use */
static void tlb_sync(struct vmx_vp *v)
{
	struct ovid_tdp *tdp = &v->vp->part->tdp;
	int cpu = smp_processor_id();
	u64 gen = atomic64_read(&tdp->flush_gen);

	if (unlikely(tdp->cpu_gen[cpu] != gen)) {
		tdp->cpu_gen[cpu] = gen;
		invept(VMX_EPT_EXTENT_CONTEXT, vmx_eptp(v));
		v->vp->stats.tlb_flushes++;
	}
	if (unlikely(v->vpid_cpu != cpu)) {
		v->vpid_cpu = cpu;
		invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, v->vpid);
		v->vp->stats.tlb_flushes++;
	}
}

/* between two entries of a window; outside of one a request does it */
void vmx_tlb_flush(struct ovid_vp *vp)
{
	struct vmx_vp *v = to_vmx(vp);

	if (vp->mode == OVID_VP_OUT) {
		set_bit(OVID_REQ_TLB, &vp->requests);
		return;
	}
	invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, v->vpid);
	vp->stats.tlb_flushes++;
}

static bool must_leave(struct ovid_vp *vp)
{
	return READ_ONCE(vp->requests) ||
	       read_thread_flags() & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL |
				      _TIF_NEED_RESCHED) || ovid_user_work() ||
	       (vp->native && READ_ONCE(vp->run->cancel));
}

static void arm_timer(struct vmx_vp *v)
{
	u64 deadline = ovid_vp_deadline(v->vp);
	u64 now, ticks;

	if (!deadline) {
		if (v->timer_armed) {
			v->timer_armed = false;
			vmwrite_guest(v, VMX_PREEMPTION_TIMER_VALUE, U32_MAX);
		}
		return;
	}
	now = rdtsc();
	if (now >= deadline) {
		ovid_lapic_timer_check(v->vp, now);
		ovid_stimer_poll(v->vp, now);
		deadline = ovid_vp_deadline(v->vp);
		if (!deadline || now >= deadline)
			return;
	}
	if (!vmx_caps.preempt_timer) {
		/* the hrtimer is armed outside the window: go there for a new deadline */
		if (deadline != v->hrtimer_deadline)
			set_bit(OVID_REQ_EXIT, &v->vp->requests);
	} else {
		ticks = (deadline - now) >> vmx_caps.preempt_shift;
		vmwrite_guest(v, VMX_PREEMPTION_TIMER_VALUE, min_t(u64, ticks, U32_MAX));
		v->timer_armed = true;
	}
}

static enum ovid_run_result window(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	enum ovid_run_result r = OVID_RUN_AGAIN;

	vp->cpu = smp_processor_id();
	smp_store_mb(vp->mode, OVID_VP_IN_GUEST);	/* pairs with ovid_vp_kick() */
	if (unlikely(READ_ONCE(vp->requests)))
		vmx_requests(v);
	if (must_leave(vp) || unlikely(v->apic_elsewhere_stale))
		goto out;
	tlb_sync(v);
	if (unlikely(v->pml != READ_ONCE(vp->part->track.by_log)))
		vmx_pml_set(v, !v->pml);
	if (unlikely(v->breakpoints))
		vmx_debug_regs_in(v);
	do {
		arm_timer(v);
		if (unlikely(vmx_inject_wanted(v)) && vmx_inject_pending(v)) {
			r = OVID_RUN_WORKER;
			break;
		}
		if (vp->apic.lazy_word && !vp->apic.vid)
			ovid_lapic_lazy_arm(vp);
		if (unlikely(vp->cr2 != native_read_cr2()))
			native_write_cr2(vp->cr2);
		vmx_mitigate_entry(v);
		vmx_guest_entry(v);
		if (unlikely(ovid_vmx_enter(vp->page->gpr, v->vmcs.launched, &v->host_rsp))) {
			vmx_entry_failed(v);
			r = OVID_RUN_DEAD;
			break;
		}
		vp->cr2 = native_read_cr2();
		vp->stats.exits++;
		if (unlikely(vp->apic.lazy))
			ovid_lapic_lazy_sync(vp);
		r = vmx_handle_exit(v);
	} while (r == OVID_RUN_RESUME && !READ_ONCE(vp->requests));
	if (r == OVID_RUN_RESUME)
		r = OVID_RUN_AGAIN;
	if (unlikely(v->debug_regs_loaded))
		debug_regs_out(v);
	if (unlikely(v->pml))
		vmx_pml_drain(v);
out:
	/* what the guest did is seen by who sees it out: ovid_part_kick_sync() */
	smp_store_release(&vp->mode, OVID_VP_OUT);
	return r;
}

/*
 * What the exit took from the host: an interrupt that it acknowledged, an NMI,
 * or a machine check.  The last is the guest's memory as a rule: it is told as
 * coming from user mode, so that it costs the worker and not the host.
 */
static noinline void host_machine_check(void)
{
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
}

static void host_event(int vector)
{
	if (likely(vector < 0))
		return;
	if (unlikely(vector == X86_TRAP_MC)) {
		host_machine_check();
	} else {
		vmx_host_vector(vector);
		local_irq_disable();	/* the handler left them on */
	}
}

/*
 * Preemption is off.  The FPU section is within the window, so that the host's
 * handler interrupts nothing but this thread: softirqs may follow it, and the
 * time is booked as the guest's.  (Newer kernels hold softirqs off in a section
 * that begins with interrupts on.)
 */
static enum ovid_run_result run_window(struct vmx_vp *v)
{
	enum ovid_run_result r;
	int err;

	local_irq_disable();
	err = vmx_window_open();
	if (unlikely(err)) {
		local_irq_enable();
		return err == -EBUSY ? OVID_RUN_BUSY : OVID_RUN_AGAIN;
	}
	vmx_vmcs_load(v);
	v->depth = 1;
	v->host_vector = -1;
	kernel_fpu_begin_mask(0);
	fpu_in(v);
	host_save(v);
	vmx_mitigate_window(v);
	vtime_account_guest_enter();
	v->vp->run_since = rdtsc();
	r = window(v);
	ovid_guest_ran();
	v->vp->run_ticks += rdtsc() - v->vp->run_since;
	v->vp->run_since = 0;
	host_restore(v);
	fpu_out(v);
	kernel_fpu_end();
	v->depth = 0;
	vmx_window_close();
	host_event(v->host_vector);
	vtime_account_guest_exit();
	local_irq_enable();
	return r;
}

enum ovid_run_result vmx_run(struct ovid_vp *vp)
{
	struct vmx_vp *v = to_vmx(vp);
	enum ovid_run_result r;
	bool hrtimer = !vmx_caps.preempt_timer && ovid_vp_deadline(vp);

	v->hrtimer_deadline = ovid_vp_deadline(vp);

	if (unlikely(v->owed)) {
		if (vmx_vmcs_get(v))
			return OVID_RUN_BUSY;
		vmx_vmcs_put(v);
	}
	if (unlikely(v->apic_elsewhere_stale))
		vmx_apic_page_update(v);
	if (unlikely(v->pdptrs_stale)) {
		r = vmx_pdptrs_refresh(v);
		if (r != OVID_RUN_AGAIN)
			return r;
		v->pdptrs_stale = false;
	}
	if (unlikely(hrtimer))
		ovid_lapic_timer_block(vp);
	preempt_disable();
	vmx_vmcs_move(v);
	r = run_window(v);
	preempt_enable();
	if (unlikely(hrtimer))
		ovid_lapic_timer_unblock(vp);
	return r;
}
