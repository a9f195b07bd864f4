// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control and debug registers: which bits the guest owns, what a write to the
 * others does (SDM 3A: Control Registers; 3C: Guest/Host Masks and Read Shadows).
 *
 * CR0: the guest owns TS, MP and WP.  CR4: it owns what changes neither paging
 * nor what CPUID says.  CR3 is its own.
 */
#include <linux/kernel.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>
#include "../guestmem.h"
#include "vmx.h"

#define CR0_GUEST_OWNED	(X86_CR0_TS | X86_CR0_MP | X86_CR0_WP | X86_CR0_EM)
#define CR4_GUEST_OWNED	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |	\
			 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT |	\
			 X86_CR4_PGE)
#define CR0_KNOWN	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS |	\
			 X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |	\
			 X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

u64 vmx_get_cr0(struct vmx_vp *v)
{
	return (v->cr0_shadow & ~(u64)CR0_GUEST_OWNED) |
	       (vmread_guest(v, GUEST_CR0) & CR0_GUEST_OWNED);
}

static u64 cr4_owned(struct vmx_vp *v)
{
	return CR4_GUEST_OWNED & ovid_cpuid_cr4_allowed(v->vp->part);
}

u64 vmx_get_cr4(struct vmx_vp *v)
{
	u64 owned = cr4_owned(v);

	return (v->cr4_shadow & ~owned) | (vmread_guest(v, GUEST_CR4) & owned);
}

static void set_entry(struct vmx_vp *v, u32 entry)
{
	if (entry != v->entry) {
		v->entry = entry;
		vmwrite(VM_ENTRY_CONTROLS, entry);
	}
}

/* EFER.LMA and the "IA-32e mode guest" control go together */
static void set_long_mode(struct vmx_vp *v, bool on)
{
	u32 ar;

	v->efer = on ? v->efer | EFER_LMA : v->efer & ~(u64)EFER_LMA;
	vmwrite_guest(v, GUEST_IA32_EFER, v->efer);
	if (v->vp->mode == OVID_VP_IN_GUEST)
		vmx_hostmsr_load(v->vp);
	set_entry(v, on ? v->entry | VM_ENTRY_IA32E_MODE : v->entry & ~VM_ENTRY_IA32E_MODE);
	/* a 16-bit TSS would make the entry fail; hardware does not look until it is used */
	ar = vmread_guest(v, GUEST_TR_AR_BYTES);
	if (on && (ar & 0xf) != 0xb)
		vmwrite_guest(v, GUEST_TR_AR_BYTES, (ar & ~0xfu) | 0xb);
}

int vmx_set_efer(struct vmx_vp *v, u64 val)
{
	u64 old = v->efer;

	if (val & ~(ovid_cpuid_efer_allowed(v->vp->part) | EFER_LMA))
		return 1;
	if (((val ^ old) & EFER_LME) && (vmread_guest(v, GUEST_CR0) & X86_CR0_PG))
		return 1;
	v->efer = (val & ~(u64)EFER_LMA) | (old & EFER_LMA);
	vmwrite_guest(v, GUEST_IA32_EFER, v->efer);
	return 0;
}

bool vmx_pdptrs_needed(struct vmx_vp *v)
{
	return (vmread_guest(v, GUEST_CR0) & X86_CR0_PG) &&
	       (vmread_guest(v, GUEST_CR4) & X86_CR4_PAE) && !(v->efer & EFER_LMA);
}

/*
 * PAE paging keeps four page-directory pointers in the CPU; with EPT they are
 * VMCS fields that a write to CR0 or CR4 has to fill (SDM 3A: PDPTE Registers).
 */
static int pdptrs_set(struct vmx_vp *v, const u64 pdpte[4])
{
	u64 reserved = GENMASK_ULL(63, ovid_cpuid_phys_bits(v->vp->part)) | 0x1e6;
	int i;

	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return 1;
	for (i = 0; i < 4; i++)
		vmwrite_guest(v, GUEST_PDPTR0 + 2 * i, pdpte[i]);
	return 0;
}

