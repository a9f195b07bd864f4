// SPDX-License-Identifier: GPL-2.0-only
/* disk_chain.c - `ovid disk merge`, `rebase` and `compact`: images change, their disks do not */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

/* an error of an image for people; *@text says more than the number if it is one of what was asked for */
static int result(const struct vdisk *disk, int ret, const char *const *text,
		  struct failure *why)
{
	if (ret == -EINVAL || ret == -ENAMETOOLONG)
		return fail(why, OVID_X_USAGE, "%s: %s", disk->path, *text);
	if (ret == -EINTR)
		return fail(why, OVID_X_STOPPED, "%s: stopped; it is as good as before, and this can be done again",
			    disk->path);
	return disk_result(disk->path, ret, why);
}

static int need_parent(const struct vdisk *disk, struct failure *why)
{
	struct ovid_vdisk_info info;

	ovid_vdisk_info(disk->image, &info);
	return info.kind == OVID_VDISK_DIFFERENCING ? 0 :
	       fail(why, OVID_X_USAGE, "%s has no parent", disk->path);
}

/* ---- merge ---- */

static int merge_here(const struct disk_ask *ask, struct failure *why)
{
	struct disk_watch watch;
	struct vdisk *disk;
	const char *text;
	int ret = vdisk_open(&disk, ask->word[0], -1, DISK_MERGE, why);

	if (ret)
		return ret;
	disk_watch_begin(&watch, ask, 1);
	ret = need_parent(disk, why);
	ret = ret ?: result(disk, ovid_vdisk_merge(disk->image, &watch.vdisk, &text), &text, why);
	disk_watch_end(&watch);
	/* the parent first: then it has all */
	ret = vdisk_close(disk, why) ?: ret;
	if (!ret && ask->delete && unlink(ask->word[0]))
		ret = fail(why, OVID_X_HOST, "cannot delete %s: %s", ask->word[0], strerror(errno));
	return ret;
}

/* what is behind the parent's end was not to be seen, whatever its own parent has there */
static int push_both(struct vdisk *disk, struct vdisk *to, struct disk_watch *watch)
{
	struct ovid_vdisk_info parent, all;
	int ret = ovid_vdisk_push(disk->parent->image, to->image, &watch->vdisk);

	ovid_vdisk_info(disk->parent->image, &parent);
	ovid_vdisk_info(to->image, &all);
	if (!ret && parent.size < all.size)
		ret = ovid_vdisk_zero(to->image, parent.size, all.size - parent.size);
	watch->phase++;
	return ret ?: ovid_vdisk_push(disk->image, to->image, &watch->vdisk);
}

static int make_merged(const struct disk_ask *ask, struct vdisk *disk,
		       const struct ovid_vdisk_params *params, struct failure *why)
{
	struct disk_watch watch;
	struct vdisk_new n;
	struct vdisk *to;
	int ret = vdisk_new_begin(&n, ask->new_file, ask->force, why);

	disk_watch_begin(&watch, ask, 2);
	ret = ret ?: vdisk_new_make(&n, params, &to, why);
	if (!ret) {
		if (params->parent)
			ovid_vdisk_set_parent(to->image, disk->parent->parent->image, &(const char *){ NULL });
		ret = disk_result(to->path, push_both(disk, to, &watch), why);
		ret = vdisk_close(to, why) ?: ret;
	}
	disk_watch_end(&watch);
	ret = ret ?: vdisk_new_keep(&n, ask->force, why);
	vdisk_new_end(&n);
	return ret;
}

/* as the parent is, with the image's size */
static int merge_to(const struct disk_ask *ask, struct vdisk *disk, struct failure *why)
{
	struct ovid_vdisk_info child, parent;
	char relative[DISK_PATH];
	struct ovid_vdisk_params params;
	int ret;

	ovid_vdisk_info(disk->image, &child);
	ovid_vdisk_info(disk->parent->image, &parent);
	params = (struct ovid_vdisk_params){
		.format = OVID_VDISK_VHDX, .kind = parent.kind, .size = child.size,
		.block_size = parent.block_size, .logical_sector = parent.logical_sector,
		.physical_sector = parent.physical_sector,
	};
	if (disk->parent->parent) {
		ret = vdisk_relative(ask->new_file, disk->parent->parent->path, relative, why);
		if (ret)
			return ret;
		params.parent = disk->parent->parent->image;
		params.relative_path = relative;
	}
	return make_merged(ask, disk, &params, why);
}

