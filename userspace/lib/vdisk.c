// SPDX-License-Identifier: GPL-2.0-only
/* vdisk.c - see vdisk.h */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vdisk.h"

#define ZERO_CHUNK	(1u << 20)

/* ---- operations ---- */

static int file_of(void *ctx)
{
	return ((struct vdisk *)ctx)->fd;
}

static int op_read(void *ctx, u64 off, void *buf, size_t len)
{
	u8 *to = buf;

	while (len) {
		ssize_t n = pread(file_of(ctx), to, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		off += n;
		to += n;
		len -= n;
	}
	return 0;
}

static int op_write(void *ctx, u64 off, const void *buf, size_t len)
{
	const u8 *from = buf;

	while (len) {
		ssize_t n = pwrite(file_of(ctx), from, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		off += n;
		from += n;
		len -= n;
	}
	return 0;
}

static int op_flush(void *ctx)
{
	return fdatasync(file_of(ctx)) ? -errno : 0;
}

static int op_size(void *ctx, u64 *bytes)
{
	off_t end = lseek(file_of(ctx), 0, SEEK_END);

	*bytes = end;
	return end < 0 ? -errno : 0;
}

static int op_resize(void *ctx, u64 bytes)
{
	return ftruncate(file_of(ctx), bytes) ? -errno : 0;
}

/* where no hole can be made there are zeros to be written */
static int write_zeros(void *ctx, u64 off, u64 len)
{
	u8 *zeros = calloc(1, ZERO_CHUNK);
	int ret = zeros ? 0 : -ENOMEM;

	while (len && !ret) {
		size_t part = len < ZERO_CHUNK ? len : ZERO_CHUNK;

		ret = op_write(ctx, off, zeros, part);
		off += part;
		len -= part;
	}
	free(zeros);
	return ret;
}

static int op_punch(void *ctx, u64 off, u64 len)
{
	if (!fallocate(file_of(ctx), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len))
		return 0;
	return errno == EOPNOTSUPP || errno == EINVAL ?
	       write_zeros(ctx, off, len) : -errno;
}

static void op_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	/* so few bytes come at once, and whole */
	while (getrandom(buf, len, 0) != (ssize_t)len)
		;
}

static const struct ovid_vdisk_ops file_ops = {
	.read = op_read, .write = op_write, .flush = op_flush, .size = op_size,
	.resize = op_resize, .punch = op_punch, .random = op_random,
};

u64 vdisk_hole(const struct vdisk *disk, u64 off, u64 len)
{
	off_t data = lseek(disk->fd, off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? len : 0;
	return (u64)data - off < len ? (u64)data - off : len;
}

/* ---- names ---- */

static const char *const formats[] = {
	[OVID_VDISK_RAW] = "raw", [OVID_VDISK_VHD] = "vhd", [OVID_VDISK_VHDX] = "vhdx",
};

int vdisk_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(name, formats[i]))
			return i;
	return -1;
}

int vdisk_format_by_name(const char *path)
{
	static const char *const ends[] = { ".raw", ".img", ".iso", ".vhd", ".vhdx" };
	static const enum ovid_vdisk_format is[] = {
		OVID_VDISK_RAW, OVID_VDISK_RAW, OVID_VDISK_RAW, OVID_VDISK_VHD, OVID_VDISK_VHDX,
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(ends); i++)
		if (!strcasecmp(dot, ends[i]))
			return is[i];
	return -1;
}

const char *vdisk_format_name(enum ovid_vdisk_format format)
{
	return formats[format];
}

const char *vdisk_kind_name(enum ovid_vdisk_kind kind)
{
	static const char *const kinds[] = {
		[OVID_VDISK_FIXED] = "fixed", [OVID_VDISK_DYNAMIC] = "dynamic",
		[OVID_VDISK_DIFFERENCING] = "differencing",
	};

	return kinds[kind];
}

/* ---- open ---- */