/* -EFAULT: memory is not there yet, try with interrupts on */
int vmx_load_pdptrs(struct vmx_vp *v)
{
	gpa_t gpa = vmread_guest(v, GUEST_CR3) & 0xffffffe0;
	u64 pdpte[4];

	if (ovid_guest_read_atomic(v->vp->part, gpa, pdpte, sizeof(pdpte)))
		return -EFAULT;
	return pdptrs_set(v, pdpte);
}

static void cr0_write(struct vmx_vp *v, u64 val)
{
	/* NE is fixed under VMX; PE and PG are free with unrestricted guest; caches stay on */
	u64 fixed = vmx_caps.cr0_fixed0 & ~(u64)(X86_CR0_PE | X86_CR0_PG);

	v->cr0_shadow = val;
	vmwrite(CR0_READ_SHADOW, val);
	vmwrite_guest(v, GUEST_CR0, (val | fixed) & ~(u64)(X86_CR0_CD | X86_CR0_NW));
	vmwrite(CR0_GUEST_HOST_MASK, ~(u64)CR0_GUEST_OWNED);
}

static bool cr0_bad(struct vmx_vp *v, u64 val)
{
	return (val >> 32) ||
	       ((val & X86_CR0_PG) && !(val & X86_CR0_PE)) ||
	       ((val & X86_CR0_NW) && !(val & X86_CR0_CD)) ||
	       (!(val & X86_CR0_PG) && (v->cr4_shadow & X86_CR4_PCIDE));
}

/*
 * vmx_set_cr0 - as MOV to CR0 does, but for PDPTEs, which the caller loads
 * Returns 0, or 1 when the value makes a #GP.
 */
int vmx_set_cr0(struct vmx_vp *v, u64 val)
{
	u64 old = vmread_guest(v, GUEST_CR0);

	if (cr0_bad(v, val))
		return 1;
	/* reserved bits below 32 are ignored (SDM 3A: Control Registers) */
	val = (val & CR0_KNOWN) | X86_CR0_ET;
	if ((val & X86_CR0_PG) && !(old & X86_CR0_PG) && (v->efer & EFER_LME)) {
		if (!(vmread_guest(v, GUEST_CR4) & X86_CR4_PAE) ||
		    (vmread_guest(v, GUEST_CS_AR_BYTES) & VMX_AR_L_MASK))
			return 1;
		set_long_mode(v, true);
	} else if (!(val & X86_CR0_PG) && (old & X86_CR0_PG) && (v->efer & EFER_LMA)) {
		if (vmread_guest(v, GUEST_CS_AR_BYTES) & VMX_AR_L_MASK)
			return 1;
		set_long_mode(v, false);
	}
	cr0_write(v, val);
	return 0;
}

static void cr4_write(struct vmx_vp *v, u64 val)
{
	v->cr4_shadow = val;
	v->vp->cr4 = val;
	vmwrite(CR4_READ_SHADOW, val);
	/* a machine check must reach the host whatever the guest wants */
	vmwrite_guest(v, GUEST_CR4, val | X86_CR4_VMXE | (__read_cr4() & X86_CR4_MCE));
	vmwrite(CR4_GUEST_HOST_MASK, ~cr4_owned(v));
}

/*
 * vmx_set_cr4 - as MOV to CR4 does, but for PDPTEs
 */
int vmx_set_cr4(struct vmx_vp *v, u64 val)
{
	u64 old = vmx_get_cr4(v);

	if (val & ~ovid_cpuid_cr4_allowed(v->vp->part))
		return 1;
	if ((v->efer & EFER_LMA) && !(val & X86_CR4_PAE))
		return 1;
	if ((val & X86_CR4_PCIDE) && !(old & X86_CR4_PCIDE) &&
	    (!(v->efer & EFER_LMA) || (vmread_guest(v, GUEST_CR3) & 0xfff)))
		return 1;
	cr4_write(v, val);
	return 0;
}

