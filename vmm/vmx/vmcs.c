// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VMCS: allocated, set up, moved between CPUs, freed.
 *
 * A VMCS is active on at most one CPU and is on that CPU's list; only that CPU
 * takes it off, with interrupts off, by VMCLEAR.  So moving a VP asks the old
 * CPU by IPI first.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/desc.h>
#include <asm/io.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/sync_bitops.h>
#include "vmx.h"

#define NR_VPIDS	65536

static DEFINE_PER_CPU(struct list_head, active_vmcs);
static DEFINE_PER_CPU(struct vmx_vmcs *, current_vmcs);

static DEFINE_SPINLOCK(vpid_lock);
static unsigned long *vpids;

/* shared by all VPs: nothing in them depends on one */
static unsigned long *msr_bitmap_plain;
static unsigned long *msr_bitmap_x2apic;

/* takes one VMCS off this CPU; interrupts off */
static void vmcs_clear_local(struct vmx_vmcs *vmcs)
{
	vmclear(vmcs->pa);
	if (this_cpu_read(current_vmcs) == vmcs)
		this_cpu_write(current_vmcs, NULL);
	list_del_init(&vmcs->node);
	vmcs->launched = false;
	/* pairs with vmx_vmcs_move(): the list is left before the CPU is forgotten */
	smp_store_release(&vmcs->cpu, -1);
}

static void vmcs_clear_ipi(void *arg)
{
	struct vmx_vmcs *vmcs = arg;

	if (vmcs->cpu == smp_processor_id())
		vmcs_clear_local(vmcs);
}

void vmx_vmcs_clear_cpu(void)
{
	struct vmx_vmcs *vmcs, *next;

	list_for_each_entry_safe(vmcs, next, this_cpu_ptr(&active_vmcs), node)
		vmcs_clear_local(vmcs);
}

/* makes the VMCS inactive wherever it is; preemption off, interrupts on */
static void vmcs_clear_anywhere(struct vmx_vmcs *vmcs)
{
	int cpu = smp_load_acquire(&vmcs->cpu);	/* pairs with vmcs_clear_local() */

	if (cpu >= 0)
		smp_call_function_single(cpu, vmcs_clear_ipi, vmcs, 1);
}

void vmx_vmcs_move(struct vmx_vp *v)
{
	int cpu = smp_load_acquire(&v->vmcs.cpu);	/* pairs with vmcs_clear_local() */

	if (cpu >= 0 && cpu != smp_processor_id())
		vmcs_clear_anywhere(&v->vmcs);
}

void vmx_vmcs_load(struct vmx_vp *v)
{
	struct vmx_vmcs *vmcs = &v->vmcs;

	if (likely(this_cpu_read(current_vmcs) == vmcs))
		return;
	/* a fresh region must be cleared before it is loaded (SDM 3C: VMCLEAR) */
	if (!vmcs->cleared) {
		vmclear(vmcs->pa);
		vmcs->cleared = true;
	}
	vmptrld(vmcs->pa);
	this_cpu_write(current_vmcs, vmcs);
	if (vmcs->cpu < 0) {
		list_add(&vmcs->node, this_cpu_ptr(&active_vmcs));
		vmcs->cpu = smp_processor_id();
	}
}

/*
 * vmx_vmcs_get - have the VMCS current for VMREAD and VMWRITE
 *
 * VP's thread.  Returns 0, or -EBUSY or -EAGAIN from vmx_window_open(); then
 * the VMCS cannot be had now.  Interrupts and preemption are off until
 * vmx_vmcs_put().
 */
int vmx_vmcs_get(struct vmx_vp *v)
{
	int err;

	if (v->depth++)
		return 0;
	for (;;) {
		preempt_disable();
		vmx_vmcs_move(v);
		local_irq_disable();
		err = vmx_window_open();
		if (!err) {
			vmx_vmcs_load(v);
			if (unlikely(v->owed))
				vmx_settle(v);
			return 0;
		}
		local_irq_enable();
		preempt_enable();
		if (err != -EAGAIN)
			break;
		cond_resched();		/* off the CPU that goes away */
		if (fatal_signal_pending(current))
			break;
	}
	v->depth--;
	return err;
}

void vmx_vmcs_put(struct vmx_vp *v)
{
	if (--v->depth)
		return;
	vmx_window_close();
	local_irq_enable();
	preempt_enable();
}

void vmx_set_proc(struct vmx_vp *v, u32 set, u32 clear)
{
	u32 proc = (v->proc | set) & ~clear;

	if (proc != v->proc) {
		v->proc = proc;
		vmwrite(CPU_BASED_VM_EXEC_CONTROL, proc);
	}
}

