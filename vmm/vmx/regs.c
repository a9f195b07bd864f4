// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that live in the VMCS: by their TLFS names, in the register page,
 * and at reset.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "../lapic.h"
#include "../regs.h"
#include "vmx.h"

#define AR_UNUSABLE	BIT(16)

/* order of HV_X64_REGISTER_ES ... TR, as VMX numbers the fields */
static const struct {
	u16 selector, limit, ar, base;
} segs[] = {
#define SEG(name) { GUEST_##name##_SELECTOR, GUEST_##name##_LIMIT, \
		    GUEST_##name##_AR_BYTES, GUEST_##name##_BASE }
	SEG(ES), SEG(CS), SEG(SS), SEG(DS), SEG(FS), SEG(GS), SEG(LDTR), SEG(TR),
};

static void seg_get(struct vmx_vp *v, unsigned int n, struct hv_x64_segment_register *seg)
{
	u32 ar = vmread_guest(v, segs[n].ar);

	seg->base = vmread_guest(v, segs[n].base);
	seg->limit = vmread_guest(v, segs[n].limit);
	seg->selector = vmread_guest(v, segs[n].selector);
	seg->attributes = ar & AR_UNUSABLE ? ar & ~0x80u : ar;
}

static void seg_set(struct vmx_vp *v, unsigned int n, const struct hv_x64_segment_register *seg)
{
	u32 ar = seg->attributes & 0xf0ff;

	if (!(ar & 0x80))
		ar |= AR_UNUSABLE;
	vmwrite_guest(v, segs[n].base, seg->base);
	vmwrite_guest(v, segs[n].limit, seg->limit);
	vmwrite_guest(v, segs[n].selector, seg->selector);
	vmwrite_guest(v, segs[n].ar, ar);
}

/* VMX field of a register that is just one */
static u32 plain_field(u32 name)
{
	switch (name) {
	case HV_X64_REGISTER_RSP:
		return GUEST_RSP;
	case HV_X64_REGISTER_RIP:
		return GUEST_RIP;
	case HV_X64_REGISTER_RFLAGS:
		return GUEST_RFLAGS;
	case HV_X64_REGISTER_CR3:
	case HV_X64_REGISTER_INTERMEDIATE_CR3:
		return GUEST_CR3;
	case HV_X64_REGISTER_DR7:
		return GUEST_DR7;
	case HV_X64_REGISTER_SYSENTER_CS:
		return GUEST_SYSENTER_CS;
	case HV_X64_REGISTER_SYSENTER_EIP:
		return GUEST_SYSENTER_EIP;
	case HV_X64_REGISTER_SYSENTER_ESP:
		return GUEST_SYSENTER_ESP;
	case HV_X64_REGISTER_DEBUG_CTL:
		return GUEST_IA32_DEBUGCTL;
	case HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION:
		return GUEST_PENDING_DBG_EXCEPTIONS;
	default:
		return 0;
	}
}

static void table_get(struct vmx_vp *v, bool idtr, u64 val[2])
{
	val[0] = vmread_guest(v, idtr ? GUEST_IDTR_LIMIT : GUEST_GDTR_LIMIT) << 48;
	val[1] = vmread_guest(v, idtr ? GUEST_IDTR_BASE : GUEST_GDTR_BASE);
}

static void table_set(struct vmx_vp *v, bool idtr, const u64 val[2])
{
	vmwrite_guest(v, idtr ? GUEST_IDTR_LIMIT : GUEST_GDTR_LIMIT, val[0] >> 48);
	vmwrite_guest(v, idtr ? GUEST_IDTR_BASE : GUEST_GDTR_BASE, val[1]);
}

/* HvRegisterInterruptState: bit 0 shadow, bit 1 NMI masked */
static u64 interrupt_state_get(struct vmx_vp *v)
{
	u32 intr = vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO);

	return (intr & (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS) ? 1 : 0) |
	       (intr & GUEST_INTR_STATE_NMI ? 2 : 0);
}

