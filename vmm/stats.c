// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator reads of a partition and its VPs: statistics files and debugfs, both from
 * the lists in stats.h and, for the partition's bus, in bus.h.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "bus.h"
#include "partition.h"
#include "statfile.h"
#include "stats.h"
#include "vp.h"

OVID_VP_STATS(OVID_STAT_FITS)
OVID_PART_GAUGES(OVID_STAT_FITS)
OVID_PART_COUNTERS(OVID_STAT_FITS)
OVID_BUS_GAUGES(OVID_STAT_FITS)
OVID_BUS_COUNTERS(OVID_STAT_FITS)

static const struct ovid_stats_desc vp_descs[] = {
	OVID_VP_STATS(OVID_DESC_COUNTER)
};

static const struct ovid_stats_desc part_descs[] = {
	OVID_PART_GAUGES(OVID_DESC_GAUGE)
	OVID_PART_COUNTERS(OVID_DESC_COUNTER)
	OVID_BUS_GAUGES(OVID_DESC_GAUGE)
	OVID_BUS_COUNTERS(OVID_DESC_COUNTER)
};

#define NR_VP_STATS	ARRAY_SIZE(vp_descs)
#define NR_OWN_STATS	(sizeof(struct ovid_part_stats) / sizeof(atomic64_t))
#define NR_BUS_STATS	(sizeof(struct ovid_bus_stats) / sizeof(u64))

/* descriptor i describes the i-th word */
static_assert(sizeof(struct ovid_vp_stats) == NR_VP_STATS * sizeof(u64));
static_assert(ARRAY_SIZE(part_descs) == NR_OWN_STATS + NR_BUS_STATS);
static_assert(NR_VP_STATS <= OVID_STATS_MAX && ARRAY_SIZE(part_descs) <= OVID_STATS_MAX);

/* ---- a partition ---- */

/* a partition without a bus has done nothing on it */
static void part_read(void *about, u64 *values)
{
	struct ovid_partition *part = about;
	struct ovid_vmbus *vmbus = ovid_bus_of(part);
	struct ovid_bus_stats bus = {};
	u32 i;

	for (i = 0; i < NR_OWN_STATS; i++)
		values[i] = atomic64_read(&((const atomic64_t *)&part->stats)[i]);
	if (vmbus)
		ovid_vmbus_door.stats(vmbus, &bus);
	memcpy(&values[i], &bus, sizeof(bus));
}

static void part_name(void *about, char *buf, size_t size)
{
	struct ovid_partition *part = about;

	strscpy(buf, part->name, size);
}

static void part_get(void *about)
{
	ovid_part_get(about);
}

static void part_put(void *about)
{
	ovid_part_put(about);
}

static const struct ovid_stats_kind part_kind = {
	.descs = part_descs,
	.count = ARRAY_SIZE(part_descs),
	.read = part_read,
	.name = part_name,
	.get = part_get,
	.put = part_put,
};

/* ---- a VP ---- */

static void vp_read(void *about, u64 *values)
{
	const struct ovid_vp *vp = about;
	u32 i;

	for (i = 0; i < NR_VP_STATS; i++)
		values[i] = READ_ONCE(((const u64 *)&vp->stats)[i]);
}

static void vp_name(void *about, char *buf, size_t size)
{
	const struct ovid_vp *vp = about;

	snprintf(buf, size, "%s/vp%u", vp->part->name, vp->index);
}

static void vp_get(void *about)
{
	const struct ovid_vp *vp = about;

	ovid_part_get(vp->part);
}

static void vp_put(void *about)
{
	const struct ovid_vp *vp = about;

	ovid_part_put(vp->part);
}

static const struct ovid_stats_kind vp_kind = {
	.descs = vp_descs,
	.count = NR_VP_STATS,
	.read = vp_read,
	.name = vp_name,
	.get = vp_get,
	.put = vp_put,
};

/**
 * ovid_part_stats_fd - OVID_GET_STATS_FD on a partition
 * @part:	the partition
 *
 * Sleeps, needs no lock.  Returns a file descriptor (close-on-exec), -EMFILE
 * or -ENOMEM.
 */
int ovid_part_stats_fd(struct ovid_partition *part)
{
	return ovid_stats_fd(&part_kind, part);
}

/**
 * ovid_vp_stats_fd - OVID_GET_STATS_FD on a VP; as above, also while it runs
 * @vp:		the VP
 */
int ovid_vp_stats_fd(struct ovid_vp *vp)
{
	return ovid_stats_fd(&vp_kind, vp);
}

/* ---- debugfs ----------------------------------------------------------- */

static struct dentry *stats_root;

static int part_stats_show(struct seq_file *m, void *unused)
{
	ovid_stats_show(m, &part_kind, m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(part_stats);

static int vp_stats_show(struct seq_file *m, void *unused)
{
	ovid_stats_show(m, &vp_kind, m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vp_stats);

/* a partition's name is its owner's: no separators, no control characters */
static void stats_dir_name(char *buf, size_t size, const struct ovid_partition *part)
{
	char *c;

	snprintf(buf, size, "%u-%s", part->id, part->name);
	for (c = buf; *c; c++)
		if (!isascii(*c) || !isgraph(*c) || *c == '/')
			*c = '_';
}

void ovid_stats_debugfs_add(struct ovid_partition *part)
{
	char name[OVID_NAME_LEN + 16];

	stats_dir_name(name, sizeof(name), part);
	part->debugfs = debugfs_create_dir(name, stats_root);
	debugfs_create_file("stats", 0400, part->debugfs, part, &part_stats_fops);
}

void ovid_stats_debugfs_add_vp(struct ovid_vp *vp)
{
	char name[16];

	snprintf(name, sizeof(name), "vp%u", vp->index);
	vp->debugfs = debugfs_create_file(name, 0400, vp->part->debugfs, vp, &vp_stats_fops);
}

void ovid_stats_debugfs_del(struct ovid_partition *part)
{
	debugfs_remove(part->debugfs);
	part->debugfs = NULL;
}

int ovid_stats_init(void)
{
	stats_root = debugfs_create_dir("ovid", NULL);
	return 0;
}

void ovid_stats_fini(void)
{
	debugfs_remove(stats_root);
	stats_root = NULL;
}
