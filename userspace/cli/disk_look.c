// SPDX-License-Identifier: GPL-2.0-only
/* disk_look.c - `ovid disk info`, `check`, `map` and `resize`: images that are there */
#include <stdio.h>
#include <sys/stat.h>

#include "disk.h"

static void add_number(struct json_object *msg, const char *key, u64 number)
{
	json_object_object_add(msg, key, json_object_new_int64(number));
}

static void add_text(struct json_object *msg, const char *key, const char *text)
{
	json_object_object_add(msg, key, json_object_new_string(text));
}

/* ---- info ---- */

static u64 space_of(const struct vdisk *disk)
{
	struct stat st;

	return fstat(disk->fd, &st) ? 0 : st.st_blocks * 512ull;
}

static void id_text(const u8 *id, char text[33])
{
	for (unsigned int i = 0; i < 16; i++)
		sprintf(text + 2 * i, "%02x", id[i]);
}

static struct json_object *info_json(struct vdisk *disk, const struct ovid_vdisk_info *info)
{
	struct json_object *msg = json_object_new_object();
	char path[DISK_PATH], id[33];

	add_text(msg, "file", disk->path);
	add_text(msg, "format", vdisk_format_name(info->format));
	add_text(msg, "kind", vdisk_kind_name(info->kind));
	add_number(msg, "size", info->size);
	add_number(msg, "file_size", info->file_size);
	add_number(msg, "space", space_of(disk));
	add_number(msg, "block_size", info->block_size);
	add_number(msg, "logical_sector", info->logical_sector);
	add_number(msg, "physical_sector", info->physical_sector);
	if (info->format != OVID_VDISK_RAW) {
		id_text(info->disk_id, id);
		add_text(msg, "disk_id", id);
	}
	if (info->kind == OVID_VDISK_DIFFERENCING) {
		json_object_object_add(msg, "parent_found",
				       json_object_new_boolean(vdisk_find_parent(disk, path)));
		add_text(msg, "parent", path);
	}
	return msg;
}

static void print_info(struct vdisk *disk, const struct ovid_vdisk_info *info)
{
	char path[DISK_PATH], a[32], b[32];

	printf("file:     %s\n", disk->path);
	printf("format:   %s, %s\n", vdisk_format_name(info->format), vdisk_kind_name(info->kind));
	printf("size:     %s (%llu bytes)\n", disk_human(info->size, a), (unsigned long long)info->size);
	printf("length:   %s, which takes %s\n", disk_human(info->file_size, a),
	       disk_human(space_of(disk), b));
	if (info->block_size)
		printf("blocks:   %s\n", disk_human(info->block_size, a));
	printf("sectors:  %u bytes, %u physical\n", info->logical_sector, info->physical_sector);
	if (info->kind == OVID_VDISK_DIFFERENCING) {
		bool found = vdisk_find_parent(disk, path);

		printf("parent:   %s%s\n", path, found ? "" : " (not there)");
	}
}

int disk_info(const struct disk_ask *ask, struct failure *why)
{
	struct ovid_vdisk_info info;
	struct vdisk *disk;
	int ret = vdisk_open(&disk, ask->word[0], ask->format, DISK_LOOK, why);

	if (ret)
		return ret;
	ovid_vdisk_info(disk->image, &info);
	if (ask->json)
		disk_print(info_json(disk, &info));
	else
		print_info(disk, &info);
	return vdisk_close(disk, why);
}

/* ---- check ---- */

static const struct {
	u32 bit;
	const char *key, *text;
} notes[] = {
	{ OVID_CHECK_HEADER,	"header",	"one of its two headers is damaged" },
	{ OVID_CHECK_REGIONS,	"regions",	"one of its two region tables is damaged" },
	{ OVID_CHECK_FOOTER,	"footer",	"its footer is missing, or differs from its copy" },
};

static void print_check(const struct ovid_vdisk_check *c, bool replayed)
{
	char a[32];

	if (replayed)
		printf("It was not closed; its metadata was put right.\n");
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (c->notes & notes[i].bit)
			printf("Note: %s; the other one is used.\n", notes[i].text);
	if (c->damaged)
		printf("Damaged: %llu entries of the block table, the first one of block %llu.\n",
		       (unsigned long long)c->damaged, (unsigned long long)c->first);
	if (c->leaked)
		printf("Nobody uses %s of the file.\n", disk_human(c->leaked, a));
	if (c->blocks)
		printf("%llu of %llu blocks have space.\n", (unsigned long long)c->allocated,
		       (unsigned long long)c->blocks);
	if (!c->damaged)
		printf("No errors.\n");
}

static struct json_object *check_json(const struct ovid_vdisk_check *c, bool replayed)
{
	struct json_object *msg = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(msg, "ok", json_object_new_boolean(!c->damaged));
	json_object_object_add(msg, "replayed", json_object_new_boolean(replayed));
	add_number(msg, "blocks", c->blocks);
	add_number(msg, "allocated", c->allocated);
	add_number(msg, "damaged", c->damaged);
	add_number(msg, "leaked", c->leaked);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (c->notes & notes[i].bit)
			json_object_array_add(list, json_object_new_string(notes[i].key));
	json_object_object_add(msg, "notes", list);
	return msg;
}

