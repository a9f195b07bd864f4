/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way the kernel reads and writes guest memory.  Every call takes a
 * length and copies; there are no raw pointers into guest memory.
 */
#ifndef OVID_GUESTMEM_H
#define OVID_GUESTMEM_H

#include "types.h"

/**
 * ovid_guest_read - copy from guest memory
 * @part: whose memory
 * @gpa: first byte
 * @buf: where to
 * @len: bytes
 *
 * May cross pages and regions.  Sleeps (faults user memory in): interrupts on,
 * and for user memory in the partition's mm.  0, or -EFAULT with @buf undefined.
 */
int ovid_guest_read(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len);

/* the same with interrupts off: only what is present; -EFAULT: try the sleeping one */
int ovid_guest_read_atomic(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len);

/**
 * ovid_guest_write - copy to guest memory
 * @part: whose memory
 * @gpa: first byte
 * @buf: where from
 * @len: bytes
 *
 * Sleeps, as ovid_guest_read().  0, or -EFAULT with a part of it written: there is
 * none, or it is read-only.
 */
int ovid_guest_write(struct ovid_partition *part, gpa_t gpa, const void *buf, size_t len);

/* compare and swap of 4 or 8 aligned bytes: 0, -EAGAIN (differs) or -EFAULT */
int ovid_guest_cmpxchg(struct ovid_partition *part, gpa_t gpa, u64 old, u64 new, size_t size);

/**
 * struct ovid_pins - guest pages that are held
 * @part: whose; NULL: they may outlive it, and nobody is told what is written to them
 * @nr: how many
 * @pages: the pages, in the order asked for
 * @gfns: where they were in the guest
 * @user: bits: user memory, pinned through the worker's page tables
 */
struct ovid_pins {
	struct ovid_partition *part;
	u32 nr;
	struct page **pages;
	u64 *gfns;
	unsigned long *user;
};

/**
 * ovid_guest_pin - hold pages, to read and to write
 * @part: whose memory
 * @gfns: which
 * @nr: how many, not zero
 *
 * Sleeps; user memory: in the partition's mm.  Return: what ovid_guest_unpin() takes, or
 * ERR_PTR: -EFAULT (no memory there, read-only, or a page of the hypervisor's), -ENOMEM, -EINTR.
 */
struct ovid_pins *ovid_guest_pin(struct ovid_partition *part, const u64 *gfns, u32 nr);
/* @written: they have been written to since they were pinned; sleeps */
void ovid_guest_unpin(struct ovid_pins *pins, bool written);
/* @pins->part is not looked at any more; any context, but for a call that uses @pins */
void ovid_guest_disown(struct ovid_pins *pins);
/* pages [first, first + nr) of @pins have been written to: for whoever tracks that; sleeps */
void ovid_guest_dirty(struct ovid_pins *pins, u32 first, u32 nr);

/* the bytes at @view's RIP, as code would fetch them; how many could be read */
size_t ovid_guest_fetch(struct ovid_partition *part, struct ovid_view *view, void *buf,
			size_t len, bool atomic);

#endif
