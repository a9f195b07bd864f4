// SPDX-License-Identifier: GPL-2.0-only
/* disk_file.c - `--disk FILE...` and `--dvd FILE...`: what it says, and the file behind it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/vdisk.h"
#include "disk.h"
#include "run.h"

/* ---- the words ---- */

static int take_number(const struct disk_words *d, const char *word, const char *text,
		       unsigned int max, struct failure *why)
{
	unsigned long n;
	char *end;

	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > max)
		return fail(why, OVID_X_USAGE, "%s: %s: give a number from 0 to %u", d->option,
			    word, max);
	return n;
}

static int take_lun(struct disk_words *d, const char *word, struct failure *why)
{
	d->lun = take_number(d, word, word + strlen("lun="), LUNS_MAX - 1, why);
	return d->lun < 0 ? d->lun : 0;
}

static int take_controller(const struct disk_words *d, struct disk_config *c, const char *word,
			   struct failure *why)
{
	int n = take_number(d, word, word + strlen("controller="), CONTROLLERS_MAX - 1, why);

	if (n < 0)
		return n;
	c->controller = n;
	return 0;
}

static int take_serial(const struct disk_words *d, struct disk_config *c, const char *text,
		       struct failure *why)
{
	bool good = *text && strlen(text) < sizeof(c->serial);

	for (const char *p = text; good && *p; p++)
		good = *p > ' ' && *p < 0x7f;
	if (!good)
		return fail(why, OVID_X_USAGE, "%s: serial=%s: 1 to %u printable characters",
			    d->option, text, OVID_DISK_SERIAL_BYTES);
	strcpy(c->serial, text);
	return 0;
}

static int take_format(struct disk_words *d, const char *text, struct failure *why)
{
	d->format = vdisk_format(text);
	return d->format < 0 ? fail(why, OVID_X_USAGE, "--disk: format=%s: give raw, vhd or vhdx", text) :
	       0;
}

static int take_sector(struct disk_config *c, const char *text, struct failure *why)
{
	static const struct {
		const char *name;
		u16 logical, physical;
	} known[] = { { "512", 512, 512 }, { "512e", 512, 4096 }, { "4096", 4096, 4096 } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(text, known[i].name))
			continue;
		c->logical_sector = known[i].logical;
		c->physical_sector = known[i].physical;
		return 0;
	}
	return fail(why, OVID_X_USAGE,
		    "--disk: sector=%s: 512, 4096, or 512e, which is 512 on a disk of 4096", text);
}

static int take_iops(const struct disk_words *d, struct disk_config *c, const char *word,
		     struct failure *why)
{
	const char *text = word + strlen("iops=");
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || n > ~0u)
		return fail(why, OVID_X_USAGE, "%s: %s: give requests in a second, up to %u",
			    d->option, word, ~0u);
	c->iops = n;
	return 0;
}

/* Words behind commas, from the last one on: 1, it was one of them; 0, it belongs to the path. */
static int take_word(struct disk_words *d, struct disk_config *c, const char *word,
		     struct failure *why)
{
	int ret = 0;

	if (!c->dvd && !strcmp(word, "ro"))
		c->read_only = true;
	else if (!c->dvd && !strncmp(word, "format=", 7))
		ret = take_format(d, word + 7, why);
	else if (!c->dvd && !strncmp(word, "sector=", 7))
		ret = take_sector(c, word + 7, why);
	else if (!strncmp(word, "lun=", 4))
		ret = take_lun(d, word, why);
	else if (!strncmp(word, "controller=", 11))
		ret = take_controller(d, c, word, why);
	else if (!strncmp(word, "iops=", 5))
		ret = take_iops(d, c, word, why);
	else if (!strncmp(word, "bps=", 4))
		ret = disk_size(word + 4, &c->bps, why);
	else if (!strncmp(word, "serial=", 7))
		ret = take_serial(d, c, word + 7, why);
	else
		return 0;
	return ret ?: 1;
}

int disk_parse(const char *option, struct disk_words *d, struct disk_config *c, char *text,
	       struct failure *why)
{
	char *comma;
	int ret;

	*c = (struct disk_config){ .dvd = !strcmp(option, "--dvd") };
	c->read_only = c->dvd;
	*d = (struct disk_words){
		.option = option, .path = text, .lun = -1, .format = c->dvd ? OVID_VDISK_RAW : -1,
	};
	while ((comma = strrchr(text, ','))) {
		ret = take_word(d, c, comma + 1, why);
		if (ret < 0)
			return ret;
		if (!ret)
			break;
		*comma = 0;
	}
	if (!*text)
		return fail(why, OVID_X_USAGE, "%s wants a file, not an empty word", option);
	c->empty = c->dvd && !strcmp(text, "none");
	return 0;
}

