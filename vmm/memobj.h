/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory objects: zeroed memory that the kernel owns, behind a file.
 *
 * Lifetime: the file holds the object; a region holds the file.  Pages are
 * found without a lock; they go away only by discard or at the end, after an
 * RCU grace period, and after every partition that maps the object was zapped.
 */
#ifndef OVID_MEMOBJ_H
#define OVID_MEMOBJ_H

#include "types.h"
#include "../uapi/ovid.h"

int ovid_memobj_create(const struct ovid_create_memory *arg);	/* an fd */

/* the object behind an fd with a reference, or ERR_PTR(-EBADF) */
struct ovid_memobj *ovid_memobj_get_fd(int fd);
struct ovid_memobj *ovid_memobj_get(struct ovid_memobj *obj);
void ovid_memobj_put(struct ovid_memobj *obj);
u64 ovid_memobj_pages(const struct ovid_memobj *obj);

/*
 * ovid_memobj_page - the page at @index, allocated if it is not there
 * @level: out: 2 when its whole 2 MiB piece is one folio, else 1
 *
 * Sleeps.  The page is stable only until the next discard: the caller maps it
 * under tdp's invalidation rules, or uses it inside rcu_read_lock() through
 * ovid_memobj_peek().
 */
struct page *ovid_memobj_page(struct ovid_memobj *obj, u64 index, unsigned int *level);

/* what is there now, or NULL; inside rcu_read_lock() or with interrupts off */
struct page *ovid_memobj_peek(struct ovid_memobj *obj, u64 index);

/* drops pages; @part's of users are zapped first.  Sleeps */
int ovid_memobj_discard(struct ovid_memobj *obj, u64 first, u64 nr);

/* a partition begins or ends to map the object (counted per region) */
int ovid_memobj_user_add(struct ovid_memobj *obj, struct ovid_partition *part);
void ovid_memobj_user_del(struct ovid_memobj *obj, struct ovid_partition *part);

#endif