static int lock_file(struct vdisk *disk, enum vdisk_mode mode, struct failure *why)
{
	if (mode == DISK_LOOK || !flock(disk->fd, (mode >= DISK_WRITE ? LOCK_EX : LOCK_SH) | LOCK_NB))
		return 0;
	return fail(why, OVID_X_USAGE, "%s is in use", disk->path);
}

static int open_file(struct vdisk *disk, enum vdisk_mode mode, struct failure *why)
{
	struct stat st;

	/* not a FIFO's end to wait for */
	disk->fd = open(disk->path, (mode >= DISK_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (disk->fd < 0 || fstat(disk->fd, &st))
		return fail(why, OVID_X_USAGE, "cannot open %s: %s", disk->path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(why, OVID_X_USAGE, "%s is neither a file nor a block device", disk->path);
	return lock_file(disk, mode, why);
}

static int open_image(struct vdisk *disk, int format, enum vdisk_mode mode, struct failure *why)
{
	enum ovid_vdisk_format is = format;
	const char *text = "it cannot be read";
	int ret = format < 0 ? ovid_vdisk_probe(&file_ops, disk, &is) : 0;

	ret = ret ?: ovid_vdisk_open(&file_ops, disk, is, mode >= DISK_WRITE, &disk->image, &text);
	if (!ret)
		return 0;
	/* an error of the file says more by itself */
	if (ret == -EIO || ret == -EACCES || ret == -EPERM)
		text = strerror(-ret);
	return fail(why, OVID_X_USAGE, "%s: %s", disk->path, text);
}

int vdisk_probe(int fd, enum ovid_vdisk_format *format)
{
	struct vdisk disk = { .fd = fd };

	return ovid_vdisk_probe(&file_ops, &disk, format);
}

static struct vdisk *new_disk(const char *path, struct failure *why)
{
	struct vdisk *disk = calloc(1, sizeof(*disk));

	if (!disk || (size_t)snprintf(disk->path, DISK_PATH, "%s", path) >= DISK_PATH) {
		fail_text(why, disk ? "the path is too long" : "out of memory");
		free(disk);
		return NULL;
	}
	disk->fd = -1;
	return disk;
}

static int open_parent(struct vdisk *disk, enum vdisk_mode mode, struct failure *why)
{
	struct ovid_vdisk_info info;
	char path[DISK_PATH];
	const char *text;
	int ret;

	ovid_vdisk_info(disk->image, &info);
	if (info.kind != OVID_VDISK_DIFFERENCING)
		return 0;
	if (!vdisk_find_parent(disk, path))
		return fail(why, OVID_X_USAGE, "%s: its parent is not there: %s", disk->path, path);
	ret = vdisk_open(&disk->parent, path, OVID_VDISK_VHDX, mode, why);
	if (ret)
		return ret;
	ret = ovid_vdisk_set_parent(disk->image, disk->parent->image, &text);
	return ret ? fail(why, OVID_X_USAGE, "%s, on %s: %s", disk->path, path, text) : 0;
}

/* a chain that comes back to a file would open it again and again: this ends it */
static int open_chain(struct vdisk *disk, int format, enum vdisk_mode mode, struct failure *why)
{
	static unsigned int depth;
	int ret = open_file(disk, mode, why);

	ret = ret ?: open_image(disk, format, mode, why);
	if (ret || mode == DISK_LOOK || mode == DISK_ALONE)
		return ret;
	if (depth >= OVID_VDISK_MAX_DEPTH)
		return fail(why, OVID_X_USAGE, "%s: the chain of parents is too long", disk->path);
	depth++;
	ret = open_parent(disk, mode == DISK_MERGE ? DISK_WRITE : DISK_READ, why);
	depth--;
	return ret;
}

/* What has come of it: @disk, or @ret, and it is let go as it is. */
static int opened(struct vdisk **out, struct vdisk *disk, int ret, struct failure *why)
{
	if (ret) {
		ovid_vdisk_abandon(disk->image);
		disk->image = NULL;
		vdisk_close(disk, why);
		return ret;
	}
	*out = disk;
	return 0;
}

int vdisk_open(struct vdisk **out, const char *path, int format, enum vdisk_mode mode,
	       struct failure *why)
{
	struct vdisk *disk = new_disk(path, why);
	int ret;

	if (!disk)
		return fail_status(OVID_X_USAGE);
	ret = open_chain(disk, format, mode, why);
	return opened(out, disk, ret, why);
}

static int adopt(struct vdisk *disk, const int *fd, unsigned int nr, enum ovid_vdisk_format format,
		 struct failure *why)
{
	const char *text;
	int ret = open_image(disk, format, DISK_READ, why);

	if (ret || nr == 1)
		return ret;
	ret = vdisk_adopt(&disk->parent, fd + 1, nr - 1, OVID_VDISK_VHDX, why);
	if (ret)
		return ret;
	ret = ovid_vdisk_set_parent(disk->image, disk->parent->image, &text);
	return ret ? fail(why, OVID_X_USAGE, "%s: its parent: %s", disk->path, text) : 0;
}

int vdisk_adopt(struct vdisk **out, const int *fd, unsigned int nr, enum ovid_vdisk_format format,
		struct failure *why)
{
	struct vdisk *disk = new_disk("the disk", why);
	int ret;

	if (!disk)
		return fail_status(OVID_X_USAGE);
	disk->fd = fd[0];
	ret = adopt(disk, fd, nr, format, why);
	return opened(out, disk, ret, why);
}

int vdisk_close(struct vdisk *disk, struct failure *why)
{
	struct vdisk *parent;
	int ret = 0, err;

	for (; disk; disk = parent) {
		parent = disk->parent;
		err = ovid_vdisk_close(disk->image);
		if (err && !ret)
			ret = why->text[0] ? -OVID_X_HOST :
			      fail(why, OVID_X_HOST, "%s: %s", disk->path, strerror(-err));
		if (disk->fd >= 0)
			close(disk->fd);
		free(disk);
	}
	return ret;
}

/* ---- parents ---- */

/* @path, which may be one of Windows, seen from the folder of @disk */
static bool try_path(const struct vdisk *disk, const char *path, bool only_name, char *found)
{
	char folder[DISK_PATH], *copy = strdup(path), *name;
	int len;

	if (!copy)
		return false;
	for (char *c = copy; *c; c++)
		if (*c == '\\')
			*c = '/';
	name = only_name && strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
	snprintf(folder, sizeof(folder), "%s", disk->path);
	len = *name == '/' ? snprintf(found, DISK_PATH, "%s", name) :
	      snprintf(found, DISK_PATH, "%s/%s", dirname(folder), name);
	free(copy);
	return len < DISK_PATH && !access(found, F_OK);
}

bool vdisk_find_parent(struct vdisk *disk, char *path)
{
	static const char *const keys[] = { "relative_path", "absolute_win32_path", "volume_path" };
	char text[DISK_PATH], first[DISK_PATH] = "(it does not say where)";

	for (int only_name = 0; only_name < 2; only_name++)
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			if (ovid_vdisk_locator(disk->image, keys[i], text, sizeof(text)))
				continue;
			if (try_path(disk, text, only_name, path))
				return true;
			if (first[0] == '(')
				snprintf(first, sizeof(first), "%s", text);
		}
	memcpy(path, first, sizeof(first));
	return false;
}

int vdisk_relative(const char *from, const char *to, char *path, struct failure *why)
{
	char folder[PATH_MAX], real[PATH_MAX], target[PATH_MAX], *a, *b;
	size_t len = 0, same = 0;

	snprintf(folder, sizeof(folder), "%s", from);
	if (!realpath(dirname(folder), real) || !realpath(to, target))
		return fail(why, OVID_X_USAGE, "cannot resolve %s: %s", to, strerror(errno));
	if (real[1])
		strcat(real, "/");
	for (size_t i = 0; real[i] && real[i] == target[i]; i++)
		if (real[i] == '/')
			same = i + 1;
	a = real + same;
	b = target + same;
	path[0] = 0;
	for (; *a; a++)
		if (*a == '/' && len + 4 < DISK_PATH)
			len += sprintf(path + len, "../");
	if ((size_t)snprintf(path + len, DISK_PATH - len, "%s", b) >= DISK_PATH - len)
		return fail(why, OVID_X_USAGE, "the way to %s is too long", to);
	return 0;
}

/* ---- new files ---- */

static int open_nameless(struct vdisk_new *n)
{
	char folder[DISK_PATH];

	memcpy(folder, n->path, sizeof(folder));
	n->fd = open(dirname(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (n->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return n->fd;
	snprintf(n->temporary, sizeof(n->temporary), "%s.XXXXXX", n->path);
	n->fd = mkostemp(n->temporary, O_CLOEXEC);
	if (n->fd < 0)
		n->temporary[0] = 0;
	return n->fd;
}

int vdisk_new_begin(struct vdisk_new *n, const char *path, bool overwrite, struct failure *why)
{
	struct stat st;

	*n = (struct vdisk_new){ .fd = -1 };
	if ((size_t)snprintf(n->path, DISK_PATH, "%s", path) >= DISK_PATH)
		return fail(why, OVID_X_USAGE, "the path is too long");
	if (!lstat(path, &st) && (!overwrite || !S_ISREG(st.st_mode)))
		return fail(why, OVID_X_USAGE, "%s is there already%s", path,
			    S_ISREG(st.st_mode) ? "; --force takes its place" : "");
	if (open_nameless(n) < 0)
		return fail(why, OVID_X_USAGE, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

static int give_name(struct vdisk_new *n, const char *path)
{
	char proc[40];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", n->fd);
	return linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* what is there is replaced at once, or not at all */
static int take_place(struct vdisk_new *n)
{
	if (!n->temporary[0]) {
		snprintf(n->temporary, sizeof(n->temporary), "%s.%d", n->path, getpid());
		if (give_name(n, n->temporary)) {
			n->temporary[0] = 0;
			return -1;
		}
	}
	if (rename(n->temporary, n->path))
		return -1;
	n->temporary[0] = 0;
	return 0;
}

int vdisk_new_keep(struct vdisk_new *n, bool overwrite, struct failure *why)
{
	int ret;

	if (overwrite)
		ret = take_place(n);
	else
		ret = n->temporary[0] ? link(n->temporary, n->path) : give_name(n, n->path);
	if (ret)
		return fail(why, OVID_X_USAGE, "cannot make %s: %s", n->path, strerror(errno));
	return 0;
}

void vdisk_new_end(struct vdisk_new *n)
{
	if (n->temporary[0])
		unlink(n->temporary);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* of a fixed image; where the filesystem cannot, it comes as it is written */
static int reserve(struct vdisk *disk, const struct ovid_vdisk_params *params)
{
	u64 end;
	int ret;

	if (params->kind != OVID_VDISK_FIXED || params->format == OVID_VDISK_RAW)
		return 0;
	ret = op_size(disk, &end);
	if (!ret && fallocate(disk->fd, 0, 0, end) && errno != EOPNOTSUPP)
		ret = -errno;
	return ret;
}

int vdisk_new_make(struct vdisk_new *n, const struct ovid_vdisk_params *params, struct vdisk **out,
		   struct failure *why)
{
	struct vdisk *disk = new_disk(n->path, why);
	const char *text = "";
	int ret;

	if (!disk)
		return fail_status(OVID_X_USAGE);
	disk->fd = dup(n->fd);
	ret = ovid_vdisk_create(&file_ops, disk, params, &text);
	ret = ret ?: reserve(disk, params);
	ret = ret ?: ovid_vdisk_open(&file_ops, disk, params->format, true, &disk->image, &text);
	if (ret) {
		fail_text(why, "%s: %s", n->path, ret == -EINVAL ? text : strerror(-ret));
		vdisk_close(disk, why);
		return fail_status(ret == -EINVAL ? OVID_X_USAGE : OVID_X_HOST);
	}
	*out = disk;
	return 0;
}
