/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX backend's own types.  Nothing outside vmx/ includes this.
 */
#ifndef OVID_VMX_H
#define OVID_VMX_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <asm/desc_defs.h>
#include "../backend.h"
#include "../compat.h"
#include "../partition.h"
#include "../vp.h"
#include "insn.h"

/* what the CPUs can do and which controls are used; written at load only */
struct vmx_caps {
	u32 revision;
	u32 vmcs_size;
	u32 pin, proc, proc2, entry, exit;	/* controls in use, base value */
	u64 ept_vpid;				/* IA32_VMX_EPT_VPID_CAP */
	u64 cr0_fixed0, cr4_fixed0, cr4_fixed1;
	u8 preempt_shift;			/* TSC ticks per timer tick, log2 */
	bool tpr_shadow;
	bool apicv;		/* register virtualization + virtual-interrupt delivery */
	bool posted;
	bool preempt_timer;
	bool tsc_scaling;
	bool xsaves;
	bool pml;
	bool scoped;		/* VMX only inside run windows */
};

extern struct vmx_caps vmx_caps;

/* a VMCS and where it is */
struct vmx_vmcs {
	void *region;
	hpa_t pa;
	int cpu;		/* whose list it is on, -1: clear */
	bool cleared;		/* by its first VMCLEAR */
	bool launched;
	struct list_head node;	/* on that CPU's list, under interrupts off there */
};

#define VMX_FIELDS_PER_WIDTH	24

/* guest-state fields as the VMCS has them, see vmread_guest() */
struct vmx_guest_state {
	u64 now;		/* counts VM entries, from 1 */
	struct {
		u64 when;	/* @now at the time of reading or writing it */
		u64 value;
	} field[4 * VMX_FIELDS_PER_WIDTH];
};

struct vmx_event {
	bool pending;
	bool has_code;
	u8 vector;
	u32 code;
};

#define VMX_OWED_RESET		BIT(0)
#define VMX_OWED_INIT		BIT(1)
#define VMX_OWED_SIPI		BIT(2)

/**
 * struct vmx_vp - the backend's part of a VP
 * @vmcs:	guarded as vp->lock says, plus interrupts off on vmcs.cpu
 * @depth:	nesting of vmx_vmcs_get()
 * @proc: ...	last values written to the control fields
 * @exception:	to be injected at the next entry
 * @reinject:	event whose delivery was cut short by an exit (IDT-vectoring), as
 *		an entry-interruption value; 0 none
 */
struct vmx_vp {
	struct ovid_vp *vp;
	struct vmx_vmcs vmcs;
	unsigned int depth;
	u16 vpid;
	int vpid_cpu;		/* CPU whose TLB may hold this VPID's entries */

	u32 pin, proc, proc2, entry;
	u64 host_rsp;
	unsigned long host_cr3, host_cr4;
	u64 host_kernel_gs, host_debugctl, host_perf;
	unsigned long host_dr[4], host_dr7;	/* with @host_breakpoints */
	bool host_breakpoints;
	u16 host_fs, host_gs, host_ds, host_es, host_ldt;
	u64 fs_base_written;
	int host_cpu;		/* whose TR, GDT, GS bases are in the VMCS */
	u32 host_pkru;

	struct vmx_event exception;
	u32 reinject;
	u32 reinject_code;
	u32 reinject_len;

	int host_vector;	/* acknowledged by the exit, to be run; -1 none */
	struct desc_ptr host_gdt;
	u64 xmask;		/* XSAVE components that are the guest's */
	u64 hrtimer_deadline;	/* without preemption timer: what the hrtimer waits for */
	bool fpu_loaded, xcr0_loaded, xss_loaded, pkru_loaded;	/* by fpu_in() */
	bool l1d_stale;		/* the host has used L1D since it was flushed for this VP */
	bool timer_armed;	/* preemption timer holds a deadline, not "never" */

