// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events on their way into the guest (SDM 3C: Event Injection): what was cut
 * short by an exit first, then exceptions, NMIs, and interrupts; and windows
 * for what cannot go in yet.  VP's thread, VMCS loaded.
 */
#include <asm/traps.h>
#include "../trace.h"
#include "vmx.h"

#define BLOCKED_STI_SS	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

static bool irq_allowed(struct vmx_vp *v)
{
	return (vmread_guest(v, GUEST_RFLAGS) & X86_EFLAGS_IF) &&
	       !(vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) & BLOCKED_STI_SS);
}

static bool nmi_allowed(struct vmx_vp *v)
{
	return !(vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) &
		 (BLOCKED_STI_SS | GUEST_INTR_STATE_NMI));
}

static void inject(struct ovid_vp *vp, u32 info)
{
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, info | INTR_INFO_VALID_MASK);
	if (trace_vp_inject_enabled())
		trace_vp_inject(vp, info, 0);
}

static void inject_cut_short(struct vmx_vp *v)
{
	if (v->reinject & INTR_INFO_DELIVER_CODE_MASK)
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, v->reinject_code);
	vmwrite(VM_ENTRY_INSTRUCTION_LEN, v->reinject_len);
	inject(v->vp, v->reinject);
	v->reinject = 0;
}

/* #DB, #BP and #OF leave RF as it is, and what #DF and #MC push is of no use (SDM 3A:
 * Exception and Interrupt Vectors)
 */
static bool is_fault(u8 vector)
{
	return !(BIT(vector & 31) & (BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP) | BIT(X86_TRAP_OF) |
				     BIT(X86_TRAP_DF) | BIT(X86_TRAP_MC)));
}

static void inject_exception(struct vmx_vp *v)
{
	u32 info = v->exception.vector | INTR_TYPE_HARD_EXCEPTION;

	/* a fault pushes RF set, so that its instruction, when it is tried again, does not
	 * meet its breakpoint again (SDM 3B: Instruction-Breakpoint Exception Condition); an
	 * injected one pushes what the field has
	 */
	if (is_fault(v->exception.vector))
		vmwrite_guest(v, GUEST_RFLAGS, vmread_guest(v, GUEST_RFLAGS) | X86_EFLAGS_RF);
	/* no error code is pushed in real mode */
	if (v->exception.has_code && (vmread_guest(v, GUEST_CR0) & X86_CR0_PE)) {
		info |= INTR_INFO_DELIVER_CODE_MASK;
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, v->exception.code);
	}
	/* a single step in a shadow: the entry wants it said twice (SDM 3C: Checks on
	 * Guest Non-Register State)
	 */
	if (v->exception.vector == X86_TRAP_DB && (vmread_guest(v, GUEST_RFLAGS) & X86_EFLAGS_TF) &&
	    (vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) & BLOCKED_STI_SS))
		vmwrite_guest(v, GUEST_PENDING_DBG_EXCEPTIONS,
			      vmread_guest(v, GUEST_PENDING_DBG_EXCEPTIONS) | DR_STEP);
	inject(v->vp, info);
	v->exception.pending = false;
	v->vp->stats.exception_injected++;
}

/* one of the remembered NMIs goes in */
static void take_nmi(struct ovid_vp *vp)
{
	u32 n = READ_ONCE(vp->nmi_pending);

	while (n && !try_cmpxchg(&vp->nmi_pending, &n, n - 1))
		;
	vp->stats.nmi_injected++;
}

/* Behind one that is being handled one more waits, no third (SDM 3A: Handling Multiple NMIs). */
static void forget_nmi(struct ovid_vp *vp)
{
	u32 two = 2;

	try_cmpxchg(&vp->nmi_pending, &two, 1);
}