static void interrupt_state_set(struct vmx_vp *v, u64 val)
{
	vmwrite_guest(v, GUEST_INTERRUPTIBILITY_INFO,
		      (val & 1 ? GUEST_INTR_STATE_MOV_SS : 0) |
		      (val & 2 ? GUEST_INTR_STATE_NMI : 0));
}

/*
 * HvRegisterPendingInterruption: bit 0 pending, 3:1 type, 4 error code,
 * 8:5 instruction length, 31:16 vector, 63:32 code.  Types are VMX's.  An exception
 * that has not been tried yet is a pending event: in one of the two, or who puts back
 * both would have it twice.
 */
static u64 pending_interruption_get(struct vmx_vp *v)
{
	if (v->reinject)
		return 1 | ((v->reinject >> 8) & 7) << 1 |
		       (v->reinject & INTR_INFO_DELIVER_CODE_MASK ? BIT(4) : 0) |
		       (u64)(v->reinject_len & 15) << 5 |
		       (u64)(v->reinject & 0xff) << 16 | (u64)v->reinject_code << 32;
	return 0;
}

static void pending_interruption_set(struct vmx_vp *v, u64 val)
{
	v->reinject = 0;
	if (!(val & 1))
		return;
	v->reinject = ((val >> 1) & 7) << 8 | ((val >> 16) & 0xff) | INTR_INFO_VALID_MASK |
		      (val & BIT(4) ? INTR_INFO_DELIVER_CODE_MASK : 0);
	v->reinject_len = (val >> 5) & 15;
	v->reinject_code = val >> 32;
}

/* HvRegisterPendingEvent0: bit 0 pending, 3:1 type (0 exception, 5 ExtINT), 8 code
 * valid, 31:16 vector, 63:32 code; high word: CR2 of a page fault
 */
static void pending_event_get(struct vmx_vp *v, u64 val[2])
{
	struct ovid_vp *vp = v->vp;

	if (v->exception.pending)
		val[0] = 1 | (v->exception.has_code ? BIT(8) : 0) |
			 (u64)v->exception.vector << 16 | (u64)v->exception.code << 32;
	else if (vp->extint_vector >= 0)
		val[0] = 1 | 5 << 1 | (u64)vp->extint_vector << 8;
}

static void pending_event_set(struct vmx_vp *v, const u64 val[2])
{
	struct ovid_vp *vp = v->vp;

	v->exception.pending = false;
	vp->extint_vector = -1;
	if (!(val[0] & 1))
		return;
	if (((val[0] >> 1) & 7) == 5) {
		vp->extint_vector = (val[0] >> 8) & 0xff;
		return;
	}
	vmx_inject_exception(vp, val[0] >> 16, val[0] & BIT(8), val[0] >> 32);
	if ((u8)(val[0] >> 16) == X86_TRAP_PF)
		vp->cr2 = val[1];
}

static int reg_get_loaded(struct vmx_vp *v, u32 name, u64 val[2])
{
	u32 field = plain_field(name);

	if (field) {
		val[0] = vmread_guest(v, field);
		return 0;
	}
	switch (name) {
	case HV_X64_REGISTER_ES ... HV_X64_REGISTER_TR:
		seg_get(v, name - HV_X64_REGISTER_ES, (struct hv_x64_segment_register *)val);
		return 0;
	case HV_X64_REGISTER_IDTR:
	case HV_X64_REGISTER_GDTR:
		table_get(v, name == HV_X64_REGISTER_IDTR, val);
		return 0;
	case HV_X64_REGISTER_CR0:
	case HV_X64_REGISTER_INTERMEDIATE_CR0:
		val[0] = vmx_get_cr0(v);
		return 0;
	case HV_X64_REGISTER_CR4:
	case HV_X64_REGISTER_INTERMEDIATE_CR4:
		val[0] = vmx_get_cr4(v);
		return 0;
	case HV_X64_REGISTER_EFER:
		val[0] = v->efer;
		return 0;
	case HV_X64_REGISTER_XFEM:
		val[0] = v->vp->xcr0;
		return 0;
	case HV_X64_REGISTER_XSS:
		val[0] = v->vp->xss;
		return 0;
	case HV_REGISTER_INTERRUPT_STATE:
		val[0] = interrupt_state_get(v);
		return 0;
	case HV_REGISTER_PENDING_INTERRUPTION:
		val[0] = pending_interruption_get(v);
		return 0;
	case HV_REGISTER_PENDING_EVENT0:
		pending_event_get(v, val);
		return 0;
	default:
		return -ENOENT;
	}
}