static int vpid_alloc(u16 *vpid)
{
	unsigned long n;

	guard(spinlock)(&vpid_lock);
	n = find_next_zero_bit(vpids, NR_VPIDS, 1);	/* 0 is the host's */
	if (n >= NR_VPIDS)
		return -ENOSPC;
	__set_bit(n, vpids);
	*vpid = n;
	return 0;
}

static void vpid_free(u16 vpid)
{
	guard(spinlock)(&vpid_lock);
	__clear_bit(vpid, vpids);
}

/* intercepts are 1: the bitmap starts all ones and MSRs are let through */
static void bitmap_let(unsigned long *bitmap, u32 msr, bool read, bool write)
{
	u32 base = msr & 0x1fff;
	u32 high = msr & 0xc0000000 ? 0x2000 : 0;

	if (read)
		__clear_bit(high + base, bitmap);
	if (write)
		__clear_bit(0x4000 + high + base, bitmap);
}

static unsigned long *bitmap_new(void)
{
	static const u32 both[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	unsigned long *b = (unsigned long *)__get_free_page(GFP_KERNEL);
	int i;

	if (!b)
		return NULL;
	memset(b, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(both); i++)
		bitmap_let(b, both[i], true, true);
	bitmap_let(b, MSR_IA32_TSC, true, false);
	return b;
}

/* x2APIC with virtual-interrupt delivery: reads from the page, TPR, EOI, self-IPI */
static void bitmap_x2apic(unsigned long *b)
{
	static const struct { u16 first, last; } plain[] = {
		{ APIC_ID_OFF, APIC_VERSION_OFF },
		{ APIC_PPR_OFF, APIC_PPR_OFF },
		{ APIC_LDR_OFF, APIC_LDR_OFF },
		{ APIC_SVR_OFF, APIC_ESR_OFF },
		{ APIC_ICR_OFF, APIC_ICR_OFF },
		{ APIC_LVT_TIMER_OFF, APIC_TMICT_OFF },
		{ APIC_TDCR_OFF, APIC_TDCR_OFF },
	};
	u32 off;
	int i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		for (off = plain[i].first; off <= plain[i].last; off += 16)
			bitmap_let(b, 0x800 + (off >> 4), true, false);
	bitmap_let(b, 0x800 + (APIC_TPR_OFF >> 4), true, true);
	bitmap_let(b, 0x800 + (APIC_EOI_OFF >> 4), false, true);
	bitmap_let(b, 0x800 + (APIC_SELF_IPI_OFF >> 4), false, true);
}

/*
 * The page behind the APIC's address while the CPU virtualizes accesses to it.  All
 * VPs see the same memory, so it is there only as long as each has its APIC at that
 * address: one whose APIC is off, moved or in x2APIC mode would reach it as memory.
 * Meanwhile the accesses of the others are EPT violations, as without APIC
 * virtualization.
 */
int vmx_apic_page_init(struct ovid_partition *part)
{
	lockdep_assert_held(&part->lock);
	if (vmx_caps.apicv && !part->apic_page)
		part->apic_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vmx_caps.apicv && !part->apic_page ? -ENOMEM : 0;
}

static bool apic_elsewhere(const struct ovid_lapic *apic)
{
	return !ovid_lapic_enabled(apic) || ovid_lapic_x2apic(apic) ||
	       (apic->base & PAGE_MASK) != OVID_APIC_DEFAULT_BASE;
}

/*
 * The VP's APIC came to the address or left it.  VP's thread, interrupts on; it does
 * not enter before this is done, nor before another VP has taken the page away.  (One
 * that waits for SIPI counts as when it ran last.)
 */
void vmx_apic_page_update(struct vmx_vp *v)
{
	const gfn_t gfn = OVID_APIC_DEFAULT_BASE >> PAGE_SHIFT;
	struct ovid_partition *part = v->vp->part;
	bool elsewhere = apic_elsewhere(&v->vp->apic);
	struct ovid_vp *vp;
	int i;

	v->apic_elsewhere_stale = false;
	if (elsewhere == v->apic_elsewhere)
		return;
	v->apic_elsewhere = elsewhere;
	guard(mutex)(&part->apic_page_lock);
	WRITE_ONCE(part->apic_elsewhere, part->apic_elsewhere + (elsewhere ? 1 : -1));
	if (part->apic_elsewhere > elsewhere)
		return;
	/* the first that leaves, the last that comes */
	ovid_for_each_vp(part, vp, i)
		ovid_vp_request(vp, OVID_REQ_APIC_MODE);
	/* VPs that are about to map what was there start over, and see the count */
	ovid_tdp_invalidate_begin(part, gfn, gfn + 1);
	ovid_tdp_invalidate_end(part);
}

/* controls that follow the VP's APIC mode; VMCS loaded */
void vmx_set_apic_mode(struct vmx_vp *v)
{
	struct ovid_lapic *apic = &v->vp->apic;
	u32 proc2 = v->proc2 & ~(SECONDARY_EXEC_APIC_REGISTER_VIRT |
				 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |
				 SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
				 SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES);
	u32 pin = v->pin & ~PIN_BASED_POSTED_INTR;
	enum vmx_apic_mode mode = VMX_APIC_SOFT;
	bool elsewhere = apic_elsewhere(apic), page;

	page = vmx_caps.apicv && !elsewhere && !READ_ONCE(v->vp->part->apic_elsewhere);
	if (page)
		proc2 |= SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES;
	/* without it they are exits to the APIC of software */
	if (vmx_caps.apicv && ovid_lapic_enabled(apic) && !apic->has_auto_eoi)
		mode = ovid_lapic_x2apic(apic) ? VMX_APIC_X2APIC :
		       page ? VMX_APIC_XAPIC : VMX_APIC_SOFT;
	if (mode != VMX_APIC_SOFT) {
		proc2 |= SECONDARY_EXEC_APIC_REGISTER_VIRT |
			 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |
			 (mode == VMX_APIC_X2APIC ? SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE : 0);
		if (vmx_caps.posted)
			pin |= PIN_BASED_POSTED_INTR;
	}
	if (mode != v->apic_mode || page != v->apic_page)
		v->vpid_cpu = -1;	/* translations to the page are stale either way */
	v->apic_elsewhere_stale = vmx_caps.apicv && elsewhere != v->apic_elsewhere;
	v->apic_mode = mode;
	v->apic_page = page;
	v->pin = pin;
	v->proc2 = proc2;
	ovid_lapic_set_vid(v->vp, mode != VMX_APIC_SOFT);
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, pin);
	vmwrite(SECONDARY_VM_EXEC_CONTROL, proc2);
	vmwrite(MSR_BITMAP, mode == VMX_APIC_X2APIC ? __pa(msr_bitmap_x2apic) :
						      __pa(msr_bitmap_plain));
	if (vmx_caps.tpr_shadow) {
		vmwrite(TPR_THRESHOLD, 0);	/* must not exceed the TPR, which may be new */
		v->tpr_threshold = 0;
	}
	if (apic->vid) {
		u8 rvi = max(ovid_lapic_highest_irr(v->vp), 0);
		u8 svi = max(ovid_lapic_highest_isr(v->vp), 0);

		vmwrite_guest(v, GUEST_INTR_STATUS, svi << 8 | rvi);
		vmx_set_proc(v, 0, CPU_BASED_INTR_WINDOW_EXITING);
		set_bit(OVID_REQ_EOI_MAP, &v->vp->requests);
	}
}

