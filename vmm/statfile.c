// SPDX-License-Identifier: GPL-2.0-only
/*
 * The statistics file: header, descriptors, live values, one behind the other.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "statfile.h"

/* what an open file is about */
struct source {
	const struct ovid_stats_kind *kind;
	void *about;
};

static void fill_header(struct ovid_stats_header *head, const struct source *src)
{
	memset(head, 0, sizeof(*head));
	head->version = 1;
	head->count = src->kind->count;
	head->desc_offset = sizeof(*head);
	head->value_offset = head->desc_offset + head->count * sizeof(struct ovid_stats_desc);
	src->kind->name(src->about, (char *)head->name, sizeof(head->name));
}

/* copies what the read wants of one piece of the file that begins at @start */
static int copy_piece(char __user *buf, size_t len, loff_t pos, size_t *done, const void *piece,
		      size_t size, loff_t start)
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
	const struct source *src = file->private_data;
	const struct ovid_stats_kind *kind = src->kind;
	struct ovid_stats_header head;
	u64 values[OVID_STATS_MAX];
	loff_t pos = *ppos;
	size_t done = 0;

	if (pos < 0)
		return -EINVAL;
	fill_header(&head, src);
	kind->read(src->about, values);

	if (copy_piece(buf, len, pos, &done, &head, sizeof(head), 0) ||
	    copy_piece(buf, len, pos, &done, kind->descs, kind->count * sizeof(*kind->descs),
		       head.desc_offset) ||
	    copy_piece(buf, len, pos, &done, values, kind->count * sizeof(u64), head.value_offset))
		return -EFAULT;
	*ppos = pos + done;
	return done;
}

static loff_t stats_llseek(struct file *file, loff_t offset, int whence)
{
	const struct source *src = file->private_data;

	return fixed_size_llseek(file, offset, whence, sizeof(struct ovid_stats_header) +
				 src->kind->count * (sizeof(struct ovid_stats_desc) + sizeof(u64)));
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct source *src = file->private_data;

	src->kind->put(src->about);
	kfree(src);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner		= THIS_MODULE,
	.read		= stats_read,
	.llseek		= stats_llseek,
	.release	= stats_release,
};

static struct file *stats_file(const struct ovid_stats_kind *kind, void *about)
{
	struct source *src = kzalloc(sizeof(*src), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!src)
		return ERR_PTR(-ENOMEM);
	src->kind = kind;
	src->about = about;
	file = anon_inode_getfile("[ovid-stats]", &stats_fops, src, O_RDONLY);
	if (IS_ERR(file)) {
		kfree(src);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
	kind->get(about);
	return file;
}

int ovid_stats_fd(const struct ovid_stats_kind *kind, void *about)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = stats_file(kind, about);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

void ovid_stats_show(struct seq_file *m, const struct ovid_stats_kind *kind, void *about)
{
	u64 values[OVID_STATS_MAX];
	u32 i;

	kind->read(about, values);
	for (i = 0; i < kind->count; i++)
		seq_printf(m, "%-24s %llu\n", kind->descs[i].name, values[i]);
}