	u64 tsc_offset;		/* in the VMCS */
	u8 tpr_threshold;
	u8 apic_mode;		/* enum vmx_apic_mode */
	bool debug_regs_loaded;
	bool breakpoints;	/* guest's DR7 has some on: load with each window */
	bool pdptrs_stale;	/* host changed paging registers */
	bool ept_ad;		/* accessed and dirty bits in EPT: see rom_walk() */
	bool pml;		/* writes are logged, see pml.c */
	u64 *pml_log;
	bool apic_page;		/* accesses to the APIC are caught by the APIC-access page */
	bool apic_elsewhere;	/* as it counts in part->apic_elsewhere ... */
	bool apic_elsewhere_stale;	/* ... and does not any more */
	u8 owed;		/* VMX_OWED_...: for want of VMX, see vmx_settle() */
	u8 owed_vector;
	u8 pdptr_cr;		/* write under way that needs PDPTEs: 0, 4; or NO_CR */
	u64 pdptr_old;		/* that register before it */
	u64 cr0_shadow, cr4_shadow;	/* in the VMCS: the guest's view of what it does not own */
	u64 efer;

	/* the store that rang a doorbell last, see doorbell_again() */
	struct {
		u64 rip;
		u8 len;
	} bell;

	struct vmx_guest_state guest;
};

static inline struct vmx_vp *to_vmx(struct ovid_vp *vp)
{
	return vp->arch;
}

/*
 * The guest-state area of the VMCS, each field read at most once between two
 * entries and written through.  What keeps the copies true: only a VM entry
 * lets a field change other than by vmwrite_guest(), and vmx_guest_entry() right
 * before it is the one place that makes all copies stale.  That the VMCS is
 * cleared, moved to another CPU or VMX switched off changes no field.  VP's
 * thread, between vmx_vmcs_get() and vmx_vmcs_put() or in the window.
 */
static inline void vmx_guest_entry(struct vmx_vp *v)
{
	v->guest.now++;
}

/* width and index of the field's encoding (SDM 3D: Field Encoding in VMCS) */
static __always_inline unsigned int vmx_field_width(unsigned long field)
{
	return field >> 13 & 3;
}

static __always_inline unsigned int vmx_guest_slot(unsigned long field)
{
	unsigned int index = field >> 1 & 0x1ff;

	BUILD_BUG_ON(__builtin_constant_p(field) &&
		     (!VMCS_FIELD_IS_GUEST(field) || index >= VMX_FIELDS_PER_WIDTH));
	return vmx_field_width(field) * VMX_FIELDS_PER_WIDTH + index;
}

static __always_inline u64 vmread_guest(struct vmx_vp *v, unsigned long field)
{
	unsigned int n = vmx_guest_slot(field);

	if (v->guest.field[n].when != v->guest.now) {
		v->guest.field[n].when = v->guest.now;
		v->guest.field[n].value = __vmread(field);
	}
	return v->guest.field[n].value;
}

static __always_inline void vmwrite_guest(struct vmx_vp *v, unsigned long field, u64 value)
{
	unsigned int n = vmx_guest_slot(field);

	/* as the CPU keeps it: 16, 64, 32 bits or natural width */
	if (vmx_field_width(field) == 0)
		value = (u16)value;
	else if (vmx_field_width(field) == 2)
		value = (u32)value;
	v->guest.field[n].when = v->guest.now;
	v->guest.field[n].value = value;
	__vmwrite(field, value);
}

/* the host changed a paging register: the PDPTEs, and translations that are cached */
static inline void vmx_paging_stale(struct vmx_vp *v)
{
	v->pdptrs_stale = true;
	v->vpid_cpu = -1;
}

#define VMX_NO_CR	0xff

enum vmx_apic_mode {
	VMX_APIC_SOFT,		/* nothing virtualized but TPR */
	VMX_APIC_XAPIC,		/* APIC-access page, register virtualization, VID */
	VMX_APIC_X2APIC,	/* x2APIC MSRs virtualized, VID */
};