/*
 * The host's writes: any order, checked one by one for known bits only; what
 * does not fit together fails at VM entry.
 */
bool vmx_cr0_valid(u64 val)
{
	return !(val & ~(u64)CR0_KNOWN) &&
	       !((val & X86_CR0_PG) && !(val & X86_CR0_PE)) &&
	       !((val & X86_CR0_NW) && !(val & X86_CR0_CD));
}

void vmx_host_set_cr0(struct vmx_vp *v, u64 val)
{
	cr0_write(v, val | X86_CR0_ET);
	vmx_paging_stale(v);
}

void vmx_host_set_cr4(struct vmx_vp *v, u64 val)
{
	cr4_write(v, val);
	vmx_paging_stale(v);
}

void vmx_host_set_efer(struct vmx_vp *v, u64 val)
{
	v->efer = val;
	vmwrite_guest(v, GUEST_IA32_EFER, val);
	set_entry(v, val & EFER_LMA ? v->entry | VM_ENTRY_IA32E_MODE :
				      v->entry & ~VM_ENTRY_IA32E_MODE);
	vmx_paging_stale(v);
}

/* ---- exits ---- */

static u64 cr_operand(struct vmx_vp *v, u64 qual)
{
	unsigned int reg = (qual >> 8) & 15;
	u64 val;

	if (reg == 4)
		return vmread_guest(v, GUEST_RSP);
	val = READ_ONCE(v->vp->page->gpr[reg]);
	return v->efer & EFER_LMA && vmread_guest(v, GUEST_CS_AR_BYTES) & VMX_AR_L_MASK ?
	       val : (u32)val;
}

static enum ovid_run_result gp(struct vmx_vp *v)
{
	vmx_inject_exception(v->vp, X86_TRAP_GP, true, 0);
	return OVID_RUN_RESUME;
}

/* a write to CR0 or CR4 that turned out to fault: as if it had not begun */
static enum ovid_run_result paging_change_undo(struct vmx_vp *v)
{
	if (v->pdptr_cr == 0)
		cr0_write(v, v->pdptr_old);
	else if (v->pdptr_cr == 4)
		vmx_set_cr4(v, v->pdptr_old);
	v->pdptr_cr = VMX_NO_CR;
	return gp(v);
}

static enum ovid_run_result paging_change_done(struct vmx_vp *v)
{
	v->pdptr_cr = VMX_NO_CR;
	vmx_skip_insn(v);
	return OVID_RUN_RESUME;
}

/*
 * After a change of CR0 or CR4 that may need them, read the PDPTEs; bad ones
 * make the whole write fault.  When memory is not mapped yet the exit is
 * finished with interrupts on (vmx_cr_slow).
 */
static enum ovid_run_result after_paging_change(struct vmx_vp *v, u8 cr, u64 old)
{
	int err;

	/* the guest expects its TLB flushed; VPID keeps entries over the exit */
	invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, v->vpid);
	v->pdptr_cr = cr;
	v->pdptr_old = old;
	if (!vmx_pdptrs_needed(v))
		return paging_change_done(v);
	err = vmx_load_pdptrs(v);
	if (err == -EFAULT) {
		v->vp->exit.kind = OVID_X_NONE;
		v->vp->exit.insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
		return OVID_RUN_SLOW;
	}
	return err ? paging_change_undo(v) : paging_change_done(v);
}

enum ovid_run_result vmx_cr_slow(struct vmx_vp *v)
{
	u64 pdpte[4];
	gpa_t gpa;
	int err;

	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	gpa = vmread_guest(v, GUEST_CR3) & 0xffffffe0;
	vmx_vmcs_put(v);
	err = ovid_guest_read(v->vp->part, gpa, pdpte, sizeof(pdpte));
	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	if (!err)
		err = pdptrs_set(v, pdpte);
	if (v->pdptr_cr == VMX_NO_CR) {
		;	/* the host's doing: bad ones are found by the VM entry */
	} else if (err) {
		paging_change_undo(v);
	} else {
		v->pdptr_cr = VMX_NO_CR;
		vmx_skip_by(v, v->vp->exit.insn_len);
	}
	vmx_vmcs_put(v);
	return OVID_RUN_AGAIN;
}

