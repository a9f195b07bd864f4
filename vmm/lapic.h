/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC (SDM 3A: Advanced Programmable Interrupt Controller).
 *
 * Registers lie in a page of the architectural layout, which is the
 * virtual-APIC page when the CPU virtualizes the APIC.  Interrupts from
 * anywhere go into the posted-interrupt descriptor first (with or without
 * hardware support for it) and are moved to IRR by the VP's own thread.
 *
 * Who may touch what: PIR, ON, TMR, level_pir, esr_pending and the pending
 * INIT/SIPI words by anyone, atomically; the rest by the VP's thread (or under
 * vp->lock when it does not run).  Others read base, SVR, LDR and DFR to find
 * out whether an interrupt is meant for this APIC: any mix of old and new is
 * what real hardware could have seen too.
 *
 * What a run loop must know:
 *  - ovid_lapic_timer_check() goes before the look at ON: an interrupt of the
 *    VP's own timer sets PIR and ON and tells nobody.
 *  - OVID_REQ_EOI_MAP: call ovid_lapic_eoi_map(), whatever the mode.
 *  - OVID_REQ_APIC_MODE: controls, RVI and SVI are to be made anew from base,
 *    ovid_lapic_highest_irr() and ovid_lapic_highest_isr().
 *  - after an exit in which the guest wrote a register: ovid_lapic_take_eoi().
 *  - around a sleep: timer_block, then wakes() until true, then timer_unblock,
 *    also when the sleep ended for another reason.
 *  - before an entry: sync_pir if ON is set; if irr_maybe is, look for what to
 *    inject, or load RVI.
 */
#ifndef OVID_LAPIC_H
#define OVID_LAPIC_H

#include <linux/bitmap.h>
#include <linux/hrtimer.h>
#include "types.h"

/* register offsets in the page; x2APIC MSR = 0x800 + (offset >> 4) */
#define APIC_ID_OFF		0x020
#define APIC_VERSION_OFF	0x030
#define APIC_TPR_OFF		0x080
#define APIC_APR_OFF		0x090
#define APIC_PPR_OFF		0x0A0
#define APIC_EOI_OFF		0x0B0
#define APIC_RRD_OFF		0x0C0
#define APIC_LDR_OFF		0x0D0
#define APIC_DFR_OFF		0x0E0
#define APIC_SVR_OFF		0x0F0
#define APIC_ISR_OFF		0x100
#define APIC_TMR_OFF		0x180
#define APIC_IRR_OFF		0x200
#define APIC_ESR_OFF		0x280
#define APIC_LVT_CMCI_OFF	0x2F0
#define APIC_ICR_OFF		0x300
#define APIC_ICR2_OFF		0x310
#define APIC_LVT_TIMER_OFF	0x320
#define APIC_LVT_THERMAL_OFF	0x330
#define APIC_LVT_PERF_OFF	0x340
#define APIC_LVT_LINT0_OFF	0x350
#define APIC_LVT_LINT1_OFF	0x360
#define APIC_LVT_ERROR_OFF	0x370
#define APIC_TMICT_OFF		0x380
#define APIC_TMCCT_OFF		0x390
#define APIC_TDCR_OFF		0x3E0
#define APIC_SELF_IPI_OFF	0x3F0

/* 6 LVT entries (max 5), no EOI-broadcast suppression */
#define OVID_APIC_VERSION	0x00050014
#define OVID_APIC_DEFAULT_BASE	0xFEE00000ull

/* SDM 3C: Posted-Interrupt Descriptor.  Page of its own: see lapic.c */
struct ovid_pi_desc {
	u64 pir[4];
	u64 control;		/* bit 0: ON */
	u64 reserved[3];
};

#define OVID_PI_ON		0

/* bits of ovid_lapic.pending_init */
#define OVID_APIC_INIT		0
#define OVID_APIC_SIPI		1

