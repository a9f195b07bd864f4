// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_locator.c - what a differencing image says of its parent: keys and values, in UTF-16.  The
 * files are opened by whoever uses the images; here it is checked that one is the right one.
 */
#include "../../utf16.h"
#include "vhdx.h"

#define ID_TEXT		39	/* {00000000-0000-0000-0000-000000000000} and its end */
#define MAX_KEY		64
#define PATH_ROOM	(16u * 1024)	/* three of them are less than VHDX_META_TABLE_LEN */

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

static void add_id(struct locator *l, const char *key, const u8 *id)
{
	char text[ID_TEXT];

	id_to_text(id, text);
	add(l, key, text);
}

u32 ovid_vhdx_make_locator(const struct ovid_vdisk_link *link, u8 *to, u32 room)
{
	u32 nr = 1 + !!link->id2 + !!link->relative_path + !!link->absolute_path +
		 !!link->volume_path;
	struct locator l = { .bytes = to, .room = room, .used = VHDX_LOCATOR(nr) };

	memcpy(to, ovid_vhdx_id_locator_type, 16);
	put_unaligned_le16(nr, to + VHDX_LOCATOR_COUNT);
	add_id(&l, "parent_linkage", link->id);
	if (link->id2)
		add_id(&l, "parent_linkage2", link->id2);
	if (link->relative_path)
		add_relative(&l, link->relative_path);
	if (link->absolute_path)
		add(&l, "absolute_win32_path", link->absolute_path);
	if (link->volume_path)
		add(&l, "volume_path", link->volume_path);
	return l.failed ? 0 : l.used;
}

/* ---- changing ---- */

static u64 item_at(const u8 *table, u32 n)
{
	return get_unaligned_le32(table + VHDX_META(n) + VHDX_META_OFF);
}

static u64 item_end(const u8 *table, u32 n)
{
	return item_at(table, n) + get_unaligned_le32(table + VHDX_META(n) + VHDX_META_LEN);
}

/* how long an item may be at @off, until the next one or @end */
static u64 room_at(const u8 *table, u32 mine, u64 off, u64 end)
{
	u32 count = get_unaligned_le16(table + VHDX_META_COUNT), i;

	for (i = 0; i < count; i++)
		if (i != mine && item_end(table, i) > off)
			end = min(end, max(item_at(table, i), off));
	return end - off;
}

/* behind all items but @mine */
static u64 behind_all(const u8 *table, u32 mine)
{
	u32 count = get_unaligned_le16(table + VHDX_META_COUNT), i;
	u64 end = VHDX_META_TABLE_LEN;

	for (i = 0; i < count; i++)
		if (i != mine)
			end = max(end, item_end(table, i));
	return ovid_round_up(end, 8);
}

/* which item of the table is the locator: there is one, the image was opened */
static u32 find_locator(const struct ovid_vhdx *v, const u8 *table)
{
	u32 i = 0;

	while (item_at(table, i) != v->locator_off - v->meta_off ||
	       memcmp(table + VHDX_META(i), ovid_vhdx_id_locator, 16))
		i++;
	return i;
}

/* the item and where it is, by one commit */
static int put_locator(struct ovid_vdisk *image, const u8 *locator, u32 len, u8 *table)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u64 off = v->locator_off - v->meta_off;
	u8 *entry;
	u32 i;
	int ret = ovid_pages_read(image, v->meta_off, table, VHDX_META_TABLE_LEN);

	if (ret)
		return ret;
	i = find_locator(v, table);
	if (room_at(table, i, off, v->meta_len) < len)
		off = behind_all(table, i);
	if (off > v->meta_len || v->meta_len - off < len)
		return -ENAMETOOLONG;
	entry = table + VHDX_META(i);
	put_unaligned_le32(off, entry + VHDX_META_OFF);
	put_unaligned_le32(len, entry + VHDX_META_LEN);
	ret = ovid_pages_change(image, v->meta_off + VHDX_META(i), entry, 32);
	ret = ret ?: ovid_pages_change(image, v->meta_off + off, locator, len);
	if (ret)
		return ret;
	v->locator_off = v->meta_off + off;
	v->locator_len = len;
	return ovid_vdisk_flush(image);
}

/* the path that the image has by now, in @text, or NULL */
static int keep_path(struct ovid_vdisk *image, const char *key, char *text, const char **path)
{
	int ret = ovid_vdisk_locator(image, key, text, PATH_ROOM);

	*path = ret ? NULL : text;
	return ret == -ENOENT ? 0 : ret;
}

static int keep_paths(struct ovid_vdisk *image, struct ovid_vdisk_link *link, char *text)
{
	int ret;

	if (link->relative_path || link->absolute_path || link->volume_path)
		return 0;
	ret = keep_path(image, "relative_path", text, &link->relative_path);
	ret = ret ?: keep_path(image, "absolute_win32_path", text + PATH_ROOM,
			       &link->absolute_path);
	return ret ?: keep_path(image, "volume_path", text + 2 * PATH_ROOM, &link->volume_path);
}

static int relink(struct ovid_vdisk *image, const struct ovid_vdisk_link *to, u8 *buf, u8 *table)
{
	struct ovid_vdisk_link link = *to;
	u32 len;
	int ret = keep_paths(image, &link, (char *)table);

	if (ret)
		return ret;
	len = ovid_vhdx_make_locator(&link, buf, VHDX_LOCATOR_ROOM);
	if (!len)
		return -ENAMETOOLONG;
	if (!image->touched)
		ret = ovid_vdisk_touch(image, NULL);
	/* what waits goes first: then there is room for all of it */
	ret = ret ?: ovid_vdisk_flush(image);
	return ret ?: put_locator(image, buf, len, table);
}

int ovid_vdisk_relink(struct ovid_vdisk *image, const struct ovid_vdisk_link *link,
		      const char **why)
{
	u8 *buf;
	int ret;

	*why = "what it says of its parent cannot be changed";
	if (image->info.kind != OVID_VDISK_DIFFERENCING)
		return OVID_FAIL(why, EINVAL, "it has no parent");
	if (!image->writable)
		return -EROFS;
	buf = kvzalloc(VHDX_LOCATOR_ROOM + VHDX_META_TABLE_LEN, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = relink(image, link, buf, buf + VHDX_LOCATOR_ROOM);
	if (ret == -ENAMETOOLONG)
		*why = "the parent's path is too long, or no UTF-8";
	kvfree(buf);
	return ret;
}
