/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which measures against leaks by speculation are taken around a guest: a
 * decision from what the host is and wants.  Pure.
 */
#ifndef OVID_MEASURES_H
#define OVID_MEASURES_H

#include "../purelib.h"

enum vmx_when {
	VMX_AUTO = -1,		/* as an administrator's choice: what the host wants */
	VMX_NEVER,
	VMX_COND,		/* L1D: once for each window; IBPB: for another VP than the last */
	VMX_ALWAYS,		/* L1D: before each entry; IBPB: once for each window */
};

/**
 * struct vmx_host_says - what the measures depend on
 * @l1tf:	a guest can read what is in L1D, and no hypervisor below flushes it
 * @l1d:	the host's setting for that: l1tf= and mitigations=
 * @l1d_forced:	which is not to be weakened: l1tf=full,force
 * @quiet:	the setting says that its risks are known
 * @smt:	two threads share an L1D
 * @flush_cmd:	the processor flushes L1D on command
 * @has_ibpb:	the processor has the barrier for indirect branch prediction
 * @ibpb:	the host uses it between tasks: spectre_v2=, spectre_v2_user=, mitigations=
 */
struct vmx_host_says {
	bool l1tf;
	enum vmx_when l1d;
	bool l1d_forced;
	bool quiet;
	bool smt;
	bool flush_cmd;
	bool has_ibpb;
	bool ibpb;
};

/**
 * struct vmx_measures - what is done, and what is to be told
 * @l1d:	when L1D is flushed
 * @l1d_by_reads: by reading over it, for want of a command
 * @ibpb:	when what was learned of indirect branches is dropped
 * @warn_l1d:	guests can read L1D, as it is never flushed
 * @warn_smt:	guests can read L1D of the other thread
 * @warn_ibpb:	the barrier is asked for, and the processor has none
 */
struct vmx_measures {
	enum vmx_when l1d;
	bool l1d_by_reads;
	enum vmx_when ibpb;
	bool warn_l1d;
	bool warn_smt;
	bool warn_ibpb;
};

/* @l1d, @ibpb: the administrator's choices */
struct vmx_measures vmx_measures(const struct vmx_host_says *host, enum vmx_when l1d,
				 enum vmx_when ibpb);

#endif
