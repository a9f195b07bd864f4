/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory map of a partition: which guest physical ranges are backed, by
 * what.  An immutable sorted array, replaced under part->regions_lock, read
 * under SRCU (readers may sleep) or with interrupts off under plain RCU: it is
 * freed after both kinds of grace period.
 */
#ifndef OVID_REGION_H
#define OVID_REGION_H

#include "types.h"
#include "../uapi/ovid.h"

struct ovid_region {
	gfn_t gfn;
	u64 nr_pages;
	u32 flags;			/* OVID_MAP_* */
	struct ovid_memobj *obj;	/* or NULL: user memory at @source */
	u64 source;			/* page index in @obj, or user address */
};

struct ovid_regions {
	struct rcu_head rcu;
	u32 count;
	struct ovid_region r[];
};

int ovid_region_map(struct ovid_partition *part, const struct ovid_map_memory *arg);
int ovid_region_unmap(struct ovid_partition *part, gpa_t gpa, u64 bytes);
/* @need: OVID_MAP_*, that a region must have, or it is as if it were not there */
int ovid_region_discard(struct ovid_partition *part, gpa_t gpa, u64 bytes, u32 need);
void ovid_region_fini(struct ovid_partition *part);
/* exact match for mshv's unmap: -ENOENT, -EINVAL as in vid-abi.md 1.2 */
int ovid_region_unmap_exact(struct ovid_partition *part, gpa_t gpa, u64 bytes, u64 uaddr);

void ovid_region_obj_invalidate(struct ovid_partition *part, struct ovid_memobj *obj,
				u64 first, u64 end, bool begin);

/* the region of a gfn in @map, or NULL */
const struct ovid_region *ovid_region_find(const struct ovid_regions *map, gfn_t gfn);

/* is there a region or an overlay at all?  Interrupts off */
bool ovid_region_backed(struct ovid_partition *part, gfn_t gfn);

/*
 * ovid_region_fault - back @gpa and map it; VP's thread, interrupts on.
 * Returns 0 (resume), -ENOENT (no region: the worker's), -EACCES (store to
 * a read-only region), -EPERM (an overlay that is not for that: #GP), -EAGAIN
 * (retry), or an error of the host.
 */
int ovid_region_fault(struct ovid_vp *vp, gpa_t gpa, bool write, bool exec);

#endif
