/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations that differ between VMX and SVM.  The core calls them, the
 * backend implements them; nothing else of a backend is known above.
 *
 * "VP's thread" below: the caller holds vp->lock, so the VP is not running.
 */
#ifndef OVID_BACKEND_H
#define OVID_BACKEND_H

#include "emul_mmio.h"
#include "exit.h"
#include "gva.h"
#include "tdp.h"
#include "types.h"
#include "../uapi/ovid.h"

/* outcome of ovid_backend_ops.run */
enum ovid_run_result {
	OVID_RUN_RESUME,	/* inside a backend only: enter again at once */
	OVID_RUN_AGAIN,		/* look at requests, signals, then run again */
	OVID_RUN_YIELD,		/* the same, but the guest spins: let others run first */
	OVID_RUN_SLOW,		/* call handle_slow */
	OVID_RUN_WORKER,	/* vp->exit is for the worker */
	OVID_RUN_BLOCK,		/* vp->activity is not ACTIVE */
	OVID_RUN_BUSY,		/* VMX is owned by another hypervisor now */
	OVID_RUN_DEAD,		/* entry failed: vp->exit is X_FAIL */
	OVID_RUN_ERROR,		/* the host could not: vp->run_error */
};

/**
 * struct ovid_view - how a VP's code sees memory: for page walks and decoders
 * @paging:	but for the callbacks
 * @rip:	of the next instruction, linear
 * @bits:	of that code
 * @cpl:	its privilege level
 */
struct ovid_view {
	struct ovid_paging paging;
	gva_t rip;
	enum ovid_cpu_bits bits;
	u8 cpl;
};

struct ovid_backend_ops {
	const char *name;
	u32 caps;			/* OVID_CAP_*, after probe */
	struct ovid_tdp_format tdp;
	char reason[128];		/* why probe or enable failed */
	u8 hypercall_code[4];		/* what a hypercall page begins with */

	/* module life; may sleep */
	int (*probe)(void);		/* 0 or -ENODEV with @reason */
	int (*init)(void);
	void (*fini)(void);
	/* the first partition comes, the last one goes: 0, -EBUSY, -EIO, -ENOMEM */
	int (*enable)(void);
	void (*disable)(void);
	/* OVID_BLOCK_*: why no partition can be made now, in words too */
	u32 (*blockers)(char *reason, size_t len);

	int (*vp_init)(struct ovid_vp *vp);
	void (*vp_fini)(struct ovid_vp *vp);
	void (*vp_reset)(struct ovid_vp *vp, bool init);	/* VP's thread */
	void (*vp_sipi)(struct ovid_vp *vp, u8 vector);

	/* enters the guest, handles what can be handled with interrupts off */
	enum ovid_run_result (*run)(struct ovid_vp *vp);
	enum ovid_run_result (*handle_slow)(struct ovid_vp *vp);

	/* registers the hardware keeps, by TLFS name; VP's thread.  -ENOENT:
	 * not the backend's, -EINVAL: bad value (nothing changed)
	 */
	int (*reg_get)(struct ovid_vp *vp, u32 name, u64 val[2]);
	int (*reg_check)(struct ovid_vp *vp, u32 name, const u64 val[2]);
	int (*reg_set)(struct ovid_vp *vp, u32 name, const u64 val[2]);
	/* fills the register page: OVID_WANT_* and GPRs' RSP */
	void (*page_fill)(struct ovid_vp *vp, u32 want);
	/* folds dirty classes of the register page into the VP */
	void (*page_fold)(struct ovid_vp *vp, u32 dirty);

	/* RIP past the instruction that exited, VP's thread */
	void (*skip_exit)(struct ovid_vp *vp, u8 insn_len);
	void (*inject_exception)(struct ovid_vp *vp, u8 vector, bool has_code, u32 code);
	/* @view and RSP in the register page */
	void (*view)(struct ovid_vp *vp, struct ovid_view *view);
	/* the guest's own translations are forgotten: VP's thread, interrupts off */
	void (*tlb_flush)(struct ovid_vp *vp);
	/* XMM0 to XMM5: VP's thread, interrupts on or off */
	void (*xmm_get)(struct ovid_vp *vp, void *to);
	void (*xmm_set)(struct ovid_vp *vp, const void *from);
	/* MSRs that live in hardware fields: FS/GS base, SYSENTER; 0 or -ENOENT */
	int (*msr_get)(struct ovid_vp *vp, u32 msr, u64 *val);
	int (*msr_set)(struct ovid_vp *vp, u32 msr, u64 val);

	/* posted-interrupt IPI to the CPU a VP runs on, or false: kick instead */
	bool (*post_interrupt)(struct ovid_vp *vp, int cpu);
};

extern struct ovid_backend_ops *ovid_backend;	/* set once at load */
extern struct ovid_backend_ops ovid_vmx_ops;

#endif