/**
 * struct ovid_lapic - a VP's local APIC
 * @regs:	virtual-APIC page
 * @pi:		posted-interrupt descriptor, a page
 * @base:	IA32_APIC_BASE
 * @initial_id:	the APIC id, in both modes: guests cannot change it
 * @highest_isr: cached, -1 none; not used with @vid
 * @irr_maybe:	IRR is to be looked at.  With @vid it says that we added something
 *		and is the backend's to clear when it has loaded RVI; without, it
 *		is cleared here when IRR is found empty
 * @irr_words:	bit n: IRR word n holds something; not used with @vid
 * @isr_words:	bit n: ISR word n holds something; not used with @vid
 * @eoi_vector:	level-triggered vector that got its EOI by a register write and
 *		that nobody has been told of, or -1: ovid_lapic_take_eoi()
 * @vid:	virtual-interrupt delivery is on for this VP: hardware owns ISR,
 *		IRR, PPR and EOI.  Changed by ovid_lapic_set_vid()
 * @auto_eoi:	vectors that are never in service; @has_auto_eoi: there are some
 * @lazy_word:	of ovid_lapic_set_lazy(); @lazy: its bit was set at the last entry
 * @sw_enabled:	bit 8 of SVR as it was last acted on
 * @sipi_vector: valid while the SIPI bit of @pending_init is set
 * @esr_pending: errors since the last write to ESR; atomic
 * @pending_init: OVID_APIC_INIT, OVID_APIC_SIPI; atomic
 * @level_pir:	level-triggered vectors that wait for the EOI-exit bitmap; atomic
 * @eoi_exit:	what ovid_lapic_eoi_map() said last; read by anyone
 *
 * @timer_deadline: host TSC at which the timer fires; 0: not armed
 * @timer_period: the initial count in host TSC ticks, in periodic mode the
 *		distance of two interrupts
 * @tscdeadline: IA32_TSC_DEADLINE as the guest wrote it
 * @timer_stood: how much of the partition's frozen time @timer_deadline knows of
 * @timer_offset: the partition's TSC offset that it was made with
 * @timer_mode:	OVID_APIC_TIMER_*, as it was last acted on
 * @timer_shift: log2 of TSC ticks per count
 * @hrtimer:	armed only while the VP sleeps in HLT
 * @wake_moved:	when it has to be woken may be another time than @hrtimer was armed for
 */
struct ovid_lapic {
	void *regs;
	struct ovid_pi_desc *pi;
	u64 base;
	u32 initial_id;
	int highest_isr;
	u32 irr_words;
	u32 isr_words;
	int eoi_vector;
	bool irr_maybe;
	bool vid;
	bool has_auto_eoi;
	bool lazy;
	unsigned long *lazy_word;
	DECLARE_BITMAP(auto_eoi, 256);
	bool sw_enabled;
	u8 sipi_vector;
	unsigned long esr_pending;
	unsigned long pending_init;
	u64 level_pir[4];
	u64 eoi_exit[4];

	u64 timer_deadline;
	u64 timer_period;
	u64 tscdeadline;
	u64 timer_stood;
	u64 timer_offset;
	u8 timer_mode;
	u8 timer_shift;
	struct hrtimer hrtimer;
	bool wake_moved;
};

#define OVID_APIC_TIMER_ONESHOT		0
#define OVID_APIC_TIMER_PERIODIC	1
#define OVID_APIC_TIMER_DEADLINE	2

/* the bytes of a LAPIC blob that mean something (vid-abi.md 2.4) */
struct ovid_lapic_blob {
	u32 id;
	u32 version;
	u32 ldr;
	u32 dfr;
	u32 svr;
	u32 isr[8];
	u32 tmr[8];
	u32 irr[8];		/* with OVID_APIC_BLOB_NMI in irr[0] */
	u32 esr;
	u32 icr_high;
	u32 icr_low;
	u32 lvt_timer;
	u32 lvt_thermal;
	u32 lvt_perf;
	u32 lvt_lint0;
	u32 lvt_lint1;
	u32 lvt_error;
	u32 lvt_cmci;
	u32 esr_pending;
	u32 initial_count;
	u32 current_count;
	u32 divide;
	u32 remote_read;
};

#define OVID_APIC_BLOB_NMI	(1u << 2)	/* an NMI is pending */

/* one interrupt on its way: MSI, IPI, or asserted by the worker */
struct ovid_irq {
	u32 dest;		/* APIC id or logical destination */
	bool logical;
	bool level;
	u8 delivery;		/* mode 0..7: fixed, lowest, SMI, -, NMI, INIT, SIPI, ExtINT */
	u8 vector;
	u8 shorthand;		/* IPIs: 0 none, 1 self, 2 all, 3 all but self */
	bool x2apic_dest;	/* @dest is 32 bits: 0xFFFFFFFF is broadcast, else 0xFF */
};