/* before a run, after the host changed paging registers; interrupts on */
enum ovid_run_result vmx_pdptrs_refresh(struct vmx_vp *v)
{
	bool needed;

	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	needed = vmx_pdptrs_needed(v);
	vmx_vmcs_put(v);
	return needed ? vmx_cr_slow(v) : OVID_RUN_AGAIN;
}

static enum ovid_run_result mov_to_cr(struct vmx_vp *v, unsigned int cr, u64 val)
{
	struct ovid_vp *vp = v->vp;
	enum ovid_run_result r;
	u64 old;

	switch (cr) {
	case 0:
		old = vmx_get_cr0(v);
		if (vmx_set_cr0(v, val))
			return gp(v);
		if (!((old ^ val) & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW | X86_CR0_PE)))
			break;
		return after_paging_change(v, 0, old);
	case 4:
		old = vmx_get_cr4(v);
		if (vmx_set_cr4(v, val))
			return gp(v);
		if ((old ^ val) & (X86_CR4_PAE | X86_CR4_PSE | X86_CR4_SMEP | X86_CR4_SMAP |
				   X86_CR4_PCIDE | X86_CR4_PKE | X86_CR4_PGE))
			r = after_paging_change(v, 4, old);
		else
			r = paging_change_done(v);
		/* XCR0 and PKRU are switched at the window's ends */
		if (r == OVID_RUN_RESUME && (old ^ val) & (X86_CR4_OSXSAVE | X86_CR4_PKE))
			r = OVID_RUN_AGAIN;
		return r;
	case 8:
		if (val & ~0xfull)
			return gp(v);
		ovid_lapic_set_cr8(vp, val);
		break;
	default:
		vmx_inject_exception(vp, X86_TRAP_UD, false, 0);
		return OVID_RUN_RESUME;
	}
	vmx_skip_insn(v);
	return OVID_RUN_RESUME;
}

enum ovid_run_result vmx_exit_cr(struct vmx_vp *v)
{
	u64 qual = vmread(EXIT_QUALIFICATION);
	unsigned int reg = (qual >> 8) & 15;
	u64 val;

	v->vp->stats.exit_cr++;
	switch ((qual >> 4) & 3) {
	case 0:
		return mov_to_cr(v, qual & 15, cr_operand(v, qual));
	case 1:		/* MOV from CR8, without a TPR shadow; others do not exit */
		val = ovid_lapic_cr8(v->vp);
		if (reg == 4)
			vmwrite_guest(v, GUEST_RSP, val);
		else
			WRITE_ONCE(v->vp->page->gpr[reg], val);
		vmx_skip_insn(v);
		return OVID_RUN_RESUME;
	case 2:		/* CLTS: TS is the guest's */
		vmwrite_guest(v, GUEST_CR0, vmread_guest(v, GUEST_CR0) & ~(u64)X86_CR0_TS);
		vmx_skip_insn(v);
		return OVID_RUN_RESUME;
	default:	/* LMSW: changes PE (only to 1), MP, EM, TS */
		val = vmx_get_cr0(v);
		val = (val & ~0xeull) | ((qual >> 16) & 0xf);
		return mov_to_cr(v, 0, val);
	}
}

/*
 * The guest's debug registers are loaded at the first access in a window and
 * go back at its end; a guest that does not debug never pays.
 */
enum ovid_run_result vmx_exit_dr(struct vmx_vp *v)
{
	v->vp->stats.exit_cr++;
	vmx_debug_regs_in(v);
	return OVID_RUN_RESUME;
}