int vmx_reg_get(struct ovid_vp *vp, u32 name, u64 val[2])
{
	struct vmx_vp *v = to_vmx(vp);
	int err;

	val[0] = 0;
	val[1] = 0;
	err = vmx_vmcs_get(v);
	if (err)
		return err;
	err = reg_get_loaded(v, name, val);
	vmx_vmcs_put(v);
	return err;
}

/*
 * vmx_reg_check - would vmx_reg_set() take this?  No VMCS access
 */
int vmx_reg_check(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	struct ovid_partition *part = vp->part;
	bool ok = true;

	switch (name) {
	case HV_X64_REGISTER_RFLAGS:
		ok = !(val[0] & ~(X86_EFLAGS_CF | 0x3f7fd7ull));
		break;
	case HV_X64_REGISTER_CR0:
	case HV_X64_REGISTER_INTERMEDIATE_CR0:
		ok = vmx_cr0_valid(val[0]);
		break;
	case HV_X64_REGISTER_CR3:
	case HV_X64_REGISTER_INTERMEDIATE_CR3:
		ok = !(val[0] >> ovid_cpuid_phys_bits(part));
		break;
	case HV_X64_REGISTER_CR4:
	case HV_X64_REGISTER_INTERMEDIATE_CR4:
		ok = !(val[0] & ~ovid_cpuid_cr4_allowed(part));
		break;
	case HV_X64_REGISTER_EFER:
		ok = !(val[0] & ~(ovid_cpuid_efer_allowed(part) | EFER_LMA));
		break;
	case HV_X64_REGISTER_XFEM:
		ok = ovid_cpuid_xcr0_valid(part, val[0]);
		break;
	case HV_X64_REGISTER_XSS:
		ok = !(val[0] & ~ovid_cpuid_xss_allowed(part));
		break;
	case HV_X64_REGISTER_DR7:
		ok = !(val[0] >> 32);
		break;
	case HV_X64_REGISTER_DEBUG_CTL:
		ok = !(val[0] & ~3ull);
		break;
	case HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION:
		/* SDM 3C: Checks on Guest Non-Register State */
		ok = !(val[0] & ~0x1500full);
		break;
	case HV_X64_REGISTER_SYSENTER_CS:
		ok = !(val[0] >> 32);
		break;
	case HV_REGISTER_PENDING_INTERRUPTION:
		/* type 1 is reserved, 7 is "other": neither can be injected */
		ok = !(val[0] & 1) || (((val[0] >> 1) & 7) != 1 && ((val[0] >> 1) & 7) != 7);
		break;
	case HV_REGISTER_PENDING_EVENT0:
		ok = !(val[0] & 1) || ((val[0] >> 1) & 7) == 5 ||
		     (!((val[0] >> 1) & 7) && ((val[0] >> 16) & 0xffff) < 32 &&
		      ((val[0] >> 16) & 0xffff) != X86_TRAP_NMI);
		break;
	default:
		if (!plain_field(name) &&
		    !(name >= HV_X64_REGISTER_ES && name <= HV_X64_REGISTER_TR) &&
		    name != HV_X64_REGISTER_IDTR && name != HV_X64_REGISTER_GDTR &&
		    name != HV_REGISTER_INTERRUPT_STATE)
			return -ENOENT;
	}
	return ok ? 0 : -EINVAL;
}

