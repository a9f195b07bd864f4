/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A partition: what owns VPs, guest physical memory and interrupt routes.
 *
 * Lifetime: every P, V and statistics file, and every memory-object mapping
 * in use, holds a reference (ovid_part_get/put).  The last put frees it all;
 * VPs live as long as the partition.
 */
#ifndef OVID_PARTITION_H
#define OVID_PARTITION_H

#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include "bus.h"
#include "cpuid.h"
#include "hv.h"
#include "msr.h"
#include "overlay.h"
#include "port.h"
#include "property.h"
#include "irqfd.h"
#include "stats.h"
#include "tdp.h"
#include "track.h"
#include "types.h"
#include "../uapi/ovid.h"

enum ovid_part_state {
	OVID_PART_CREATED,	/* mshv only: early properties may be set */
	OVID_PART_INITIALIZED,
};

/**
 * struct ovid_partition
 * @ref:	see the head of this file
 * @id:		never reused while the module is loaded
 * @lock:	creation of VPs, changes of state, policy and routes.  Never taken
 *		on a path that a running VP or an interrupt needs
 * @mm:		whose user memory and run calls count, set once at bind; mm_count held
 * @regions:	memory map, see region.h; updated under @regions_lock
 * @vps:	published with smp_store_release() at the VP's index, never removed
 * @apic_map:	APIC id -> VP, RCU; rebuilt under @apic_map_lock
 * @paused:	VPs wait in RUN; changed under @lock
 */
struct ovid_partition {
	struct kref ref;
	u32 id;
	char name[OVID_NAME_LEN];
	enum ovid_part_state state;
	bool mshv;		/* made by MSHV_CREATE_PARTITION */
	bool x2apic_allowed;
	bool paused;
	bool dead;		/* an internal invariant broke: every call gives EIO */

	struct mutex lock;
	struct mm_struct *mm;

	struct mutex regions_lock;
	struct ovid_regions __rcu *regions;
	struct srcu_struct *srcu;	/* readers of @regions; one for the module */
	struct ovid_tdp tdp;
	struct ovid_track track;
	struct ovid_overlays overlays;
	struct page *apic_page;	/* the backend's, at the APIC's address; freed at the end */
	struct mutex apic_page_lock;
	u32 apic_elsewhere;	/* VPs for which the APIC is not there: nor is that page then */
	struct mmu_notifier mn;
	bool mn_registered;

	u32 nr_vps;
	struct ovid_vp *vps[OVID_MAX_VPS];
	struct mutex apic_map_lock;
	struct ovid_apic_map __rcu *apic_map;

	struct ovid_cpuid_policy cpuid;
	struct ovid_msr_rules __rcu *msr_rules;	/* NULL: all unknown MSRs fault */
	bool has_run;		/* a VP entered the guest: CPUID is fixed */

	struct ovid_properties props;
	struct ovid_ports ports;	/* of the guest's messages and events: port.c */
	struct ovid_hv_part hv;		/* the hypervisor interface: hv_msr.c */
	struct ovid_irq_state irq;	/* irqfds, ioeventfds, routes: irqfd.c */
	struct ovid_vmbus *vmbus;	/* see bus.h */

	/*
	 * Time: guest TSC = host TSC * tsc_ratio + tsc_offset.  The ratio has
	 * OVID_TSC_RATIO_BITS after the point, 0 stands for one, and it does not
	 * change once there is a VP.
	 */
	spinlock_t time_lock;
	u32 tsc_khz;		/* the guest's */
	u64 tsc_ratio;
	u64 tsc_offset;
	u64 clock_stood;	/* the clock of the reference time: see clock.c */
	u64 reference_scale;	/* like tsc_khz */
	u64 reference_shift;
	struct ovid_overlay tsc_page;
	u32 tsc_sequence;	/* of what the page says */
	u64 frozen_tsc;		/* guest TSC while time stands still */
	u64 frozen_clock;	/* ... clock */
	u64 frozen_at;		/* host TSC when it stopped */
	bool time_frozen;

