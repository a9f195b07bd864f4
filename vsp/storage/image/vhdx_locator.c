// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_locator.c - what a differencing image says of its parent: keys and values, in UTF-16.  The
 * files are opened by whoever uses the images; here it is checked that one is the right one.
 */
#include "../../utf16.h"
#include "vhdx.h"

#define ID_TEXT		39	/* {00000000-0000-0000-0000-000000000000} and its end */
#define MAX_KEY		64

static void id_to_text(const u8 *id, char *text)
{
	/* the first three fields are little endian */
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	static const char hex[] = "0123456789abcdef";
	unsigned int i;

	*text++ = '{';
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = hex[id[order[i]] >> 4];
		*text++ = hex[id[order[i]] & 15];
	}
	*text++ = '}';
	*text = 0;
}

/* ---- reading ---- */

static int to_text(const u8 *bytes, u32 units, char *text, size_t room)
{
	u32 i;

	for (i = 0; i < units; i++)
		if (!get_unaligned_le16(bytes + 2 * i))
			return -EUCLEAN;
	return room && ovid_utf16_to(text, room, bytes, units) ? 0 : -ENAMETOOLONG;
}

/* text of the locator: a key, or a value, which is what @n is 1 for */
static int read_text(struct ovid_vdisk *image, const u8 *entry, u32 n, char *text, size_t room)
{
	u32 off = get_unaligned_le32(entry + 4 * n), len = get_unaligned_le16(entry + 8 + 2 * n);
	struct ovid_vhdx *v = vhdx_of(image);
	u8 *bytes;
	int ret;

	if (!ovid_fits(off, len, v->locator_len))
		return -EUCLEAN;
	bytes = kvzalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!bytes)
		return -ENOMEM;
	ret = ovid_pages_read(image, v->locator_off + off, bytes, len);
	ret = ret ?: to_text(bytes, len / 2, text, room);
	kvfree(bytes);
	return ret;
}

static int find_key(struct ovid_vdisk *image, u32 count, const char *key, u8 *entry)
{
	struct ovid_vhdx *v = vhdx_of(image);
	char name[MAX_KEY];
	u32 i;

	for (i = 0; i < count; i++) {
		int ret = ovid_pages_read(image, v->locator_off + VHDX_LOCATOR(i), entry, 12);

		if (ret)
			return ret;
		ret = read_text(image, entry, 0, name, sizeof(name));
		/* a longer one is not ours */
		if (!ret && !strcmp(name, key))
			return 0;
		if (ret && ret != -ENAMETOOLONG)
			return ret;
	}
	return -ENOENT;
}

int ovid_vdisk_locator(struct ovid_vdisk *image, const char *key, char *text, size_t len)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u8 head[20], entry[12];
	u32 count;
	int ret;

	if (image->info.format != OVID_VDISK_VHDX || !v->locator_len)
		return -ENOENT;
	if (v->locator_len < sizeof(head))
		return -EUCLEAN;
	ret = ovid_pages_read(image, v->locator_off, head, sizeof(head));
	if (ret)
		return ret;
	count = get_unaligned_le16(head + VHDX_LOCATOR_COUNT);
	if (memcmp(head, ovid_vhdx_id_locator_type, 16) || count > VHDX_LOCATOR_MAX ||
	    VHDX_LOCATOR(count) > v->locator_len)
		return -EUCLEAN;
	ret = find_key(image, count, key, entry);
	return ret ?: read_text(image, entry, 1, text, len);
}

/* ---- the parent ---- */

static bool same_id(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a | 0x20) != (*b | 0x20))
			return false;
	return !*a && !*b;
}

static bool linked(struct ovid_vdisk *image, const char *key, const struct ovid_vdisk *parent)
{
	char want[ID_TEXT + 8], is[ID_TEXT];

	id_to_text(parent->info.write_id, is);
	return !ovid_vdisk_locator(image, key, want, sizeof(want)) && same_id(want, is);
}

int ovid_vdisk_set_parent(struct ovid_vdisk *image, struct ovid_vdisk *parent, const char **why)
{
	const struct ovid_vdisk *p;
	unsigned int depth = 1;

	if (image->info.kind != OVID_VDISK_DIFFERENCING || image->parent)
		return OVID_FAIL(why, EINVAL, "it needs no parent");
	if (parent->info.format != OVID_VDISK_VHDX)
		return OVID_FAIL(why, EINVAL, "the parent is no VHDX");
	for (p = parent; p; p = p->parent, depth++)
		if (p == image || depth >= OVID_VDISK_MAX_DEPTH)
			return OVID_FAIL(why, ELOOP, "the chain of parents is too long");
	if (parent->info.logical_sector != image->info.logical_sector)
		return OVID_FAIL(why, EUCLEAN, "the parent has sectors of another size");
	if (!linked(image, "parent_linkage", parent) && !linked(image, "parent_linkage2", parent))
		return OVID_FAIL(why, ESTALE,
				 "the parent is another one, or was written to since the image was made");
	image->parent = parent;
	return 0;
}

/* ---- writing ---- */

struct locator {
	u8 *bytes;
	u32 room;
	u32 used;
	u32 nr;
	bool failed;
};

static u32 add_text(struct locator *l, const char *text)
{
	int units = ovid_utf16_from(l->bytes + l->used, (l->room - l->used) / 2, text,
				    strlen(text) + 1);
	u32 len = units > 1 ? 2 * (units - 1) : 0;	/* the end is not written */

	l->failed |= !len || len > 0xffff;
	l->used += len;
	return len;
}

static void add(struct locator *l, const char *key, const char *value)
{
	u8 *entry = l->bytes + VHDX_LOCATOR(l->nr++);

	put_unaligned_le32(l->used, entry);
	put_unaligned_le16(add_text(l, key), entry + 8);
	put_unaligned_le32(l->used, entry + 4);
	put_unaligned_le16(add_text(l, value), entry + 10);
}

/* as its other users write it */
static void backslashes(char *path)
{
	for (; *path; path++)
		if (*path == '/')
			*path = '\\';
}

static void add_relative(struct locator *l, const char *path)
{
	size_t len = strlen(path);
	char *copy = kvzalloc(len + 3, GFP_KERNEL_ACCOUNT);

	if (!copy) {
		l->failed = true;
		return;
	}
	memcpy(copy, "./", 2);
	memcpy(copy + (path[0] == '.' ? 0 : 2), path, len + 1);
	backslashes(copy);
	add(l, "relative_path", copy);
	kvfree(copy);
}

u32 ovid_vhdx_make_locator(const struct ovid_vdisk_params *params, u8 *to, u32 room)
{
	u32 nr = params->absolute_path ? 3 : 2;
	struct locator l = { .bytes = to, .room = room, .used = VHDX_LOCATOR(nr) };
	char id[ID_TEXT];

	memcpy(to, ovid_vhdx_id_locator_type, 16);
	put_unaligned_le16(nr, to + VHDX_LOCATOR_COUNT);
	id_to_text(params->parent->info.write_id, id);
	add(&l, "parent_linkage", id);
	add_relative(&l, params->relative_path);
	if (params->absolute_path)
		add(&l, "absolute_win32_path", params->absolute_path);
	return l.failed ? 0 : l.used;
}