static void reg_set_loaded(struct vmx_vp *v, u32 name, const u64 val[2])
{
	u32 field = plain_field(name);
	u64 word = val[0];

	if (name == HV_X64_REGISTER_RFLAGS)
		word |= X86_EFLAGS_FIXED;
	if (name == HV_X64_REGISTER_DR7) {
		word |= 0x400;
		v->breakpoints = word & 0xff;
	}
	if (field) {
		vmwrite_guest(v, field, word);
		if (field == GUEST_CR3)
			vmx_paging_stale(v);
		return;
	}
	switch (name) {
	case HV_X64_REGISTER_ES ... HV_X64_REGISTER_TR:
		seg_set(v, name - HV_X64_REGISTER_ES, (const struct hv_x64_segment_register *)val);
		break;
	case HV_X64_REGISTER_IDTR:
	case HV_X64_REGISTER_GDTR:
		table_set(v, name == HV_X64_REGISTER_IDTR, val);
		break;
	case HV_X64_REGISTER_CR0:
	case HV_X64_REGISTER_INTERMEDIATE_CR0:
		vmx_host_set_cr0(v, word);
		break;
	case HV_X64_REGISTER_CR4:
	case HV_X64_REGISTER_INTERMEDIATE_CR4:
		vmx_host_set_cr4(v, word);
		break;
	case HV_X64_REGISTER_EFER:
		vmx_host_set_efer(v, word);
		break;
	case HV_X64_REGISTER_XFEM:
		v->vp->xcr0 = word;
		break;
	case HV_X64_REGISTER_XSS:
		v->vp->xss = word;
		break;
	case HV_REGISTER_INTERRUPT_STATE:
		interrupt_state_set(v, word);
		break;
	case HV_REGISTER_PENDING_INTERRUPTION:
		pending_interruption_set(v, word);
		break;
	case HV_REGISTER_PENDING_EVENT0:
		pending_event_set(v, val);
		break;
	}
}

int vmx_reg_set(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	struct vmx_vp *v = to_vmx(vp);
	int err = vmx_reg_check(vp, name, val);

	if (err)
		return err;
	err = vmx_vmcs_get(v);
	if (err)
		return err;
	reg_set_loaded(v, name, val);
	vmx_vmcs_put(v);
	return 0;
}

/* ---- the register page ---- */

void vmx_page_fill(struct ovid_vp *vp, u32 want)
{
	struct vmx_vp *v = to_vmx(vp);
	struct hv_vp_register_page *p = vp->page;
	struct hv_x64_segment_register *seg = &p->es;
	int i;

	if (vmx_vmcs_get(v))
		return;
	p->gpr[4] = vmread_guest(v, GUEST_RSP);
	if (want & OVID_WANT_RIP) {
		p->rip = vmread_guest(v, GUEST_RIP);
		p->rflags = vmread_guest(v, GUEST_RFLAGS);
	}
	if (want & OVID_WANT_SREGS) {
		for (i = 0; i < 6; i++)
			seg_get(v, i, &seg[i]);
		p->cr0 = vmx_get_cr0(v);
		p->cr3 = vmread_guest(v, GUEST_CR3);
		p->cr4 = vmx_get_cr4(v);
		p->cr8 = ovid_lapic_cr8(vp);
		p->efer = v->efer;
		p->dr7 = vmread_guest(v, GUEST_DR7);
		p->xfem = vp->xcr0;
		p->interrupt_state = interrupt_state_get(v);
		p->pending_interruption = pending_interruption_get(v);
		ovid_fpu_settle(vp);
		memcpy(p->xmm, vp->fpu->i387.xmm_space, sizeof(p->xmm));
	}
	vmx_vmcs_put(v);
	WRITE_ONCE(p->dirty, 0);
}

