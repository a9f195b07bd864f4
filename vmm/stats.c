// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator reads: the statistics fd (header, descriptors, live values;
 * layout in uapi/ovid.h) and debugfs, both from the lists in stats.h.  Nothing
 * here is locked: a counter is read as it is at that moment.
 */
#include <linux/anon_inodes.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "partition.h"
#include "stats.h"
#include "vp.h"

#define STAT_DESC(stat, f)	{ .name = #stat, .flags = (f) },
#define STAT_COUNTER(stat)	STAT_DESC(stat, 0)
#define STAT_GAUGE(stat)	STAT_DESC(stat, OVID_STAT_GAUGE)
#define STAT_NAME_FITS(stat)	\
	static_assert(sizeof(#stat) <= sizeof_field(struct ovid_stats_desc, name));

OVID_VP_STATS(STAT_NAME_FITS)
OVID_PART_GAUGES(STAT_NAME_FITS)
OVID_PART_COUNTERS(STAT_NAME_FITS)

static const struct ovid_stats_desc vp_descs[] = {
	OVID_VP_STATS(STAT_COUNTER)
};

static const struct ovid_stats_desc part_descs[] = {
	OVID_PART_GAUGES(STAT_GAUGE)
	OVID_PART_COUNTERS(STAT_COUNTER)
};

#define NR_VP_STATS	ARRAY_SIZE(vp_descs)
#define NR_PART_STATS	ARRAY_SIZE(part_descs)
#define NR_STATS_MAX	(NR_VP_STATS > NR_PART_STATS ? NR_VP_STATS : NR_PART_STATS)

/* descriptor i describes the i-th word */
static_assert(sizeof(struct ovid_vp_stats) == NR_VP_STATS * sizeof(u64));
static_assert(sizeof(struct ovid_part_stats) == NR_PART_STATS * sizeof(atomic64_t));

/* what a statistics file or a debugfs file is about; @vp NULL: the partition */
struct stats_source {
	struct ovid_partition *part;
	struct ovid_vp *vp;
};

static const struct ovid_stats_desc *stats_descs(const struct ovid_vp *vp, u32 *count)
{
	*count = vp ? NR_VP_STATS : NR_PART_STATS;
	return vp ? vp_descs : part_descs;
}

static u64 stats_value(const struct ovid_partition *part, const struct ovid_vp *vp, u32 i)
{
	if (vp)
		return READ_ONCE(((const u64 *)&vp->stats)[i]);
	return atomic64_read(&((const atomic64_t *)&part->stats)[i]);
}

/* ---- the statistics fd ------------------------------------------------- */

static void stats_header_fill(struct ovid_stats_header *head, const struct stats_source *src,
			      u32 count)
{
	memset(head, 0, sizeof(*head));
	head->version = 1;
	head->count = count;
	head->desc_offset = sizeof(*head);
	head->value_offset = head->desc_offset + count * sizeof(struct ovid_stats_desc);
	if (src->vp)
		snprintf(head->name, sizeof(head->name), "%s/vp%u", src->part->name,
			 src->vp->index);
	else
		strscpy(head->name, src->part->name, sizeof(head->name));
}

/* copies what the read wants of one piece of the file that begins at @start */
static int stats_copy_piece(char __user *buf, size_t len, loff_t pos, size_t *done,
			    const void *piece, size_t size, loff_t start)
{
	loff_t at = pos + *done;
	size_t n;

	if (*done == len || at >= start + size)
		return 0;
	n = min_t(size_t, len - *done, start + size - at);
	if (copy_to_user(buf + *done, piece + (at - start), n))
		return -EFAULT;
	*done += n;
	return 0;
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	const struct stats_source *src = file->private_data;
	const struct ovid_stats_desc *descs;
	struct ovid_stats_header head;
	u64 values[NR_STATS_MAX];
	loff_t pos = *ppos;
	size_t done = 0;
	u32 count, i;

	if (pos < 0)
		return -EINVAL;
	descs = stats_descs(src->vp, &count);
	stats_header_fill(&head, src, count);
	for (i = 0; i < count; i++)
		values[i] = stats_value(src->part, src->vp, i);

	if (stats_copy_piece(buf, len, pos, &done, &head, sizeof(head), 0) ||
	    stats_copy_piece(buf, len, pos, &done, descs, count * sizeof(*descs),
			     head.desc_offset) ||
	    stats_copy_piece(buf, len, pos, &done, values, count * sizeof(u64),
			     head.value_offset))
		return -EFAULT;
	*ppos = pos + done;
	return done;
}

static loff_t stats_llseek(struct file *file, loff_t offset, int whence)
{
	const struct stats_source *src = file->private_data;
	u32 count;

	stats_descs(src->vp, &count);
	return fixed_size_llseek(file, offset, whence, sizeof(struct ovid_stats_header) +
				 count * (sizeof(struct ovid_stats_desc) + sizeof(u64)));
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_source *src = file->private_data;

	ovid_part_put(src->part);
	kfree(src);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner		= THIS_MODULE,
	.read		= stats_read,
	.llseek		= stats_llseek,
	.release	= stats_release,
};

static struct file *stats_file(struct ovid_partition *part, struct ovid_vp *vp)
{
	struct stats_source *src = kzalloc(sizeof(*src), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!src)
		return ERR_PTR(-ENOMEM);
	src->part = part;
	src->vp = vp;
	file = anon_inode_getfile("[ovid-stats]", &stats_fops, src, O_RDONLY);
	if (IS_ERR(file)) {
		kfree(src);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
	ovid_part_get(part);
	return file;
}

static int stats_fd(struct ovid_partition *part, struct ovid_vp *vp)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = stats_file(part, vp);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/**
 * ovid_part_stats_fd - OVID_GET_STATS_FD on a partition
 * @part:	the partition
 *
 * Sleeps, needs no lock.  Returns a file descriptor (close-on-exec), -EMFILE
 * or -ENOMEM.
 */
int ovid_part_stats_fd(struct ovid_partition *part)
{
	return stats_fd(part, NULL);
}

/**
 * ovid_vp_stats_fd - OVID_GET_STATS_FD on a VP; as above, also while it runs
 * @vp:		the VP
 */
int ovid_vp_stats_fd(struct ovid_vp *vp)
{
	return stats_fd(vp->part, vp);
}

/* ---- debugfs ----------------------------------------------------------- */

static struct dentry *stats_root;

static void stats_show(struct seq_file *m, const struct ovid_partition *part,
		       const struct ovid_vp *vp)
{
	const struct ovid_stats_desc *descs;
	u32 count, i;

	descs = stats_descs(vp, &count);
	for (i = 0; i < count; i++)
		seq_printf(m, "%-24s %llu\n", descs[i].name, stats_value(part, vp, i));
}

static int part_stats_show(struct seq_file *m, void *unused)
{
	stats_show(m, m->private, NULL);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(part_stats);

static int vp_stats_show(struct seq_file *m, void *unused)
{
	struct ovid_vp *vp = m->private;

	stats_show(m, vp->part, vp);
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