/* of a file that only has to be read, nothing is written before someone says so */
static int open_for_check(struct vdisk **disk, const struct disk_ask *ask, struct failure *why)
{
	int ret = vdisk_open(disk, ask->word[0], ask->format, ask->repair ? DISK_WRITE : DISK_LOOK, why);

	/* its parent may be gone: it is not looked at */
	if (ret && !ask->repair && strstr(why->text, "log has to be replayed"))
		return fail(why, OVID_X_HOST, "%s was not closed; --repair replays its log", ask->word[0]);
	return ret;
}

int disk_check(const struct disk_ask *ask, struct failure *why)
{
	struct ovid_vdisk_check check;
	struct ovid_vdisk_info info;
	struct vdisk *disk;
	int ret = open_for_check(&disk, ask, why);

	if (ret)
		return ret;
	ovid_vdisk_info(disk->image, &info);
	ret = disk_result(disk->path, ovid_vdisk_check(disk->image, &check), why);
	if (!ret && ask->json)
		disk_print(check_json(&check, info.replayed && ask->repair));
	else if (!ret)
		print_check(&check, info.replayed && ask->repair);
	if (!ret && check.damaged)
		ret = fail(why, OVID_X_HOST, "%s is damaged", disk->path);
	return vdisk_close(disk, why) ?: ret;
}

/* ---- map ---- */

static unsigned int depth_of(const struct vdisk *disk, const struct ovid_vdisk *image)
{
	unsigned int depth = 0;

	for (; disk && disk->image != image; disk = disk->parent)
		depth++;
	return depth;
}

static const char *file_of(const struct ovid_vdisk_extent *ext)
{
	const struct vdisk *disk = ovid_vdisk_ctx(ext->image);

	return disk->path;
}

static void print_extent(const struct vdisk *disk, u64 off, const struct ovid_vdisk_extent *ext,
			 struct json_object *list)
{
	bool data = ext->kind == OVID_EXTENT_DATA;
	struct json_object *msg;

	if (!list) {
		if (data)
			printf("%#-18llx %#-18llx %#-18llx %s\n", (unsigned long long)off,
			       (unsigned long long)ext->len, (unsigned long long)ext->file_off, file_of(ext));
		return;
	}
	msg = json_object_new_object();
	add_number(msg, "start", off);
	add_number(msg, "length", ext->len);
	json_object_object_add(msg, "data", json_object_new_boolean(data));
	if (data) {
		add_number(msg, "offset", ext->file_off);
		add_number(msg, "depth", depth_of(disk, ext->image));
		add_text(msg, "file", file_of(ext));
	}
	json_object_array_add(list, msg);
}

int disk_map(const struct disk_ask *ask, struct failure *why)
{
	struct json_object *list = NULL;
	struct ovid_vdisk_extent ext;
	struct ovid_vdisk_info info;
	struct vdisk *disk;
	int ret = vdisk_open(&disk, ask->word[0], ask->format, DISK_READ, why);
	u64 off = 0;

	if (ret)
		return ret;
	ovid_vdisk_info(disk->image, &info);
	if (ask->json)
		list = json_object_new_array();
	else
		printf("%-18s %-18s %-18s %s\n", "offset", "length", "in the file", "file");
	for (; off < info.size && !ret; off += ext.len) {
		ret = disk_result(disk->path, ovid_vdisk_map(disk->image, off, info.size - off, &ext), why);
		if (!ret)
			print_extent(disk, off, &ext, list);
	}
	if (list && !ret)
		disk_print(list);
	else
		json_object_put(list);
	return vdisk_close(disk, why) ?: ret;
}

/* ---- resize ---- */

static int new_size(const struct disk_ask *ask, u64 was, u64 *size, struct failure *why)
{
	const char *text = ask->word[1];
	bool more = *text == '+', less = *text == '-';
	u64 by;
	int ret = disk_size(text + (more || less), &by, why);

	if (ret)
		return ret;
	if (less && by >= was)
		return fail(why, OVID_X_USAGE, "the disk is not so large");
	*size = more ? was + by : less ? was - by : by;
	if (*size < was && !ask->shrink)
		return fail(why, OVID_X_USAGE,
			    "that cuts off what is at the end of the disk; --shrink says that you mean it");
	return 0;
}

int disk_resize(const struct disk_ask *ask, struct failure *why)
{
	struct ovid_vdisk_info info;
	struct vdisk *disk;
	u64 size;
	int ret = vdisk_open(&disk, ask->word[0], ask->format, DISK_WRITE, why);

	if (ret)
		return ret;
	ovid_vdisk_info(disk->image, &info);
	ret = new_size(ask, info.size, &size, why);
	if (!ret) {
		ret = ovid_vdisk_resize(disk->image, size);
		ret = ret == -EINVAL ? fail(why, OVID_X_USAGE, "%s: it cannot have that size", disk->path) :
		      disk_result(disk->path, ret, why);
	}
	ret = vdisk_close(disk, why) ?: ret;
	if (!ret)
		disk_done(ask);
	return ret;
}