/* the classes the worker says it changed; everything is checked as a SET_REGS would */
void vmx_page_fold(struct ovid_vp *vp, u32 dirty)
{
	struct vmx_vp *v = to_vmx(vp);
	struct hv_vp_register_page *p = vp->page;
	struct hv_x64_segment_register seg;
	u64 val[2] = { 0 };
	int i;

	if (vmx_vmcs_get(v))
		return;
	if (dirty & BIT(HV_X64_REGISTER_CLASS_GENERAL))
		vmwrite_guest(v, GUEST_RSP, READ_ONCE(p->gpr[4]));
	if (dirty & BIT(HV_X64_REGISTER_CLASS_IP))
		vmwrite_guest(v, GUEST_RIP, READ_ONCE(p->rip));
	if (dirty & BIT(HV_X64_REGISTER_CLASS_FLAGS)) {
		val[0] = READ_ONCE(p->rflags);
		if (!vmx_reg_check(vp, HV_X64_REGISTER_RFLAGS, val))
			vmwrite_guest(v, GUEST_RFLAGS, val[0] | X86_EFLAGS_FIXED);
	}
	if (dirty & BIT(HV_X64_REGISTER_CLASS_SEGMENT)) {
		for (i = 0; i < 6; i++) {
			memcpy(&seg, &(&p->es)[i], sizeof(seg));
			seg_set(v, i, &seg);
		}
	}
	vmx_vmcs_put(v);
	if (dirty & BIT(HV_X64_REGISTER_CLASS_XMM)) {
		ovid_fpu_settle(vp);
		memcpy(vp->fpu->i387.xmm_space, p->xmm, sizeof(p->xmm));
	}
}

/* ---- what walks and decoders need ---- */

void vmx_view(struct ovid_vp *vp, struct ovid_view *view)
{
	struct vmx_vp *v = to_vmx(vp);
	u32 cs;

	*view = (struct ovid_view) { .bits = OVID_32BIT };
	if (vmx_vmcs_get(v))
		return;		/* VMX is gone for now: a walk with paging off fails softly */
	cs = vmread_guest(v, GUEST_CS_AR_BYTES);
	view->paging.cr0 = vmread_guest(v, GUEST_CR0);
	view->paging.cr3 = vmread_guest(v, GUEST_CR3);
	view->paging.cr4 = v->cr4_shadow;
	view->paging.efer = v->efer;
	view->paging.rflags = vmread_guest(v, GUEST_RFLAGS);
	view->paging.phys_bits = ovid_cpuid_phys_bits(vp->part);
	view->rip = vmread_guest(v, GUEST_RIP);
	if (v->efer & EFER_LMA && cs & VMX_AR_L_MASK) {
		view->bits = OVID_64BIT;	/* CS base does not count */
	} else {
		view->bits = cs & VMX_AR_DB_MASK ? OVID_32BIT : OVID_16BIT;
		view->rip = (u32)(view->rip + vmread_guest(v, GUEST_CS_BASE));
	}
	view->cpl = VMX_AR_DPL(vmread_guest(v, GUEST_SS_AR_BYTES));
	vp->page->gpr[4] = vmread_guest(v, GUEST_RSP);	/* may be what is stored */
	vmx_vmcs_put(v);
}

/* ---- MSRs in fields ---- */

static u32 msr_field(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return GUEST_FS_BASE;
	case MSR_GS_BASE:
		return GUEST_GS_BASE;
	case MSR_IA32_SYSENTER_CS:
		return GUEST_SYSENTER_CS;
	case MSR_IA32_SYSENTER_EIP:
		return GUEST_SYSENTER_EIP;
	case MSR_IA32_SYSENTER_ESP:
		return GUEST_SYSENTER_ESP;
	case MSR_IA32_CR_PAT:
		return GUEST_IA32_PAT;
	case MSR_IA32_DEBUGCTLMSR:
		return GUEST_IA32_DEBUGCTL;
	default:
		return 0;
	}
}