/* caps.c */
int vmx_check_caps(char *reason, size_t len);

/* vmxon.c: VMX operation of each CPU */
int vmx_life_init(void);
void vmx_life_fini(void);
int vmx_enable(void);
void vmx_disable(void);
u32 vmx_blockers(char *reason, size_t len);
int vmx_window_open(void);	/* scoped: VMXON here; 0 or -EBUSY.  Interrupts off */
void vmx_window_close(void);

/* vmcs.c */
u64 vmx_eptp(const struct vmx_vp *v);
int vmx_vmcs_init(struct vmx_vp *v);
void vmx_vmcs_fini(struct vmx_vp *v);
/* makes the VMCS current here; preemption off, interrupts on (migration asks the old CPU) */
void vmx_vmcs_move(struct vmx_vp *v);
/* with interrupts off */
void vmx_vmcs_load(struct vmx_vp *v);
void vmx_vmcs_clear_cpu(void);	/* every VMCS of this CPU */
/*
 * Access to the VMCS from the VP's thread while it does not run: get nests,
 * and is free inside a run window.
 */
int vmx_vmcs_get(struct vmx_vp *v);
void vmx_settle(struct vmx_vp *v);
void vmx_vmcs_put(struct vmx_vp *v);
void vmx_set_proc(struct vmx_vp *v, u32 set, u32 clear);
void vmx_set_apic_mode(struct vmx_vp *v);
int vmx_apic_page_init(struct ovid_partition *part);
void vmx_apic_page_update(struct vmx_vp *v);
int vmx_vmcs_module_init(void);
void vmx_vmcs_module_fini(void);

/* run.c */
int vmx_run_init(void);
int vmx_fpu_init(struct vmx_vp *v);
void vmx_fpu_fini(struct vmx_vp *v);
void vmx_fpu_reset(struct vmx_vp *v);
void vmx_debug_regs_in(struct vmx_vp *v);
void vmx_tlb_flush(struct ovid_vp *vp);
void vmx_xmm_get(struct ovid_vp *vp, void *to);
void vmx_xmm_set(struct ovid_vp *vp, const void *from);
enum ovid_run_result vmx_run(struct ovid_vp *vp);
/* enter.S: 0 after a VM exit, 1 when VMLAUNCH/VMRESUME failed */
int ovid_vmx_enter(u64 *gpr, bool resume, u64 *host_rsp);
void ovid_vmx_exit_point(void);
/* run the host's handler of an interrupt, and leave interrupts on, or of an NMI; 16 bytes each */
extern char ovid_vmx_int_stubs[];

static inline void vmx_host_vector(u8 vector)
{
	void (*stub)(void) = (void (*)(void))(ovid_vmx_int_stubs + vector * 16u);

	stub();
}

/* exit.c */
enum ovid_run_result vmx_handle_exit(struct vmx_vp *v);
enum ovid_run_result vmx_handle_slow(struct ovid_vp *vp);
void vmx_entry_failed(struct vmx_vp *v);

/* pml.c */
int vmx_pml_init(struct vmx_vp *v);
void vmx_pml_fini(struct vmx_vp *v);
void vmx_pml_set(struct vmx_vp *v, bool on);
void vmx_pml_drain(struct vmx_vp *v);

/* inject.c */
/* a short look before each entry: is there anything for vmx_inject_pending()? */
static inline bool vmx_inject_wanted(struct vmx_vp *v)
{
	struct ovid_vp *vp = v->vp;

	return vp->apic.irr_maybe || v->exception.pending || v->reinject ||
	       test_bit(OVID_PI_ON, (unsigned long *)&vp->apic.pi->control) ||
	       READ_ONCE(vp->nmi_pending) ||
	       vp->extint_vector >= 0 || READ_ONCE(vp->extint_line);
}

bool vmx_inject_pending(struct vmx_vp *v);
int vmx_eoi(struct vmx_vp *v);
void vmx_inject_exception(struct ovid_vp *vp, u8 vector, bool has_code, u32 code);
void vmx_note_vectoring(struct vmx_vp *v);
void vmx_skip_by(struct vmx_vp *v, u64 len);