	wait_queue_head_t reset_wait;	/* VPs that reset themselves in RUN */
	struct ovid_part_stats stats;
	struct dentry *debugfs;
};

static inline struct ovid_partition *ovid_part_get(struct ovid_partition *part)
{
	kref_get(&part->ref);
	return part;
}

/* flags: OVID_PART_*; an mshv partition starts in state CREATED.  ERR_PTR */
struct ovid_partition *ovid_part_create(const char *name, u32 flags, bool mshv);
/* an fd that owns the caller's reference, which it drops on failure too */
int ovid_part_fd(struct ovid_partition *part);
/* the one whose file @fd is, with a reference; ERR_PTR: -EBADF, -EINVAL, -EIO: it is dead */
struct ovid_partition *ovid_part_of_fd(int fd);
unsigned int ovid_part_count(void);
void ovid_part_module_fini(void);

void ovid_part_put(struct ovid_partition *part);

/**
 * ovid_vp_get_index - the VP with this index, or NULL
 *
 * Clamps the index against speculation; VPs are never removed, so the pointer
 * is good as long as the caller's reference to @part.
 */
struct ovid_vp *ovid_vp_get_index(struct ovid_partition *part, u32 index);

/* calls @fn for each VP that exists; no lock is needed */
#define ovid_for_each_vp(part, vp, i)					\
	for ((i) = 0; (i) < OVID_MAX_VPS; (i)++)			\
		if (!((vp) = smp_load_acquire(&(part)->vps[i]))) {} else

/* marks the partition dead after a broken invariant of ours, host unharmed */
#define OVID_BUG_ON(cond, part) ({					\
	bool __c = !!(cond);						\
	if (WARN_ON_ONCE(__c))						\
		WRITE_ONCE((part)->dead, true);				\
	unlikely(__c);							\
})

int ovid_part_bind(struct ovid_partition *part);
int ovid_part_pause(struct ovid_partition *part);
int ovid_part_resume(struct ovid_partition *part);
int ovid_part_reset(struct ovid_partition *part);

/* guest time begins now */
void ovid_clock_init(struct ovid_partition *part);
/* time freeze (HvPartitionPropertyTimeFreeze); both return at once */
void ovid_part_time_freeze(struct ovid_partition *part, bool freeze);
/* guest TSC now; lock-free, any context */
u64 ovid_part_guest_tsc(struct ovid_partition *part);
void ovid_part_set_guest_tsc(struct ovid_partition *part, u64 tsc);
/* reference time (TLFS: Partition Reference Counter), in 100 ns; lock-free, any context */
u64 ovid_part_reference_time(struct ovid_partition *part);
void ovid_part_set_reference_time(struct ovid_partition *part, u64 time);
/* part->lock held; 0, -EBUSY (there is a VP), -EINVAL (out of range), -EOPNOTSUPP */
int ovid_part_set_tsc_khz(struct ovid_partition *part, u64 khz);

#define OVID_TSC_RATIO_BITS	48
#define OVID_TSC_RATIO_MAX	4	/* and its inverse: the guest's TSC to the host's */

/* ticks of the guest's TSC in that many of the host's */
static inline u64 ovid_part_guest_ticks(const struct ovid_partition *part, u64 ticks)
{
	return likely(!part->tsc_ratio) ? ticks :
	       mul_u64_u64_shr(ticks, part->tsc_ratio, OVID_TSC_RATIO_BITS);
}

/* ticks of the host's TSC in which that many of the guest's have passed; below 2^62 */
static inline u64 ovid_part_host_ticks(const struct ovid_partition *part, u64 ticks)
{
	return likely(!part->tsc_ratio) ? ticks :
	       mul_u64_u64_div_u64(ticks, BIT_ULL(OVID_TSC_RATIO_BITS), part->tsc_ratio) + 1;
}

#endif
