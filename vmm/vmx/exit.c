// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits (SDM 3C: VM Exits; appendix: VMX Basic Exit Reasons).  Each handler
 * runs with interrupts off and the VMCS loaded, reads the fields it needs, and
 * says what is next; one that must sleep returns OVID_RUN_SLOW and is finished
 * by vmx_handle_slow().
 */
#include <linux/kernel.h>
#include <asm/debugreg.h>
#include <asm/io.h>
#include <asm/traps.h>
#include "../cpuid.h"
#include "../emul_mmio.h"
#include "../guestmem.h"
#include "../irqfd.h"
#include "../msr.h"
#include "../region.h"
#include "../trace.h"
#include "vmx.h"

#define RAX 0
#define RCX 1
#define RDX 2
#define RBX 3
#define RSI 6
#define RDI 7
#define R8 8

#define VMCALL_LEN	3
#define DR_GD	BIT(13)	/* DR7: general detect */

/* instructions that exit wherever the CPU has them; not every kernel names them */
#define EXIT_REASON_SEAMCALL_NR		76
#define EXIT_REASON_TDCALL_NR		77
#define EXIT_REASON_RDMSR_IMM_NR	84
#define EXIT_REASON_WRMSRNS_IMM_NR	85

static u64 gpr(struct vmx_vp *v, unsigned int n)
{
	return READ_ONCE(v->vp->page->gpr[n]);
}

static void set_gpr(struct vmx_vp *v, unsigned int n, u64 val)
{
	WRITE_ONCE(v->vp->page->gpr[n], val);
}