/* past the instruction of this exit, where VMX gives its length */
static inline void vmx_skip_insn(struct vmx_vp *v)
{
	vmx_skip_by(v, vmread(VM_EXIT_INSTRUCTION_LEN));
}

void vmx_skip_exit(struct ovid_vp *vp, u8 insn_len);
/* drops what was being delivered, e.g. at INIT */
void vmx_events_clear(struct vmx_vp *v);

/* regs.c */
int vmx_reg_get(struct ovid_vp *vp, u32 name, u64 val[2]);
int vmx_reg_check(struct ovid_vp *vp, u32 name, const u64 val[2]);
int vmx_reg_set(struct ovid_vp *vp, u32 name, const u64 val[2]);
void vmx_page_fill(struct ovid_vp *vp, u32 want);
void vmx_page_fold(struct ovid_vp *vp, u32 dirty);
void vmx_requests(struct vmx_vp *v);
void vmx_vp_reset(struct ovid_vp *vp, bool init);
void vmx_vp_sipi(struct ovid_vp *vp, u8 vector);
void vmx_view(struct ovid_vp *vp, struct ovid_view *view);
int vmx_msr_get(struct ovid_vp *vp, u32 msr, u64 *val);
int vmx_msr_set(struct ovid_vp *vp, u32 msr, u64 val);

/* cr.c: control registers; 0, or 1 for #GP.  VMCS loaded */
int vmx_set_cr0(struct vmx_vp *v, u64 val);
int vmx_set_cr4(struct vmx_vp *v, u64 val);
int vmx_set_efer(struct vmx_vp *v, u64 val);
u64 vmx_get_cr0(struct vmx_vp *v);
u64 vmx_get_cr4(struct vmx_vp *v);
bool vmx_pdptrs_needed(struct vmx_vp *v);
int vmx_load_pdptrs(struct vmx_vp *v);
enum ovid_run_result vmx_pdptrs_refresh(struct vmx_vp *v);
void vmx_host_set_cr0(struct vmx_vp *v, u64 val);
void vmx_host_set_cr4(struct vmx_vp *v, u64 val);
void vmx_host_set_efer(struct vmx_vp *v, u64 val);
bool vmx_cr0_valid(u64 val);
enum ovid_run_result vmx_exit_cr(struct vmx_vp *v);
enum ovid_run_result vmx_exit_dr(struct vmx_vp *v);
enum ovid_run_result vmx_cr_slow(struct vmx_vp *v);

/* mitigate.c: measures against leaks by speculation; enter.S has those of single instructions */
DECLARE_STATIC_KEY_FALSE(vmx_ibpb_key);
DECLARE_STATIC_KEY_FALSE(vmx_l1d_key);
int vmx_mitigate_init(void);
void vmx_mitigate_fini(void);
void vmx_forget(struct vmx_vp *v);	/* no CPU remembers it */
void vmx_ibpb(struct vmx_vp *v);
void vmx_l1d_flush(struct vmx_vp *v);

/* at a window's start; interrupts off */
static inline void vmx_mitigate_window(struct vmx_vp *v)
{
	v->l1d_stale = true;
	if (static_branch_unlikely(&vmx_ibpb_key))
		vmx_ibpb(v);
}

/* right before each entry: what comes after it is to touch the VP's own data only */
static inline void vmx_mitigate_entry(struct vmx_vp *v)
{
	if (static_branch_unlikely(&vmx_l1d_key))
		vmx_l1d_flush(v);
}

/* hostmsr.c: MSRs that the host needs only in user mode */
int vmx_hostmsr_init(void);
void vmx_hostmsr_fini(void);
void vmx_hostmsr_load(struct ovid_vp *vp);	/* interrupts off */
void vmx_hostmsr_drop(void);			/* the same */

#endif