static bool nmi_pending(struct vmx_vp *v, bool busy)
{
	if (vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI)
		forget_nmi(v->vp);
	if (!busy && nmi_allowed(v)) {
		inject(v->vp, INTR_TYPE_NMI_INTR | X86_TRAP_NMI);
		take_nmi(v->vp);
		busy = true;
	}
	/* an STI shadow need not hold off an NMI window: wait for the interrupt window then */
	if (READ_ONCE(v->vp->nmi_pending)) {
		bool sti = vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_STI;

		vmx_set_proc(v, sti ? CPU_BASED_INTR_WINDOW_EXITING :
				      CPU_BASED_NMI_WINDOW_EXITING, 0);
	}
	return busy;
}

static void set_tpr_threshold(struct vmx_vp *v, int irr)
{
	u8 threshold = 0;

	if (irr >= 0 && (ovid_lapic_cr8(v->vp) << 4 | 0xf) >= irr)
		threshold = irr >> 4;
	if (threshold != v->tpr_threshold) {
		v->tpr_threshold = threshold;
		vmwrite(TPR_THRESHOLD, threshold);
	}
}

/* the APIC without virtual-interrupt delivery */
static void irq_pending(struct vmx_vp *v, bool busy)
{
	struct ovid_vp *vp = v->vp;
	int vec = ovid_lapic_next(vp);

	if (vec >= 0 && !busy && irq_allowed(v)) {
		ovid_lapic_ack(vp, vec);
		inject(vp, INTR_TYPE_EXT_INTR | vec);
		vp->stats.irq_injected++;
		vec = ovid_lapic_next(vp);
	}
	if (vec >= 0)
		vmx_set_proc(v, CPU_BASED_INTR_WINDOW_EXITING, 0);
	if (vmx_caps.tpr_shadow)
		set_tpr_threshold(v, vec < 0 && vp->apic.irr_maybe ?
				     ovid_lapic_highest_irr(vp) : -1);
}

/* IRR changed by us: the hardware evaluates what RVI says */
static void update_rvi(struct vmx_vp *v)
{
	int irr = ovid_lapic_highest_irr(v->vp);
	u16 status = vmread_guest(v, GUEST_INTR_STATUS);
	u16 want = (status & 0xff00) | (irr < 0 ? 0 : irr);

	v->vp->apic.irr_maybe = false;
	if (want != status)
		vmwrite_guest(v, GUEST_INTR_STATUS, want);
}

/* an EOI that the hardware has not done: as ovid_lapic_eoi() */
int vmx_eoi(struct vmx_vp *v)
{
	int vector = ovid_lapic_eoi(v->vp);

	if (v->vp->apic.vid)
		vmwrite_guest(v, GUEST_INTR_STATUS,
			      (vmread_guest(v, GUEST_INTR_STATUS) & 0xff) |
			      max(ovid_lapic_highest_isr(v->vp), 0) << 8);
	return vector;
}

/* the PIC's INTR line: a vector that the worker gave, or a question to it */
static bool extint(struct vmx_vp *v, bool busy)
{
	struct ovid_vp *vp = v->vp;

	if (busy || !irq_allowed(v)) {
		vmx_set_proc(v, CPU_BASED_INTR_WINDOW_EXITING, 0);
		return false;
	}
	if (vp->extint_vector >= 0) {
		inject(vp, INTR_TYPE_EXT_INTR | (u8)vp->extint_vector);
		vp->extint_vector = -1;
		vp->stats.irq_injected++;
		return false;
	}
	vp->exit.kind = OVID_X_EXTINT;
	vp->extint_asked = true;
	return true;
}

/*
 * vmx_inject_pending - what goes in with the next entry
 *
 * Returns true when the worker has to be asked for an ExtINT vector first.
 */