static enum ovid_run_result inject_gp(struct vmx_vp *v)
{
	vmx_inject_exception(v->vp, X86_TRAP_GP, true, 0);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result inject_ud(struct vmx_vp *v)
{
	vmx_inject_exception(v->vp, X86_TRAP_UD, false, 0);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result skip(struct vmx_vp *v)
{
	vmx_skip_insn(v);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result to_worker(struct vmx_vp *v, enum ovid_exit_kind kind)
{
	v->vp->exit.kind = kind;
	return OVID_RUN_WORKER;
}

/* IRET that faulted had unblocked NMIs already (SDM 3C: NMI unblocking) */
static void block_nmis(struct vmx_vp *v)
{
	vmwrite_guest(v, GUEST_INTERRUPTIBILITY_INFO,
		      vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);
}

/* ---- instructions that are answered in a few lines ---- */

static enum ovid_run_result exit_cpuid(struct vmx_vp *v)
{
	struct ovid_cpuid_regs out;

	v->vp->stats.exit_cpuid++;
	ovid_cpuid(v->vp, gpr(v, RAX), gpr(v, RCX), &out);
	set_gpr(v, RAX, out.eax);
	set_gpr(v, RBX, out.ebx);
	set_gpr(v, RCX, out.ecx);
	set_gpr(v, RDX, out.edx);
	return skip(v);
}

/* an MSR that policy leaves to the worker */
static enum ovid_run_result msr_to_worker(struct vmx_vp *v, u32 msr, bool write, u64 val)
{
	struct ovid_exit *x = &v->vp->exit;

	x->msr = msr;
	x->value = val;
	x->flags = write ? OVID_XF_WRITE : 0;
	x->flags |= OVID_XF_COMMIT;
	x->insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	return to_worker(v, OVID_X_MSR);
}

static enum ovid_run_result exit_rdmsr(struct vmx_vp *v)
{
	u32 msr = gpr(v, RCX);
	u64 val;

	v->vp->stats.exit_rdmsr++;
	switch (ovid_msr_read(v->vp, msr, &val)) {
	case OVID_MSR_OK:
		set_gpr(v, RAX, (u32)val);
		set_gpr(v, RDX, val >> 32);
		return skip(v);
	case OVID_MSR_IDLE:
		set_gpr(v, RAX, 0);
		set_gpr(v, RDX, 0);
		skip(v);
		v->vp->activity = OVID_HALTED;
		v->vp->halt_if = true;
		v->vp->halt_idle = true;
		return OVID_RUN_BLOCK;
	case OVID_MSR_TO_WORKER:
		return msr_to_worker(v, msr, false, 0);
	default:
		trace_msr_refused(v->vp, msr, false, 0);
		return inject_gp(v);
	}
}

/* EOI of a level-triggered vector: those who hold the line want to know */
static enum ovid_run_result eoi_done(struct vmx_vp *v, int vector)
{
	if (vector < 0)
		return OVID_RUN_RESUME;
	ovid_irqfd_eoi(v->vp->part, vector);
	v->vp->exit.vector = vector;
	return to_worker(v, OVID_X_EOI);
}

static enum ovid_run_result exit_wrmsr(struct vmx_vp *v)
{
	u32 msr = gpr(v, RCX);
	u64 val = (u32)gpr(v, RAX) | gpr(v, RDX) << 32;

	v->vp->stats.exit_wrmsr++;
	if (msr == 0x800 + (APIC_EOI_OFF >> 4) && !val && ovid_lapic_x2apic(&v->vp->apic)) {
		skip(v);
		return eoi_done(v, ovid_lapic_eoi(v->vp));
	}
	switch (ovid_msr_write(v->vp, msr, val)) {
	case OVID_MSR_OK:
		return skip(v);
	case OVID_MSR_RESET:
		skip(v);
		return to_worker(v, OVID_X_RESET);
	case OVID_MSR_CRASH:
		skip(v);
		v->vp->exit.value = val;
		/* mshv's clients have no message for it */
		return v->vp->native ? to_worker(v, OVID_X_CRASH) : OVID_RUN_RESUME;
	case OVID_MSR_EOI:
		skip(v);
		return eoi_done(v, vmx_eoi(v));
	case OVID_MSR_SLOW:
		v->vp->exit.msr = msr;
		v->vp->exit.value = val;
		v->vp->exit.kind = OVID_X_MSR;
		return OVID_RUN_SLOW;
	case OVID_MSR_TO_WORKER:
		return msr_to_worker(v, msr, true, val);
	default:
		trace_msr_refused(v->vp, msr, true, val);
		return inject_gp(v);
	}
}

static enum ovid_run_result exit_hlt(struct vmx_vp *v)
{
	v->vp->stats.exit_hlt++;
	vmx_skip_insn(v);
	v->vp->activity = OVID_HALTED;
	v->vp->halt_if = vmread_guest(v, GUEST_RFLAGS) & X86_EFLAGS_IF;
	v->vp->halt_idle = false;
	return OVID_RUN_BLOCK;
}

static u64 edx_eax(u64 high, u64 low)
{
	return high << 32 | (u32)low;
}

static bool in_64bit(struct vmx_vp *v)
{
	return v->efer & EFER_LMA && vmread_guest(v, GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

/* TLFS: Hypercall Inputs, Hypercall Outputs: 64-bit callers, and all others */
static struct ovid_hypercall_regs hypercall_regs(struct vmx_vp *v, bool is64)
{
	if (is64)
		return (struct ovid_hypercall_regs) { gpr(v, RCX), gpr(v, RDX), gpr(v, R8) };
	return (struct ovid_hypercall_regs) {
		edx_eax(gpr(v, RDX), gpr(v, RAX)), edx_eax(gpr(v, RBX), gpr(v, RCX)),
		edx_eax(gpr(v, RDI), gpr(v, RSI)),
	};
}

/* the same instruction once more, for what is not done yet */
static void hypercall_again(struct vmx_vp *v, bool is64, u64 control)
{
	if (is64) {
		set_gpr(v, RCX, control);
	} else {
		set_gpr(v, RAX, (u32)control);
		set_gpr(v, RDX, control >> 32);
	}
}

static void hypercall_done(struct vmx_vp *v, bool is64, u64 result)
{
	if (is64) {
		set_gpr(v, RAX, result);
	} else {
		set_gpr(v, RAX, (u32)result);
		set_gpr(v, RDX, result >> 32);
	}
	vmx_skip_insn(v);
}

/* RIP stays at the VMCALL: the client steps over it */
static enum ovid_run_result hypercall_to_client(struct vmx_vp *v)
{
	struct ovid_exit *x = &v->vp->exit;

	x->kind = OVID_X_HYPERCALL;
	x->flags = OVID_XF_EXEC;
	x->insn_len = VMCALL_LEN;
	return OVID_RUN_WORKER;
}

static enum ovid_run_result exit_vmcall(struct vmx_vp *v)
{
	struct ovid_hypercall_regs regs;
	bool is64 = in_64bit(v);

	v->vp->stats.exit_hypercall++;
	if (!(vmread_guest(v, GUEST_CR0) & X86_CR0_PE) ||
	    VMX_AR_DPL(vmread_guest(v, GUEST_SS_AR_BYTES)))
		return inject_ud(v);
	regs = hypercall_regs(v, is64);
	switch (ovid_hypercall(v->vp, &regs, true)) {
	case 0:
		hypercall_done(v, is64, regs.result);
		return OVID_RUN_RESUME;
	case OVID_HC_INTERCEPT:
		return hypercall_to_client(v);
	default:
		v->vp->exit.kind = OVID_X_HYPERCALL;
		return OVID_RUN_SLOW;
	}
}

static enum ovid_run_result exit_xsetbv(struct vmx_vp *v)
{
	u64 val = (u32)gpr(v, RAX) | gpr(v, RDX) << 32;
	u64 word[2] = { val, 0 };

	v->vp->stats.exit_other++;
	if ((u32)gpr(v, RCX) || VMX_AR_DPL(vmread_guest(v, GUEST_SS_AR_BYTES)) ||
	    vmx_reg_check(v->vp, HV_X64_REGISTER_XFEM, word))
		return inject_gp(v);
	/* the register itself is switched with the FPU, at the window's ends */
	v->vp->xcr0 = val;
	vmx_skip_insn(v);
	return OVID_RUN_AGAIN;
}

/* ---- port I/O ---- */

static enum ovid_run_result exit_io(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	struct ovid_exit *x = &vp->exit;
	u64 qual = vmread(EXIT_QUALIFICATION);
	bool in = qual & BIT(3);

	vp->stats.exit_io++;
	x->port = qual >> 16;
	x->size = (qual & 7) + 1;
	x->flags = in ? 0 : OVID_XF_WRITE;
	x->insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	if (unlikely(qual & BIT(4))) {
		if (qual & BIT(5))
			x->flags |= OVID_XF_REP;
		x->gva = vmread(GUEST_LINEAR_ADDRESS);
		return to_worker(v, OVID_X_IO_STRING);
	}
	if (!in) {
		x->value = gpr(v, RAX) & (~0ull >> (64 - 8 * x->size));
		if (ovid_doorbell_ring(vp->part, true, x->port, x->size, x->value)) {
			vmx_skip_by(v, x->insn_len);
			return OVID_RUN_RESUME;
		}
	}
	if (vp->native) {
		vmx_skip_by(v, x->insn_len);
		if (in)
			x->flags |= OVID_XF_COMMIT;
	}
	return to_worker(v, OVID_X_IO);
}

/* ---- memory ---- */

/* fetches and decodes the instruction at RIP into vp->exit; false: not one of ours */
static bool decode(struct vmx_vp *v, bool atomic)
{
	struct ovid_exit *x = &v->vp->exit;
	struct ovid_view view;

	vmx_view(v->vp, &view);
	x->nr_bytes = ovid_guest_fetch(v->vp->part, &view, x->bytes, sizeof(x->bytes), atomic);
	x->flags &= ~OVID_XF_DECODED;
	if (ovid_decode_access(x->bytes, x->nr_bytes, view.bits, v->vp->page->gpr, &x->insn))
		return false;
	if (x->insn.write != !!(x->flags & OVID_XF_WRITE))
		return false;
	x->flags |= OVID_XF_DECODED;
	x->size = x->insn.size;
	x->insn_len = x->insn.len;
	x->value = x->insn.value;
	return true;
}

/* RIP past a decoded access.  The length is the decoder's: VMX gives none for EPT exits */
static void skip_decoded(struct vmx_vp *v)
{
	struct ovid_insn *insn = &v->vp->exit.insn;

	vmx_skip_by(v, insn->len);
	if (unlikely(insn->stos)) {
		bool down = vmread_guest(v, GUEST_RFLAGS) & X86_EFLAGS_DF;

		set_gpr(v, 7, ovid_insn_stos_rdi(insn, gpr(v, 7), down));
	}
}

static void finish_load(struct vmx_vp *v, u64 data)
{
	struct ovid_insn *insn = &v->vp->exit.insn;
	unsigned int reg = insn->reg & 15;

	if (reg == 4)
		vmwrite_guest(v, GUEST_RSP,
			      ovid_insn_load_result(insn, vmread_guest(v, GUEST_RSP), data));
	else
		set_gpr(v, reg, ovid_insn_load_result(insn, gpr(v, reg), data));
}

/* for the worker; what the kernel itself handles needs none */
static void note_gva(struct vmx_vp *v)
{
	struct ovid_exit *x = &v->vp->exit;

	if (x->flags & OVID_XF_GVA_VALID)
		x->gva = vmread(GUEST_LINEAR_ADDRESS);
}

/* an access to the APIC page that the CPU does not virtualize */
static enum ovid_run_result apic_access(struct vmx_vp *v, u32 off)
{
	struct ovid_exit *x = &v->vp->exit;
	struct ovid_vp *vp = v->vp;

	vp->stats.exit_apic++;
	if (!decode(v, true)) {
		note_gva(v);
		x->kind = OVID_X_MEM;
		return OVID_RUN_SLOW;
	}
	skip_decoded(v);
	/* only aligned 32-bit accesses mean anything (SDM 3A: Local APIC Register Map) */
	if ((off & 0xf) || x->size != 4) {
		if (!x->insn.write)
			finish_load(v, 0);
		return OVID_RUN_RESUME;
	}
	if (!x->insn.write)
		finish_load(v, ovid_lapic_read(vp, off));
	else if (off == APIC_EOI_OFF)
		return eoi_done(v, ovid_lapic_eoi(vp));
	else
		ovid_lapic_write(vp, off, x->value);
	return OVID_RUN_RESUME;
}

static bool is_apic_page(struct ovid_vp *vp, gpa_t gpa)
{
	return (gpa & PAGE_MASK) == (vp->apic.base & PAGE_MASK) &&
	       ovid_lapic_enabled(&vp->apic) && !ovid_lapic_x2apic(&vp->apic);
}

/* the worker's MMIO: with a decoded access if it is ours, and decodable */
static enum ovid_run_result mmio_exit(struct vmx_vp *v, bool atomic)
{
	struct ovid_vp *vp = v->vp;
	struct ovid_exit *x = &vp->exit;
	bool known = decode(v, atomic);

	/* what lies in two pages has two addresses: the worker finds them, as for
	 * instructions that are not decoded here
	 */
	if (unlikely(known && offset_in_page(x->gpa) + x->size > PAGE_SIZE)) {
		x->flags &= ~OVID_XF_DECODED;
		known = false;
	}
	x->kind = OVID_X_MEM;
	if (atomic && !known && x->nr_bytes < sizeof(x->bytes))
		return OVID_RUN_SLOW;
	if (known && vp->native && !(x->flags & OVID_XF_EVENT)) {
		if (vmx_vmcs_get(v))
			return OVID_RUN_BUSY;
		skip_decoded(v);
		vmx_vmcs_put(v);
		if (!x->insn.write)
			x->flags |= OVID_XF_COMMIT;
	}
	return OVID_RUN_WORKER;
}

/*
 * A guest rings with the same instruction again and again.  Its length is known
 * from decoding it once; and where the CPU's own instruction length, which the
 * SDM does not promise for EPT violations, says the same, the instruction is
 * not fetched and decoded anew.  Another instruction at the same RIP, in another
 * address space, is a store here too, and its length is the CPU's.
 */
static bool doorbell_again(struct vmx_vp *v)
{
	if (vmread_guest(v, GUEST_RIP) != v->bell.rip ||
	    vmread(VM_EXIT_INSTRUCTION_LEN) != v->bell.len ||
	    !ovid_doorbell_ring_any(v->vp->part, v->vp->exit.gpa))
		return false;
	vmx_skip_by(v, v->bell.len);
	return true;
}

static void doorbell_remember(struct vmx_vp *v)
{
	const struct ovid_insn *insn = &v->vp->exit.insn;

	v->bell.len = insn->stos ? 0 : insn->len;	/* STOS moves RDI as well */
	v->bell.rip = vmread_guest(v, GUEST_RIP);
}

/* a store to where an eventfd waits; false if none took it */
static bool doorbell(struct vmx_vp *v)
{
	const u32 store = OVID_XF_WRITE | OVID_XF_GVA_GPA;
	struct ovid_vp *vp = v->vp;
	struct ovid_exit *x = &vp->exit;

	if ((x->flags & (store | OVID_XF_EVENT)) != store)
		return false;
	if (doorbell_again(v))
		return true;
	if (!ovid_doorbell_any(vp->part, false, x->gpa) || !decode(v, true))
		return false;
	if (!ovid_doorbell_ring(vp->part, false, x->gpa, x->size, x->value))
		return false;
	doorbell_remember(v);
	skip_decoded(v);
	return true;
}

static void memory_exit(struct vmx_vp *v, u64 qual)
{
	struct ovid_exit *x = &v->vp->exit;

	x->kind = OVID_X_MEM;
	x->gpa = vmread(GUEST_PHYSICAL_ADDRESS);
	x->flags = (qual & EPT_VIOLATION_ACC_WRITE ? OVID_XF_WRITE : 0) |
		   (qual & EPT_VIOLATION_ACC_INSTR ? OVID_XF_EXEC : 0) |
		   (qual & EPT_VIOLATION_GVA_IS_VALID ? OVID_XF_GVA_VALID : 0) |
		   (qual & EPT_VIOLATION_GVA_TRANSLATED ? OVID_XF_GVA_GPA : 0);
	vmx_note_vectoring(v);
	if (v->reinject)
		x->flags |= OVID_XF_EVENT;
	else if (qual & INTR_INFO_UNBLOCK_NMI)
		block_nmis(v);
}

static enum ovid_run_result exit_ept_violation(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	struct ovid_exit *x = &vp->exit;
	bool backed;

	vp->stats.exit_ept++;
	memory_exit(v, vmread(EXIT_QUALIFICATION));
	if (unlikely(is_apic_page(vp, x->gpa))) {
		if (v->apic_page)
			return OVID_RUN_SLOW;	/* map the APIC-access page */
		if (!(x->flags & OVID_XF_EVENT))
			return apic_access(v, x->gpa & ~PAGE_MASK);
	}
	backed = ovid_region_backed(vp->part, x->gpa >> PAGE_SHIFT);
	if (!backed && doorbell(v))
		return OVID_RUN_RESUME;
	note_gva(v);
	return backed ? OVID_RUN_SLOW : mmio_exit(v, true);
}

static enum ovid_run_result exit_apic_access(struct vmx_vp *v)
{
	struct ovid_exit *x = &v->vp->exit;
	u64 qual = vmread(EXIT_QUALIFICATION);
	u32 type = (qual >> 12) & 0xf;

	vmx_note_vectoring(v);
	x->gpa = OVID_APIC_DEFAULT_BASE | (qual & 0xfff);
	x->flags = OVID_XF_APIC | (type == 1 ? OVID_XF_WRITE : 0);
	if (type <= 1)
		return apic_access(v, qual & 0xfff);
	/* a fetch, a page walk or event delivery that hit the APIC: the worker's */
	x->flags |= type == 2 ? OVID_XF_EXEC : 0;
	if (v->reinject)
		x->flags |= OVID_XF_EVENT;
	return mmio_exit(v, true);
}

static enum ovid_run_result exit_apic_write(struct vmx_vp *v)
{
	v->vp->stats.exit_apic++;
	ovid_lapic_write_done(v->vp, vmread(EXIT_QUALIFICATION) & 0xff0);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result exit_eoi_induced(struct vmx_vp *v)
{
	v->vp->stats.exit_apic++;
	return eoi_done(v, vmread(EXIT_QUALIFICATION) & 0xff);
}

/* ---- exceptions and windows ---- */

static enum ovid_run_result exit_exception(struct vmx_vp *v)
{
	u32 info = vmread(VM_EXIT_INTR_INFO);
	u8 vector = info & INTR_INFO_VECTOR_MASK;
	bool has_code = info & INTR_INFO_DELIVER_CODE_MASK;

	v->vp->stats.exit_other++;
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR ||
	    vector == X86_TRAP_MC) {
		v->host_vector = vector;	/* the host's own, after the window */
		return OVID_RUN_AGAIN;
	}
	vmx_note_vectoring(v);
	/* a benign fault takes the place of the exception that was under way */
	if ((v->reinject & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION)
		v->reinject = 0;
	if (!v->reinject && (info & INTR_INFO_UNBLOCK_NMI) && vector != X86_TRAP_DF)
		block_nmis(v);
	if (vector == X86_TRAP_DB) {
		if (v->debug_regs_loaded)
			get_debugreg(v->vp->dr6, 6);
		v->vp->dr6 = (v->vp->dr6 & ~(u64)DR_TRAP_BITS) | DR6_RESERVED |
			     (vmread(EXIT_QUALIFICATION) & 0x600f);
		vmwrite_guest(v, GUEST_DR7, vmread_guest(v, GUEST_DR7) & ~(u64)DR_GD);
		if (v->debug_regs_loaded)
			set_debugreg(v->vp->dr6, 6);
		/* a trap, and INT1: the instruction has completed, RIP is past it */
		if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_PRIV_SW_EXCEPTION)
			vmx_skip_insn(v);
	}
	vmx_inject_exception(v->vp, vector, has_code,
			     has_code ? vmread(VM_EXIT_INTR_ERROR_CODE) : 0);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result exit_external(struct vmx_vp *v)
{
	v->vp->stats.exit_external++;
	v->host_vector = vmread(VM_EXIT_INTR_INFO) & INTR_INFO_VECTOR_MASK;
	return OVID_RUN_AGAIN;
}

static enum ovid_run_result exit_window(struct vmx_vp *v, u32 control)
{
	v->vp->stats.exit_window++;
	vmx_set_proc(v, 0, control);
	return OVID_RUN_RESUME;
}

/* the write that found the log full is done again, and may be one of an IRET's */
static enum ovid_run_result exit_pml_full(struct vmx_vp *v)
{
	vmx_note_vectoring(v);
	if (!v->reinject && vmread(EXIT_QUALIFICATION) & INTR_INFO_UNBLOCK_NMI)
		block_nmis(v);
	vmx_pml_drain(v);
	return OVID_RUN_RESUME;
}

static enum ovid_run_result exit_timer(struct vmx_vp *v)
{
	v->vp->stats.exit_timer++;
	if (v->vp->apic.timer_deadline)
		ovid_lapic_timer_check(v->vp, rdtsc());
	ovid_stimer_poll(v->vp, rdtsc());
	return OVID_RUN_RESUME;
}

/* it spins */
static enum ovid_run_result exit_pause(struct vmx_vp *v)
{
	v->vp->stats.exit_pause++;
	vmx_skip_insn(v);
	return OVID_RUN_YIELD;
}

/* what the worker is told when it cannot go on */
static enum ovid_run_result fail(struct vmx_vp *v, u32 reason)
{
	struct ovid_exit *x = &v->vp->exit;

	if ((reason & 0xffff) == EXIT_REASON_MCE_DURING_VMENTRY)
		v->host_vector = X86_TRAP_MC;
	x->kind = OVID_X_FAIL;
	x->hw_reason = reason;
	x->hw_qualification = vmread(EXIT_QUALIFICATION);
	ovid_err("%s: VP %u: VM entry failed or exit %#x not handled, qualification %#llx, RIP %#llx, CR0 %#llx, CR4 %#llx, EFER %#llx, interruptibility %#llx",
		 v->vp->part->name, v->vp->index, reason, x->hw_qualification,
		 vmread_guest(v, GUEST_RIP), vmread_guest(v, GUEST_CR0), vmread_guest(v, GUEST_CR4),
		 vmread_guest(v, GUEST_IA32_EFER), vmread_guest(v, GUEST_INTERRUPTIBILITY_INFO));
	return OVID_RUN_DEAD;
}

/* VMLAUNCH or VMRESUME itself failed: a slip of ours, or a VMCS lost */
void vmx_entry_failed(struct vmx_vp *v)
{
	struct ovid_exit *x = &v->vp->exit;

	x->kind = OVID_X_FAIL;
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
	x->hw_reason = vmread(VM_INSTRUCTION_ERROR);
	x->hw_qualification = 0;
	ovid_err("%s: VP %u: VM entry refused, VM-instruction error %u",
		 v->vp->part->name, v->vp->index, x->hw_reason);
}

static enum ovid_run_result exit_rare(struct vmx_vp *v, u32 reason)
{
	v->vp->stats.exit_other++;
	switch (reason) {
	case EXIT_REASON_TRIPLE_FAULT:
		return to_worker(v, OVID_X_SHUTDOWN);
	case EXIT_REASON_RDPMC:
		return inject_gp(v);
	case EXIT_REASON_INVD:
	case EXIT_REASON_WBINVD:
		return skip(v);
	case EXIT_REASON_PML_FULL:
		return exit_pml_full(v);
	case EXIT_REASON_VMCLEAR:
	case EXIT_REASON_VMLAUNCH:
	case EXIT_REASON_VMPTRLD:
	case EXIT_REASON_VMPTRST:
	case EXIT_REASON_VMREAD:
	case EXIT_REASON_VMRESUME:
	case EXIT_REASON_VMWRITE:
	case EXIT_REASON_VMOFF:
	case EXIT_REASON_VMON:
	case EXIT_REASON_INVEPT:
	case EXIT_REASON_INVVPID:
	case EXIT_REASON_VMFUNC:
	case EXIT_REASON_MWAIT_INSTRUCTION:
	case EXIT_REASON_MONITOR_INSTRUCTION:
	case EXIT_REASON_UMWAIT:
	case EXIT_REASON_TPAUSE:
	case EXIT_REASON_ENCLS:
	case EXIT_REASON_SEAMCALL_NR:
	case EXIT_REASON_TDCALL_NR:
	case EXIT_REASON_RDMSR_IMM_NR:
	case EXIT_REASON_WRMSRNS_IMM_NR:
		return inject_ud(v);
	default:
		return fail(v, reason);
	}
}

/*
 * vmx_handle_exit - what the exit is and what is next; interrupts off
 */
enum ovid_run_result vmx_handle_exit(struct vmx_vp *v)
{
	u32 reason = vmread(VM_EXIT_REASON);

	/* a failed entry leaves the launch state as it was (SDM 3C: VM-Entry Failures) */
	if (unlikely(reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
		return fail(v, reason);
	}
	v->vmcs.launched = true;

	if (trace_vp_exit_enabled())
		trace_vp_exit(v->vp, reason, vmread(EXIT_QUALIFICATION),
			      vmread_guest(v, GUEST_RIP));
	switch (reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return exit_external(v);
	case EXIT_REASON_CPUID:
		return exit_cpuid(v);
	case EXIT_REASON_MSR_READ:
		return exit_rdmsr(v);
	case EXIT_REASON_MSR_WRITE:
		return exit_wrmsr(v);
	case EXIT_REASON_IO_INSTRUCTION:
		return exit_io(v);
	case EXIT_REASON_EPT_VIOLATION:
		return exit_ept_violation(v);
	case EXIT_REASON_HLT:
		return exit_hlt(v);
	case EXIT_REASON_VMCALL:
		return exit_vmcall(v);
	case EXIT_REASON_PREEMPTION_TIMER:
		return exit_timer(v);
	case EXIT_REASON_INTERRUPT_WINDOW:
		return exit_window(v, CPU_BASED_INTR_WINDOW_EXITING);
	case EXIT_REASON_NMI_WINDOW:
		return exit_window(v, CPU_BASED_NMI_WINDOW_EXITING);
	case EXIT_REASON_EXCEPTION_NMI:
		return exit_exception(v);
	case EXIT_REASON_APIC_WRITE:
		return exit_apic_write(v);
	case EXIT_REASON_APIC_ACCESS:
		return exit_apic_access(v);
	case EXIT_REASON_EOI_INDUCED:
		return exit_eoi_induced(v);
	case EXIT_REASON_TPR_BELOW_THRESHOLD:
		v->vp->apic.irr_maybe = true;
		return OVID_RUN_RESUME;
	case EXIT_REASON_CR_ACCESS:
		return vmx_exit_cr(v);
	case EXIT_REASON_DR_ACCESS:
		return vmx_exit_dr(v);
	case EXIT_REASON_XSETBV:
		return exit_xsetbv(v);
	case EXIT_REASON_PAUSE_INSTRUCTION:
		return exit_pause(v);
	default:
		return exit_rare(v, reason);
	}
}

/*
 * A walk of page tables in a read-only region.  With accessed and dirty bits in
 * EPT each access of a walk counts as a store (SDM 3C: Accessed and Dirty Flags
 * for EPT), so this VP goes on without them.  False: it was a store.
 */
static bool rom_walk(struct vmx_vp *v)
{
	const u32 flags = OVID_XF_WRITE | OVID_XF_GVA_VALID | OVID_XF_GVA_GPA;

	if (!v->ept_ad || (v->vp->exit.flags & flags) != (OVID_XF_WRITE | OVID_XF_GVA_VALID))
		return false;
	ovid_tdp_no_accessed(v->vp->part);
	if (!vmx_vmcs_get(v)) {
		v->ept_ad = false;
		vmwrite(EPT_POINTER, vmx_eptp(v));
		vmx_vmcs_put(v);
	}
	return true;
}

/* interrupts on: back the page, or find that it is the worker's */
static enum ovid_run_result memory_slow(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;
	struct ovid_exit *x = &vp->exit;
	u64 seq;
	int err;

	if (v->apic_page && is_apic_page(vp, x->gpa)) {
		/* it is mapped; the worker decodes.  And it is not to be executed */
		if (x->flags & (OVID_XF_APIC | OVID_XF_EXEC))
			return mmio_exit(v, false);
		seq = ovid_tdp_seq(vp->part);
		/* it is to go: OVID_REQ_APIC_MODE comes */
		if (READ_ONCE(vp->part->apic_elsewhere))
			return OVID_RUN_AGAIN;
		err = ovid_tdp_map(vp->part, x->gpa >> PAGE_SHIFT, 1,
				   page_to_phys(vp->part->apic_page), true, false, seq);
		return err && err != -EAGAIN ? OVID_RUN_BUSY : OVID_RUN_AGAIN;
	}
	err = ovid_region_fault(vp, x->gpa, x->flags & OVID_XF_WRITE, x->flags & OVID_XF_EXEC);
	switch (err) {
	case 0:
	case -EAGAIN:
		return OVID_RUN_AGAIN;
	case -EPERM:
	case -EACCES:
		if (rom_walk(v))
			return OVID_RUN_AGAIN;
		if (err == -EPERM) {
			inject_gp(v);
			return OVID_RUN_AGAIN;
		}
		x->flags |= OVID_XF_READONLY;
		fallthrough;
	case -ENOENT:
		return mmio_exit(v, false);
	default:
		vp->run_error = err;
		return OVID_RUN_ERROR;
	}
}

static enum ovid_run_result wrmsr_slow(struct vmx_vp *v)
{
	struct ovid_exit *x = &v->vp->exit;
	bool ok = ovid_msr_write_slow(v->vp, x->msr, x->value) == OVID_MSR_OK;

	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	if (ok)
		skip(v);
	else
		inject_gp(v);
	vmx_vmcs_put(v);
	return OVID_RUN_AGAIN;
}

static enum ovid_run_result hypercall_slow(struct vmx_vp *v)
{
	struct ovid_hypercall_regs regs;
	bool is64;

	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	is64 = in_64bit(v);
	vmx_vmcs_put(v);
	regs = hypercall_regs(v, is64);
	switch (ovid_hypercall(v->vp, &regs, false)) {
	case OVID_HC_INTERCEPT:
		return hypercall_to_client(v);
	case OVID_HC_CONTINUE:
		hypercall_again(v, is64, regs.control);
		return OVID_RUN_AGAIN;
	}
	if (vmx_vmcs_get(v))
		return OVID_RUN_BUSY;
	hypercall_done(v, is64, regs.result);
	vmx_vmcs_put(v);
	return OVID_RUN_AGAIN;
}

/*
 * vmx_handle_slow - the part of an exit that may sleep
 */
enum ovid_run_result vmx_handle_slow(struct ovid_vp *vp)
{
	struct vmx_vp *v = to_vmx(vp);

	switch (vp->exit.kind) {
	case OVID_X_NONE:
		return vmx_cr_slow(v);
	case OVID_X_MSR:
		return wrmsr_slow(v);
	case OVID_X_HYPERCALL:
		return hypercall_slow(v);
	default:
		return memory_slow(v);
	}
}