int vmx_msr_get(struct ovid_vp *vp, u32 msr, u64 *val)
{
	struct vmx_vp *v = to_vmx(vp);
	u32 field = msr_field(msr);
	int err;

	if (msr == MSR_EFER) {
		*val = v->efer;
		return 0;
	}
	if (!field)
		return -ENOENT;
	err = vmx_vmcs_get(v);
	if (err)
		return err;
	*val = vmread_guest(v, field);
	vmx_vmcs_put(v);
	return 0;
}

/*
 * vmx_msr_set - a guest's MSR that is a field, or that the host keeps loaded
 *
 * Values are checked by the caller, but for EFER, whose rules follow CR0.
 * Returns 0, -EINVAL (#GP) or -ENOENT.
 */
int vmx_msr_set(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct vmx_vp *v = to_vmx(vp);
	u32 field = msr_field(msr);
	int err;

	err = vmx_vmcs_get(v);
	if (err)
		return err;
	if (msr == MSR_EFER)
		err = vmx_set_efer(v, val) ? -EINVAL : 0;
	else if (field)
		vmwrite_guest(v, field, val);
	/* STAR and its like, from vp->msrs; EFER says whether they count */
	if (!field && vp->mode == OVID_VP_IN_GUEST)
		vmx_hostmsr_load(vp);
	vmx_vmcs_put(v);
	return err;
}

/* ---- requests the backend serves ---- */

/* at a window's start: VMCS loaded, mode is IN_GUEST */
void vmx_requests(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	u64 map[4];

	if (test_and_clear_bit(OVID_REQ_APIC_MODE, &vp->requests))
		vmx_set_apic_mode(v);
	if (test_and_clear_bit(OVID_REQ_EOI_MAP, &vp->requests)) {
		/* always: level interrupts that wait for the bitmap are let go by this */
		ovid_lapic_eoi_map(vp, map);
		if (vp->apic.vid) {
			vmwrite(EOI_EXIT_BITMAP0, map[0]);
			vmwrite(EOI_EXIT_BITMAP1, map[1]);
			vmwrite(EOI_EXIT_BITMAP2, map[2]);
			vmwrite(EOI_EXIT_BITMAP3, map[3]);
		}
	}
	if (test_and_clear_bit(OVID_REQ_TSC, &vp->requests)) {
		vmwrite(TSC_OFFSET, READ_ONCE(vp->part->tsc_offset));
		ovid_lapic_timer_tsc_changed(vp);
		ovid_stimer_check(vp);
	}
	if (test_and_clear_bit(OVID_REQ_TLB, &vp->requests))
		v->vpid_cpu = -1;	/* tlb_sync() is next */
	/* these only had to make it leave the guest once */
	clear_bit(OVID_REQ_NMI, &vp->requests);
	clear_bit(OVID_REQ_EXTINT, &vp->requests);
	clear_bit(OVID_REQ_EXIT, &vp->requests);
	smp_mb__after_atomic();		/* before nmi_pending and INTR are looked at */
}

/* ---- reset (SDM 3A: Processor State After Reset) ---- */

static void reset_segments(struct vmx_vp *v, u16 cs, u64 cs_base)
{
	struct hv_x64_segment_register seg = { .limit = 0xffff };
	int i;

	for (i = 0; i < 8; i++) {
		seg.selector = i == 1 ? cs : 0;
		seg.base = i == 1 ? cs_base : 0;
		seg.attributes = i == 1 ? 0x9b : i == 6 ? 0x82 : i == 7 ? 0x8b : 0x93;
		seg_set(v, i, &seg);
	}
}