static int merge_elsewhere(const struct disk_ask *ask, struct failure *why)
{
	struct vdisk *disk;
	int ret;

	if (ask->delete)
		return fail(why, OVID_X_USAGE, "--delete or --output, not both");
	ret = disk_new_format(ask->new_file, -1, why);
	if (ret < 0)
		return ret;
	if (ret != OVID_VDISK_VHDX)
		return fail(why, OVID_X_USAGE, "merge makes a VHDX; `ovid disk convert` makes others");
	ret = vdisk_open(&disk, ask->word[0], -1, DISK_READ, why);
	if (ret)
		return ret;
	ret = need_parent(disk, why);
	ret = ret ?: merge_to(ask, disk, why);
	return vdisk_close(disk, why) ?: ret;
}

int disk_merge(const struct disk_ask *ask, struct failure *why)
{
	int ret;

	if (ask->force && !ask->new_file)
		return fail(why, OVID_X_USAGE, "--force is for --output");
	ret = ask->new_file ? merge_elsewhere(ask, why) : merge_here(ask, why);
	if (!ret)
		disk_done(ask);
	return ret;
}

/* ---- rebase ---- */

/* only what it says of its parent */
static int relink(struct vdisk *disk, const struct vdisk *parent, struct ovid_vdisk_link *link,
		  struct failure *why)
{
	struct ovid_vdisk_info info, child;
	const char *text;

	ovid_vdisk_info(disk->image, &child);
	ovid_vdisk_info(parent->image, &info);
	if (info.format != OVID_VDISK_VHDX || info.logical_sector != child.logical_sector)
		return fail(why, OVID_X_USAGE, "%s: the parent must be a VHDX with sectors of the same size",
			    disk->path);
	link->id = info.write_id;
	return result(disk, ovid_vdisk_relink(disk->image, link, &text), &text, why);
}

static int rebase(const struct disk_ask *ask, struct vdisk *disk, struct vdisk *parent,
		  struct failure *why)
{
	char relative[DISK_PATH];
	struct ovid_vdisk_link link = { .relative_path = relative };
	struct disk_watch watch;
	const char *text;
	int ret = need_parent(disk, why);

	ret = ret ?: vdisk_relative(ask->word[0], ask->parent, relative, why);
	if (ret || ask->unsafe)
		return ret ?: relink(disk, parent, &link, why);
	disk_watch_begin(&watch, ask, 1);
	ret = ovid_vdisk_rebase(disk->image, parent->image, &link, &watch.vdisk, &text);
	disk_watch_end(&watch);
	return result(disk, ret, &text, why);
}

int disk_rebase(const struct disk_ask *ask, struct failure *why)
{
	struct vdisk *disk, *parent;
	int ret;

	if (!ask->parent)
		return fail(why, OVID_X_USAGE, "on what? give --parent FILE");
	ret = vdisk_open(&disk, ask->word[0], -1, ask->unsafe ? DISK_ALONE : DISK_WRITE, why);
	if (ret)
		return ret;
	/* a parent that is based on the image itself finds that locked */
	ret = vdisk_open(&parent, ask->parent, -1, DISK_READ, why);
	if (!ret) {
		ret = rebase(ask, disk, parent, why);
		ret = vdisk_close(parent, why) ?: ret;
	}
	ret = vdisk_close(disk, why) ?: ret;
	if (!ret)
		disk_done(ask);
	return ret;
}

/* ---- compact ---- */

static u64 length_of(const struct vdisk *disk)
{
	struct stat st;

	return fstat(disk->fd, &st) ? 0 : st.st_size;
}

static void say_lengths(const struct disk_ask *ask, u64 was, u64 is)
{
	struct json_object *msg;
	char a[32], b[32];

	if (!ask->json) {
		if (!ask->quiet)
			printf("%s: %s, it was %s.\n", ask->word[0], disk_human(is, a), disk_human(was, b));
		return;
	}
	msg = json_object_new_object();
	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	json_object_object_add(msg, "file_size", json_object_new_int64(is));
	json_object_object_add(msg, "was", json_object_new_int64(was));
	disk_print(msg);
}

int disk_compact(const struct disk_ask *ask, struct failure *why)
{
	struct disk_watch watch;
	struct vdisk *disk;
	const char *text;
	u64 was, is;
	int ret = vdisk_open(&disk, ask->word[0], ask->format, DISK_ALONE, why);

	if (ret)
		return ret;
	was = length_of(disk);
	disk_watch_begin(&watch, ask, 1);
	ret = result(disk, ovid_vdisk_compact(disk->image, &watch.vdisk, &text), &text, why);
	disk_watch_end(&watch);
	is = length_of(disk);
	ret = vdisk_close(disk, why) ?: ret;
	if (!ret)
		say_lengths(ask, was, is);
	return ret;
}