/*
 * How fast the timer counts before the divider: guest TSC >> shift.  With the host's
 * frequency that is at most 1 GHz.
 */
extern unsigned int ovid_apic_tsc_shift;
u32 ovid_apic_timer_hz(u32 khz);

int ovid_lapic_init(struct ovid_vp *vp);
void ovid_lapic_fini(struct ovid_vp *vp);
/* @init: by INIT (keeps the base and id), else power-up */
void ovid_lapic_reset(struct ovid_vp *vp, bool init);
/* ICR as one register of 64 bits, in either mode; VP's thread.  Write: 0, or 1 for #GP */
u64 ovid_lapic_icr(struct ovid_vp *vp);
int ovid_lapic_set_icr(struct ovid_vp *vp, u64 val);
/*
 * Vectors that are over when they are delivered (TLFS: SynIC, auto-EOI), a bitmap of
 * 256.  Hardware that delivers interrupts by itself cannot do that: the backend has
 * to.  VP's thread.
 */
void ovid_lapic_set_auto_eoi(struct ovid_vp *vp, const unsigned long *vectors);
/*
 * Lazy EOI (TLFS: EOI Assist): bit 0 of @word, which the guest sees, says before an
 * entry that the interrupt in service needs no EOI but this bit's being taken off,
 * which is found out after the exit.  NULL: no such word.  VP's thread
 */
void ovid_lapic_set_lazy(struct ovid_vp *vp, unsigned long *word);
void ovid_lapic_lazy_arm(struct ovid_vp *vp);
void ovid_lapic_lazy_sync(struct ovid_vp *vp);
/* the backend switches virtual-interrupt delivery on or off; VP's thread */
void ovid_lapic_set_vid(struct ovid_vp *vp, bool vid);

/*
 * Register access from the VP's thread, interrupts on or off; they never sleep.
 * @off is a multiple of 16 below 0x400.  MMIO ones cannot fail: a bad register
 * reads as zero and sets ESR as the SDM says.  The MSR ones return 0, or 1 for
 * #GP; they know 0x800..0x8FF and IA32_TSC_DEADLINE.
 * ovid_lapic_write_done: the value is in the page already (APIC-write VM exit).
 */
u32 ovid_lapic_read(struct ovid_vp *vp, u32 off);
void ovid_lapic_write(struct ovid_vp *vp, u32 off, u32 val);
void ovid_lapic_write_done(struct ovid_vp *vp, u32 off);
int ovid_lapic_msr_read(struct ovid_vp *vp, u32 msr, u64 *val);
int ovid_lapic_msr_write(struct ovid_vp *vp, u32 msr, u64 val);
int ovid_lapic_set_base(struct ovid_vp *vp, u64 base);	/* 0 or 1 for #GP */

/*
 * Host-side writes of state: any combination of values that is no #GP to a
 * guest is taken, transitions that a guest may not make too; used by
 * HV_X64_REGISTER_APIC_* and the LAPIC blob (mshv layout, vid-abi.md 2.4,
 * sizeof(struct ovid_lapic_blob) bytes used of 4096).  Under vp->lock, the VP
 * does not run.  Return 0 or -EINVAL.
 *
 * A blob is put in after base and id, which it does not change, and in any
 * order with IA32_TSC_DEADLINE.  TPR is not in it (CR8, APIC_TPR).
 */
void ovid_lapic_save(struct ovid_vp *vp, void *blob);
int ovid_lapic_restore(struct ovid_vp *vp, const void *blob);
int ovid_lapic_set_id(struct ovid_vp *vp, u32 id);	/* 0..254 */
int ovid_lapic_host_set_base(struct ovid_vp *vp, u64 base);
void ovid_lapic_host_set_tscdeadline(struct ovid_vp *vp, u64 tsc);

/* TPR, whole and as CR8 */
u8 ovid_lapic_tpr(struct ovid_vp *vp);
void ovid_lapic_set_tpr(struct ovid_vp *vp, u8 tpr);
u64 ovid_lapic_cr8(struct ovid_vp *vp);
void ovid_lapic_set_cr8(struct ovid_vp *vp, u64 cr8);

/**
 * ovid_lapic_deliver - send an interrupt to the VPs it names
 * @part: partition
 * @src: the sender for shorthands, or NULL
 * @irq: what, and to whom; any values are fine
 *
 * Any context.  Returns the number of VPs that took it; 0: dropped.
 */