bool vmx_inject_pending(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	struct ovid_lapic *apic = &vp->apic;
	bool busy = false;

	/* a fault on the way of an interrupt goes first, the interrupt after it */
	if (v->exception.pending) {
		inject_exception(v);
		busy = true;
	} else if (v->reinject) {
		inject_cut_short(v);
		busy = true;
	}
	if (READ_ONCE(vp->nmi_pending))
		busy = nmi_pending(v, busy);
	if (test_bit(OVID_PI_ON, (unsigned long *)&apic->pi->control))
		ovid_lapic_sync_pir(vp);
	if (apic->irr_maybe) {
		if (apic->vid)
			update_rvi(v);
		else
			irq_pending(v, busy);
	}
	if (vp->extint_vector >= 0 ||
	    (READ_ONCE(vp->extint_line) && !vp->extint_asked && ovid_lapic_takes_extint(vp)))
		return extint(v, busy || (vmread(VM_ENTRY_INTR_INFO_FIELD) &
					  INTR_INFO_VALID_MASK));
	return false;
}

/*
 * vmx_inject_exception - an exception for the next entry, from any handler
 *
 * There is at most one: a handler injects one exception, which goes in with the next
 * entry or stays for the one after.  The exits that are exceptions themselves are
 * benign ones (SDM 3A: Conditions for Generating a Double Fault), so no double
 * fault has to be made here.
 */
void vmx_inject_exception(struct ovid_vp *vp, u8 vector, bool has_code, u32 code)
{
	struct vmx_vp *v = to_vmx(vp);

	v->exception = (struct vmx_event) {
		.pending = true, .vector = vector, .has_code = has_code, .code = code,
	};
}

/*
 * vmx_note_vectoring - keep an event whose delivery this exit cut short
 *
 * Called for the exits that can happen during delivery.  The event goes in
 * again at the next entry, unless the handler injects a fault in its place.
 */
void vmx_note_vectoring(struct vmx_vp *v)
{
	u32 info = vmread(IDT_VECTORING_INFO_FIELD);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;

	if (likely(!(info & INTR_INFO_VALID_MASK)))
		return;
	v->reinject = info & ~INTR_INFO_UNBLOCK_NMI;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		v->reinject_code = vmread(IDT_VECTORING_ERROR_CODE);
	/* software events carry the length of their instruction */
	if (type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION ||
	    type == INTR_TYPE_PRIV_SW_EXCEPTION)
		v->reinject_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	/* an NMI that is delivered again must not be blocked by its first try */
	if (type == INTR_TYPE_NMI_INTR)
		vmwrite_guest(v, GUEST_INTERRUPTIBILITY_INFO,
			      vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) & ~GUEST_INTR_STATE_NMI);
}

void vmx_events_clear(struct vmx_vp *v)
{
	v->exception.pending = false;
	v->reinject = 0;
	v->vp->extint_vector = -1;
	v->vp->extint_asked = false;
}

/*
 * vmx_skip_by - RIP @len bytes on, as if an instruction of that length had completed
 */
void vmx_skip_by(struct vmx_vp *v, u64 len)
{
	u64 rip = vmread_guest(v, GUEST_RIP);
	u64 next = rip + len;
	u64 intr = vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO);

	/* outside 64-bit code RIP wraps at 4 GiB */
	if (unlikely((rip ^ next) >> 32) &&
	    !(vmread_guest(v, GUEST_CS_AR_BYTES) & VMX_AR_L_MASK))
		next = (u32)next;
	vmwrite_guest(v, GUEST_RIP, next);
	if (unlikely(intr & BLOCKED_STI_SS))
		vmwrite_guest(v, GUEST_INTERRUPTIBILITY_INFO, intr & ~BLOCKED_STI_SS);
	if (unlikely(vmread_guest(v, GUEST_RFLAGS) & X86_EFLAGS_TF))
		vmwrite_guest(v, GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);
}

/* past the instruction that exited, from outside a window */
void vmx_skip_exit(struct ovid_vp *vp, u8 insn_len)
{
	struct vmx_vp *v = to_vmx(vp);

	if (vmx_vmcs_get(v))
		return;
	vmx_skip_by(v, insn_len);
	vmx_vmcs_put(v);
}