u64 vmx_eptp(const struct vmx_vp *v)
{
	return __pa(v->vp->part->tdp.root) | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
	       (v->ept_ad ? VMX_EPTP_AD_ENABLE_BIT : 0);
}

static void setup_controls(struct vmx_vp *v)
{
	struct ovid_lapic *apic = &v->vp->apic;

	v->pin = vmx_caps.pin;
	v->proc = vmx_caps.proc;
	v->proc2 = vmx_caps.proc2;
	v->entry = vmx_caps.entry;
	if (!ovid_cpuid_has(v->vp->part, 0x80000001, 0, OVID_EDX, 27))
		v->proc2 &= ~SECONDARY_EXEC_ENABLE_RDTSCP;
	if (!ovid_cpuid_has(v->vp->part, 7, 0, OVID_EBX, 10))
		v->proc2 &= ~SECONDARY_EXEC_ENABLE_INVPCID;
	if (v->vp->part->tsc_ratio) {
		v->proc2 |= SECONDARY_EXEC_TSC_SCALING;
		vmwrite(TSC_MULTIPLIER, v->vp->part->tsc_ratio);
	}
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, v->pin);
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, v->proc);
	vmwrite(SECONDARY_VM_EXEC_CONTROL, v->proc2);
	vmwrite(VM_EXIT_CONTROLS, vmx_caps.exit);
	vmwrite(VM_ENTRY_CONTROLS, v->entry);
	/* an exception that loops inside its own delivery must come out: #DB, #AC */
	vmwrite(EXCEPTION_BITMAP, BIT(X86_TRAP_MC) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_DB));
	vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(VM_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
	vmwrite_guest(v, VMCS_LINK_POINTER, ~0ull);
	vmwrite(VIRTUAL_PROCESSOR_ID, v->vpid);
	v->ept_ad = ovid_backend->tdp.accessed;
	vmwrite(EPT_POINTER, vmx_eptp(v));
	if (v->proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmwrite(PLE_GAP, 128);
		vmwrite(PLE_WINDOW, 4096);
	}
	if (v->proc2 & SECONDARY_EXEC_ENABLE_XSAVES)
		vmwrite(XSS_EXIT_BITMAP, 0);
	if (vmx_caps.tpr_shadow) {
		vmwrite(VIRTUAL_APIC_PAGE_ADDR, __pa(apic->regs));
		vmwrite(TPR_THRESHOLD, 0);
	}
	if (vmx_caps.apicv) {
		vmwrite(APIC_ACCESS_ADDR, page_to_phys(v->vp->part->apic_page));
		vmwrite(EOI_EXIT_BITMAP0, 0);
		vmwrite(EOI_EXIT_BITMAP1, 0);
		vmwrite(EOI_EXIT_BITMAP2, 0);
		vmwrite(EOI_EXIT_BITMAP3, 0);
	}
	if (vmx_caps.posted) {
		vmwrite(POSTED_INTR_NV, POSTED_INTR_VECTOR);
		vmwrite(POSTED_INTR_DESC_ADDR, __pa(apic->pi));
	}
	if (v->entry & VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL)
		vmwrite_guest(v, GUEST_IA32_PERF_GLOBAL_CTRL, 0);
}