int ovid_lapic_deliver(struct ovid_partition *part, struct ovid_vp *src,
		       const struct ovid_irq *irq);

/* decode an MSI as a device writes it (SDM 3A: Message Signalled Interrupts,
 * and the x2APIC extension: address bits 63:40 hold dest bits 31:8)
 */
void ovid_irq_from_msi(struct ovid_irq *irq, u64 address, u32 data);

/* sets one vector on one VP (PIR, TMR, ON) and tells it.  Any context.  Does not
 * ask whether the APIC is enabled: ovid_lapic_accepts()
 */
void ovid_lapic_post(struct ovid_vp *vp, u8 vector, bool level);
/* would this APIC take a fixed interrupt now?  Any context */
bool ovid_lapic_accepts(struct ovid_vp *vp);

/* ---- for the run loop, on the VP's thread ---- */

/* moves PIR to IRR; returns true if anything moved */
bool ovid_lapic_sync_pir(struct ovid_vp *vp);
/* vector that can be delivered now by IRR, ISR and TPR, or -1.  Call sync first */
int ovid_lapic_next(struct ovid_vp *vp);
/* highest in IRR whatever the priority, or -1 (RVI; TPR threshold) */
int ovid_lapic_highest_irr(struct ovid_vp *vp);
int ovid_lapic_highest_isr(struct ovid_vp *vp);
/* interrupt acknowledged: IRR -> ISR; not with vid */
void ovid_lapic_ack(struct ovid_vp *vp, u8 vector);
/*
 * True if something would end a HLT with RFLAGS.IF set: deliverable vector (PIR
 * included), timer due.  Fires the timer and takes PIR, so that whoever posts
 * after a false answer tells us.
 */
bool ovid_lapic_wakes(struct ovid_vp *vp);
/* true if LINT0 passes ExtINT to this VP (or the APIC is off) */
bool ovid_lapic_takes_extint(struct ovid_vp *vp);

/*
 * EOI by the guest.  Returns the vector when it was level-triggered, so that
 * the worker has to hear of it (OVID_X_EOI), else -1.
 */
int ovid_lapic_eoi(struct ovid_vp *vp);

/* the answer of an EOI that went through ovid_lapic_write, _write_done or
 * _msr_write: a vector, once, or -1
 */
static inline int ovid_lapic_take_eoi(struct ovid_lapic *apic)
{
	int vector = apic->eoi_vector;

	if (unlikely(vector >= 0))
		apic->eoi_vector = -1;
	return vector;
}

/*
 * The 256-bit map of vectors whose EOI must exit (TMR), for VMX's EOI-exit
 * bitmap.  Interrupts that waited for it are pending afterwards, ON is set.
 */
void ovid_lapic_eoi_map(struct ovid_vp *vp, u64 map[4]);

/* fires the timer if it is due at host TSC @now */
void ovid_lapic_timer_check(struct ovid_vp *vp, u64 now);
/* arms/cancels the hrtimer around a sleep in HLT */
void ovid_lapic_timer_block(struct ovid_vp *vp);
void ovid_lapic_timer_unblock(struct ovid_vp *vp);

/* between the two: it is to be armed anew */
static inline bool ovid_lapic_timer_moved(const struct ovid_lapic *apic)
{
	return READ_ONCE(apic->wake_moved);
}

/* OVID_REQ_TSC: the guest's TSC offset changed, or time stood still: a TSC
 * deadline moves with the first, a count with the second
 */
void ovid_lapic_timer_tsc_changed(struct ovid_vp *vp);
/* the partition was frozen for @ticks of the host's TSC; before OVID_REQ_TSC */
void ovid_apic_time_stood(struct ovid_partition *part, u64 ticks);

/*
 * Puts VPs and their ids into part->apic_map: after a VP was published in
 * part->vps[], or changed its id.  Does not sleep.  A VP gets no interrupts
 * before.  ovid_apic_map_fini: at the partition's end, after all VPs.
 */
void ovid_apic_map_update(struct ovid_partition *part);
void ovid_apic_map_fini(struct ovid_partition *part);

static inline bool ovid_lapic_enabled(const struct ovid_lapic *apic)
{
	return apic->base & (1u << 11);
}

static inline bool ovid_lapic_x2apic(const struct ovid_lapic *apic)
{
	return apic->base & (1u << 10);
}

#endif
