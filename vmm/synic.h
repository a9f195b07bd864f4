/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The synthetic interrupt controller and timers of a VP (TLFS: Virtual Interrupt
 * Controller, Timers).
 */
#ifndef OVID_SYNIC_H
#define OVID_SYNIC_H

#include <linux/spinlock.h>
#include "msr.h"
#include "overlay.h"
#include "types.h"
#include "../uapi/hvdef.h"

#define OVID_SINTS	16
#define OVID_STIMERS	4
#define OVID_EVENT_FLAGS	2048	/* of a SINT */

/**
 * struct ovid_synic - a VP's
 * @lock:	everything here but timers, and the message slots; any context
 * @control:	HV_X64_MSR_SCONTROL and its like
 * @messages:	the page of message slots, where @simp says
 * @events:	the page of event flags, where @siefp says
 * @notify:	SINTs of which a client wants to know when their slots are free; VP's
 *		thread or vp->lock
 */
struct ovid_synic {
	spinlock_t lock;
	u64 control;
	u64 simp;
	u64 siefp;
	u64 sint[OVID_SINTS];
	struct ovid_overlay messages;
	struct ovid_overlay events;
	u16 notify;
};

/**
 * struct ovid_stimer - VP's thread or vp->lock
 * @config:	HV_X64_MSR_STIMERn_CONFIG
 * @count:	HV_X64_MSR_STIMERn_COUNT
 * @expiry:	reference time at which it expires; 0: it does not run
 * @undelivered: its message waits for its slot
 * @expired:	the expiry that the message tells
 */
struct ovid_stimer {
	u64 config;
	u64 count;
	u64 expiry;
	bool undelivered;
	u64 expired;
};

int ovid_synic_init(struct ovid_vp *vp);
void ovid_synic_fini(struct ovid_vp *vp);
void ovid_synic_reset(struct ovid_vp *vp);

/* MSRs 0x40000080 to 0x4000009F: an enum ovid_msr_result; VP's thread or vp->lock */
u64 ovid_synic_msr_read(struct ovid_vp *vp, u32 msr);
int ovid_synic_msr_write(struct ovid_vp *vp, u32 msr, u64 val);
/* SIEFP and SIMP: sleeps */
int ovid_synic_page_write(struct ovid_vp *vp, u32 msr, u64 val);

/**
 * ovid_synic_post - put a message into a slot and interrupt
 * @vp: VP
 * @sint: which slot
 * @msg: the message; its flags are not looked at
 *
 * Any context.  Return: 0; -EBUSY: the slot is full, and the guest will write
 * EOM when it has emptied it; -EAGAIN: the guest has no slots now.
 */
int ovid_synic_post(struct ovid_vp *vp, unsigned int sint, const struct hv_message *msg);

/* sets an event flag and interrupts: 1, or 0 if it was set already; -EAGAIN: none now */
int ovid_synic_signal(struct ovid_vp *vp, unsigned int sint, unsigned int flag);

/* those of @notify whose slots are free now, and takes them out of it; VP's thread */
u16 ovid_synic_deliverable(struct ovid_vp *vp);

/* ---- synthetic timers, stimer.c; VP's thread or vp->lock ---- */

void ovid_stimer_reset(struct ovid_vp *vp);
/* MSRs 0x400000B0 to 0x400000B7 */
u64 ovid_stimer_msr_read(struct ovid_vp *vp, u32 msr);
int ovid_stimer_msr_write(struct ovid_vp *vp, u32 msr, u64 val);
int ovid_stimer_msr_restore(struct ovid_vp *vp, u32 msr, u64 val);

/* the timers' part of a VP's state (vid-abi.md 2.4) */
#define OVID_STIMER_BLOB_BYTES	200
void ovid_stimer_save(struct ovid_vp *vp, void *blob);
int ovid_stimer_restore(struct ovid_vp *vp, const void *blob);	/* 0 or -EINVAL */

/* what is due expires; makes vp->hv.stimer_deadline anew */
void ovid_stimer_check(struct ovid_vp *vp);
/* a slot has been emptied: messages that waited */
void ovid_stimer_retry(struct ovid_vp *vp);

#endif