/* host state that is the same on every CPU and for every entry */
static void setup_host(void)
{
	u64 val;

	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	vmwrite(HOST_DS_SELECTOR, 0);
	vmwrite(HOST_ES_SELECTOR, 0);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_RIP, (unsigned long)ovid_vmx_exit_point);
	ovid_rdmsr(MSR_IA32_SYSENTER_CS, val);
	vmwrite(HOST_IA32_SYSENTER_CS, val);
	ovid_rdmsr(MSR_IA32_SYSENTER_EIP, val);
	vmwrite(HOST_IA32_SYSENTER_EIP, val);
	ovid_rdmsr(MSR_IA32_CR_PAT, val);
	vmwrite(HOST_IA32_PAT, val);
	ovid_rdmsr(MSR_EFER, val);
	vmwrite(HOST_IA32_EFER, val);
}

int vmx_vmcs_init(struct vmx_vp *v)
{
	int err;

	v->vmcs.cpu = -1;
	v->vpid_cpu = -1;
	v->host_cpu = -1;
	v->guest.now = 1;
	INIT_LIST_HEAD(&v->vmcs.node);
	v->vmcs.region = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!v->vmcs.region)
		return -ENOMEM;
	v->vmcs.pa = __pa(v->vmcs.region);
	*(u32 *)v->vmcs.region = vmx_caps.revision;
	err = vpid_alloc(&v->vpid);
	if (err)
		goto free;
	/* the first load clears the region: see vmx_vmcs_load() */
	err = vmx_vmcs_get(v);
	if (err)
		goto free_vpid;
	setup_controls(v);
	setup_host();
	vmx_vmcs_put(v);
	return 0;

free_vpid:
	vpid_free(v->vpid);
free:
	free_page((unsigned long)v->vmcs.region);
	return err;
}

void vmx_vmcs_fini(struct vmx_vp *v)
{
	preempt_disable();
	vmcs_clear_anywhere(&v->vmcs);
	preempt_enable();
	vpid_free(v->vpid);
	free_page((unsigned long)v->vmcs.region);
}

int vmx_vmcs_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu(active_vmcs, cpu));
	vpids = bitmap_zalloc(NR_VPIDS, GFP_KERNEL);
	msr_bitmap_plain = bitmap_new();
	msr_bitmap_x2apic = bitmap_new();
	if (!vpids || !msr_bitmap_plain || !msr_bitmap_x2apic) {
		vmx_vmcs_module_fini();
		return -ENOMEM;
	}
	bitmap_x2apic(msr_bitmap_x2apic);
	return 0;
}

void vmx_vmcs_module_fini(void)
{
	bitmap_free(vpids);
	free_page((unsigned long)msr_bitmap_plain);
	free_page((unsigned long)msr_bitmap_x2apic);
}