void vmx_vp_reset(struct ovid_vp *vp, bool init)
{
	static const u64 table[2] = { 0xffffull << 48, 0 };
	struct vmx_vp *v = to_vmx(vp);
	struct ovid_cpuid_regs leaf1;
	u64 cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
	int i;

	if (vmx_vmcs_get(v)) {
		v->owed |= init ? VMX_OWED_INIT : VMX_OWED_RESET;
		v->owed &= ~VMX_OWED_SIPI;
		return;
	}
	vmx_events_clear(v);
	reset_segments(v, 0xf000, 0xffff0000);
	table_set(v, true, table);
	table_set(v, false, table);
	vmwrite_guest(v, GUEST_RIP, 0xfff0);
	vmwrite_guest(v, GUEST_RSP, 0);
	vmwrite_guest(v, GUEST_RFLAGS, X86_EFLAGS_FIXED);
	if (init)	/* INIT keeps CD and NW */
		cr0 = X86_CR0_ET | (v->cr0_shadow & (X86_CR0_CD | X86_CR0_NW));
	vmx_host_set_efer(v, 0);
	vmx_host_set_cr0(v, cr0);
	vmx_host_set_cr4(v, 0);
	vmwrite_guest(v, GUEST_CR3, 0);
	vmwrite_guest(v, GUEST_DR7, 0x400);
	v->breakpoints = false;
	vmwrite_guest(v, GUEST_INTERRUPTIBILITY_INFO, 0);
	vmwrite_guest(v, GUEST_ACTIVITY_STATE, 0);
	vmwrite_guest(v, GUEST_PENDING_DBG_EXCEPTIONS, 0);
	for (i = 0; i < 16; i++)
		vp->page->gpr[i] = 0;
	ovid_cpuid(vp, 1, 0, &leaf1);
	vp->page->gpr[2] = leaf1.eax;
	if (!init) {
		vmwrite_guest(v, GUEST_SYSENTER_CS, 0);
		vmwrite_guest(v, GUEST_SYSENTER_ESP, 0);
		vmwrite_guest(v, GUEST_SYSENTER_EIP, 0);
		vmwrite_guest(v, GUEST_IA32_DEBUGCTL, 0);
		vmwrite_guest(v, GUEST_IA32_PAT, vp->msrs.pat);
		vmx_fpu_reset(v);
	}
	if (vmx_caps.preempt_timer)
		vmwrite_guest(v, VMX_PREEMPTION_TIMER_VALUE, U32_MAX);
	v->timer_armed = false;
	vmwrite(TSC_OFFSET, vp->part->tsc_offset);
	vmx_set_proc(v, 0, CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	vmx_set_apic_mode(v);
	v->vpid_cpu = -1;
	vmx_vmcs_put(v);
	vmx_page_fill(vp, OVID_WANT_RIP | OVID_WANT_SREGS);
}

void vmx_vp_sipi(struct ovid_vp *vp, u8 vector)
{
	struct hv_x64_segment_register cs = {
		.selector = vector << 8, .base = vector << 12, .limit = 0xffff,
		.attributes = 0x9b,
	};
	struct vmx_vp *v = to_vmx(vp);

	if (vmx_vmcs_get(v)) {
		v->owed |= VMX_OWED_SIPI;
		v->owed_vector = vector;
		return;
	}
	seg_set(v, 1, &cs);
	vmwrite_guest(v, GUEST_RIP, 0);
	vmx_vmcs_put(v);
}

/*
 * What could not be done while another hypervisor had VMX (scoped), in its
 * order; the VMCS is current.  An INIT after a reset finds it done.
 */
void vmx_settle(struct vmx_vp *v)
{
	u8 owed = v->owed;

	v->owed = 0;
	if (owed & VMX_OWED_RESET)
		vmx_vp_reset(v->vp, false);
	else if (owed & VMX_OWED_INIT)
		vmx_vp_reset(v->vp, true);
	if (owed & VMX_OWED_SIPI)
		vmx_vp_sipi(v->vp, v->owed_vector);
}