/* ---- the file ---- */

/* a number for a file that stays with it, and that no other on this host has */
static void make_serial(struct disk_config *c, const struct stat *st)
{
	u64 parts[2] = { st->st_dev, st->st_ino }, hash = 0xcbf29ce484222325ull;
	const u8 *p = (const u8 *)parts;

	if (S_ISBLK(st->st_mode)) {
		parts[0] = 0;
		parts[1] = st->st_rdev;
	}
	for (unsigned int i = 0; i < sizeof(parts); i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	snprintf(c->serial, sizeof(c->serial), "%016llx", (unsigned long long)hash);
}

/* while any copy of the file is open, that of the module too */
static int lock_disk(const struct disk_words *d, bool read_only, int fd, struct failure *why)
{
	if (!flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return 0;
	return fail(why, OVID_X_USAGE, "%s %s: %s", d->option, d->path, errno == EWOULDBLOCK ?
		    "in use, by another VM perhaps; disks can be shared with ,ro only" :
		    strerror(errno));
}

static int check_disk(const struct disk_words *d, struct disk_config *c, int fd,
		      struct failure *why)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return fail(why, OVID_X_USAGE, "%s %s: no regular file and no block device",
			    d->option, d->path);
	ret = disk_image_format(d->path, fd, d->format, why);
	if (ret < 0)
		return ret;
	c->format = ret;
	if (c->format != OVID_VDISK_RAW && c->logical_sector)
		return fail(why, OVID_X_USAGE,
			    "--disk %s: an image's sectors are its own: leave out sector=; `ovid disk convert --sector` makes one with others",
			    d->path);
	if (!*c->serial)
		make_serial(c, &st);
	return lock_disk(d, c->read_only, fd, why);
}

/* A block device that is mounted is not for us (O_EXCL), nor is one that is none to wait for. */
static int open_file(const struct disk_words *d, bool read_only, struct failure *why)
{
	struct stat st;
	int fd = stat(d->path, &st);

	if (!fd && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(why, OVID_X_USAGE, "%s %s: no regular file and no block device",
			    d->option, d->path);
	if (!fd)
		fd = open(d->path, O_CLOEXEC | (read_only ? O_RDONLY : O_RDWR) |
			  (S_ISBLK(st.st_mode) && !read_only ? O_EXCL : 0));
	if (fd < 0)
		return fail(why, OVID_X_USAGE, "%s %s: %s%s", d->option, d->path, strerror(errno),
			    (errno == EACCES || errno == EROFS) && !read_only ?
			    "; ,ro asks for less" : "");
	return fd;
}

/* so much of the path as there is room for: its end tells files apart */
static void name_it(struct disk_config *c, const char *path)
{
	size_t len = strlen(path), room = sizeof(c->file) - 1;

	snprintf(c->file, sizeof(c->file), "%s", path + (len > room ? len - room : 0));
}

/* in the place of its file @fd: that, opened as an image, and its parents; the file or -status */
static int open_chain(const struct disk_words *d, struct disk_config *c, int fd, int *parent,
		      unsigned int room, struct failure *why)
{
	int files[1 + OVID_DISK_MAX_PARENTS], nr;

	close(fd);
	if (room > OVID_DISK_MAX_PARENTS)
		room = OVID_DISK_MAX_PARENTS;
	nr = disk_image_open(d->path, c->format, c->read_only, files, 1 + room, why);
	if (nr < 0)
		return nr;
	c->nr_parents = nr - 1;
	memcpy(parent, files + 1, c->nr_parents * sizeof(*parent));
	return files[0];
}

/* each has a file, so that one that is empty has one that holds its place */
static int open_empty(struct disk_config *c, struct failure *why)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(why, OVID_X_HOST, "/dev/null: %s", strerror(errno));
	name_it(c, "none");
	return fd;
}

int disk_open(const struct disk_words *d, struct disk_config *c, int *parent, unsigned int room,
	      struct failure *why)
{
	int fd, ret;

	/* a drive stays the same whatever is in it */
	if (c->dvd && !*c->serial)
		snprintf(c->serial, sizeof(c->serial), "dvd-%u-%u", c->controller, c->lun);
	if (c->empty)
		return open_empty(c, why);
	fd = open_file(d, c->read_only, why);
	if (fd < 0)
		return fd;
	ret = check_disk(d, c, fd, why);
	if (ret) {
		close(fd);
		return ret;
	}
	name_it(c, d->path);
	return c->format == OVID_DISK_RAW ? fd : open_chain(d, c, fd, parent, room, why);
}
