/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters.  A statistic is one line in one of the lists; the statistics fd,
 * debugfs and the names follow from it.  A VP's counters are written by the
 * thread that runs it only; a partition's are atomic.
 */
#ifndef OVID_STATS_H
#define OVID_STATS_H

#include <linux/atomic.h>
#include "types.h"

#define OVID_VP_STATS(X)		\
	X(exits)	/* VM exits in all */			\
	X(entries_slow)	/* entries into the run loop */		\
	X(exit_cpuid)			\
	X(exit_rdmsr)			\
	X(exit_wrmsr)			\
	X(exit_io)			\
	X(exit_ept)	/* EPT violations and misconfigurations */ \
	X(exit_hlt)			\
	X(exit_hypercall)		\
	X(exit_apic)	/* APIC access, APIC write, virtualized EOI */ \
	X(exit_external)		\
	X(exit_window)	/* interrupt and NMI windows */		\
	X(exit_timer)	/* VMX-preemption timer */		\
	X(exit_cr)			\
	X(exit_pause)	/* loops with PAUSE */			\
	X(exit_other)			\
	X(to_worker)	/* exits that went to the worker */	\
	X(irq_injected)			\
	X(nmi_injected)			\
	X(exception_injected)		\
	X(halt_blocked)	/* times it slept in HLT */		\
	X(halt_polled)	/* waits in HLT that ended without it */	\
	X(yields)	/* times it spun and another VP got its CPU */	\
	X(bus_turns)	/* of the bus's, done where it only waits */ \
	X(page_faults)	/* guest pages mapped on demand */	\
	X(tlb_flushes)	/* INVEPT and INVVPID */		\
	X(l1d_flushes)	/* against L1TF */			\
	X(ibpbs)	/* barriers of indirect branch prediction before the guest runs */

/* go up and down: OVID_STAT_GAUGE */
#define OVID_PART_GAUGES(X)		\
	X(pages_4k)	/* EPT leaves mapped now, by size */	\
	X(pages_2m)			\
	X(pages_1g)			\
	X(ept_pages)	/* table pages */

#define OVID_PART_COUNTERS(X)		\
	X(zaps)		/* ranges unmapped */			\
	X(aged)		/* ranges the host found used, and marked unused */ \
	X(kicks)	/* IPIs to make a VP leave the guest */	\
	X(posted)	/* posted-interrupt IPIs */		\
	X(irqs_sent)	/* interrupts accepted for delivery */	\
	X(irqs_dropped)	/* no destination, or APIC off */	\
	X(doorbells)	/* ioeventfd hits */

#define OVID_STAT_U64(name)	u64 name;
#define OVID_STAT_A64(name)	atomic64_t name;

struct ovid_vp_stats { OVID_VP_STATS(OVID_STAT_U64) };
struct ovid_part_stats {
	OVID_PART_GAUGES(OVID_STAT_A64)
	OVID_PART_COUNTERS(OVID_STAT_A64)
};

/* OVID_GET_STATS_FD: a file that holds a reference to the partition */
int ovid_part_stats_fd(struct ovid_partition *part);
int ovid_vp_stats_fd(struct ovid_vp *vp);

/*
 * debugfs ovid/<id>-<name>/{stats,vpN}; the bus adds what is its own.  Nothing depends on
 * their success.
 * After _del no reader looks at the partition any more; call it before VPs are
 * freed, with no lock that a reader's open could need.
 */
void ovid_stats_debugfs_add(struct ovid_partition *part);
void ovid_stats_debugfs_add_vp(struct ovid_vp *vp);
void ovid_stats_debugfs_del(struct ovid_partition *part);
int ovid_stats_init(void);
void ovid_stats_fini(void);

#endif
