/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The statistics file of anything that has counters (layout in uapi/ovid.h), and the same as
 * text for debugfs.  Whose counters they are, and what they are called, is said by
 * a struct ovid_stats_kind.  Nothing here is locked: a counter is read as it is at that moment.
 */
#ifndef OVID_STATFILE_H
#define OVID_STATFILE_H

#include "types.h"
#include "../uapi/ovid.h"

struct seq_file;

#define OVID_STATS_MAX	48	/* counters of one file */

/* entries of a list of descriptors, from a list of names */
#define OVID_DESC(stat, f)	{ .name = #stat, .flags = (f) },
#define OVID_DESC_COUNTER(stat)	OVID_DESC(stat, 0)
#define OVID_DESC_GAUGE(stat)	OVID_DESC(stat, OVID_STAT_GAUGE)
#define OVID_STAT_FITS(stat)	\
	static_assert(sizeof(#stat) <= sizeof_field(struct ovid_stats_desc, name));

/**
 * struct ovid_stats_kind - what has counters
 * @descs: a descriptor for each
 * @count: how many, at most OVID_STATS_MAX
 * @read: all values, in the order of @descs
 * @name: what the file's header calls it
 * @get: a file refers to it; it keeps the module
 * @put: it does no more; sleeps
 */
struct ovid_stats_kind {
	const struct ovid_stats_desc *descs;
	u32 count;
	void (*read)(void *about, u64 *values);
	void (*name)(void *about, char *buf, size_t size);
	void (*get)(void *about);
	void (*put)(void *about);
};

/**
 * ovid_stats_fd - a file that tells the counters of @about
 * @kind: its kind
 * @about: what @kind's functions get
 *
 * Sleeps.
 *
 * Return: a file descriptor (close-on-exec), -EMFILE or -ENOMEM.
 */
int ovid_stats_fd(const struct ovid_stats_kind *kind, void *about);

/* a line for each counter */
void ovid_stats_show(struct seq_file *m, const struct ovid_stats_kind *kind, void *about);

#endif
