/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between hypercall.c (what all have in common) and the handlers in hc_*.c.
 */
#ifndef OVID_HYPERCALL_H
#define OVID_HYPERCALL_H

#include <linux/bitmap.h>
#include "hv.h"
#include "types.h"

/**
 * struct ovid_hc - a call that has passed the rules which all have in common
 * @in: its input: copied, as long as the header, and what follows, say
 * @out: where its output goes, zeroed
 * @nr_banks: variable header, in words of 8 bytes
 * @reps: elements of a rep call
 * @start: the first one that is to be done
 * @done: handler of a rep call: how many are done now, counted from the first
 * @atomic: interrupts are off
 */
struct ovid_hc {
	const void *in;
	void *out;
	unsigned int nr_banks;
	unsigned int reps;
	unsigned int start;
	unsigned int done;
	bool atomic;
};

struct ovid_vp_set {
	DECLARE_BITMAP(vps, OVID_MAX_VPS);
};

/* the VPs of a mask, or of a set (HV_VP_SET) with @nr_banks words behind it */
void ovid_hc_mask(struct ovid_vp_set *set, u64 mask);
int ovid_hc_vp_set(struct ovid_vp_set *set, const void *vp_set, unsigned int nr_banks);

/* HV_STATUS_SUCCESS if the guest has one of @privileges, or what it is told instead */
int ovid_hc_privileged(struct ovid_vp *vp, u64 privileges);

/* does the client of MSHV_RUN_VP, if it is one that runs the VP, want to see calls of a kind? */
bool ovid_hc_intercepted(struct ovid_vp *vp, unsigned int type);

int ovid_hc_flush(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_flush_ex(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_send_ipi(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_send_ipi_ex(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_port_post(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_port_signal(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_ext_capabilities(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_ext_heat_hint(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_regs_get(struct ovid_vp *vp, struct ovid_hc *hc);
int ovid_hc_regs_set(struct ovid_vp *vp, struct ovid_hc *hc);

#endif
