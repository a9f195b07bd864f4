// SPDX-License-Identifier: GPL-2.0-only
/* disk_file.c - `--disk FILE...`: what it says, and the file behind it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/* ---- the words ---- */

static int take_number(const char *word, const char *text, unsigned int max, struct failure *why)
{
	unsigned long n;
	char *end;

	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > max)
		return fail(why, OVID_X_USAGE, "--disk: %s: give a number from 0 to %u", word, max);
	return n;
}

static int take_lun(struct disk_words *d, const char *word, struct failure *why)
{
	d->lun = take_number(word, word + strlen("lun="), LUNS_MAX - 1, why);
	return d->lun < 0 ? d->lun : 0;
}

static int take_controller(struct disk_config *c, const char *word, struct failure *why)
{
	int n = take_number(word, word + strlen("controller="), CONTROLLERS_MAX - 1, why);

	if (n < 0)
		return n;
	c->controller = n;
	return 0;
}

static int take_serial(struct disk_config *c, const char *text, struct failure *why)
{
	bool good = *text && strlen(text) < sizeof(c->serial);

	for (const char *p = text; good && *p; p++)
		good = *p > ' ' && *p < 0x7f;
	if (!good)
		return fail(why, OVID_X_USAGE, "--disk: serial=%s: 1 to %u printable characters",
			    text, OVID_DISK_SERIAL_BYTES);
	strcpy(c->serial, text);
	return 0;
}

/* Words behind commas, from the last one on: 1, it was one of them; 0, it belongs to the path. */
static int take_word(struct disk_words *d, struct disk_config *c, const char *word,
		     struct failure *why)
{
	int ret = 0;

	if (!strcmp(word, "ro"))
		c->read_only = true;
	else if (!strcmp(word, "raw"))
		d->raw = true;
	else if (!strncmp(word, "lun=", 4))
		ret = take_lun(d, word, why);
	else if (!strncmp(word, "controller=", 11))
		ret = take_controller(c, word, why);
	else if (!strncmp(word, "serial=", 7))
		ret = take_serial(c, word + 7, why);
	else
		return 0;
	return ret ?: 1;
}

int disk_parse(struct disk_words *d, struct disk_config *c, char *text, struct failure *why)
{
	char *comma;
	int ret;

	*d = (struct disk_words){ .path = text, .lun = -1 };
	*c = (struct disk_config){ 0 };
	while ((comma = strrchr(text, ','))) {
		ret = take_word(d, c, comma + 1, why);
		if (ret < 0)
			return ret;
		if (!ret)
			break;
		*comma = 0;
	}
	if (!*text)
		return fail(why, OVID_X_USAGE, "--disk wants a file, not an empty word");
	return 0;
}

/* ---- the file ---- */

static const struct {
	const char *name, *magic;
	unsigned int bytes;
	int at;		/* < 0: from the end */
} formats[] = {
	{ "VHDX", "vhdxfile", 8, 0 },
	{ "VHD", "conectix", 8, 0 },
	{ "VHD", "conectix", 8, -512 },
	{ "qcow2", "QFI\xfb", 4, 0 },
	{ "VMDK", "KDMV", 4, 0 },
	{ "VMDK", "# Disk DescriptorFile", 21, 0 },
};

/* the format of an image that is not raw, or NULL */
static const char *format_of(int fd, off_t bytes)
{
	char buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		off_t at = formats[i].at < 0 ? bytes + formats[i].at : formats[i].at;

		if (at >= 0 && pread(fd, buf, formats[i].bytes, at) == formats[i].bytes &&
		    !memcmp(buf, formats[i].magic, formats[i].bytes))
			return formats[i].name;
	}
	return NULL;
}

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

static int check_disk(const struct disk_words *d, struct disk_config *c, int fd,
		      struct failure *why)
{
	const char *format;
	struct stat st;

	if (fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return fail(why, OVID_X_USAGE, "--disk %s: no regular file and no block device", d->path);
	format = d->raw ? NULL : format_of(fd, lseek(fd, 0, SEEK_END));
	if (format)
		return fail(why, OVID_X_USAGE,
			    "--disk %s: an image in %s format, which is not known; `qemu-img convert -O raw` makes a raw one, or say --disk %s,raw if it is one",
			    d->path, format, d->path);
	/* while any copy of the file is open, that of the module too */
	if (flock(fd, (c->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return fail(why, OVID_X_USAGE, "--disk %s: %s", d->path, errno == EWOULDBLOCK ?
			    "in use, by another VM perhaps; disks can be shared with ,ro only" :
			    strerror(errno));
	if (!*c->serial)
		make_serial(c, &st);
	return 0;
}

/* A block device that is mounted is not for us (O_EXCL), nor is one that is none to wait for. */
static int open_file(const struct disk_words *d, bool read_only, struct failure *why)
{
	struct stat st;
	int fd = stat(d->path, &st);

	if (!fd && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(why, OVID_X_USAGE, "--disk %s: no regular file and no block device", d->path);
	if (!fd)
		fd = open(d->path, O_CLOEXEC | (read_only ? O_RDONLY : O_RDWR) |
			  (S_ISBLK(st.st_mode) && !read_only ? O_EXCL : 0));
	if (fd < 0)
		return fail(why, OVID_X_USAGE, "--disk %s: %s%s", d->path, strerror(errno),
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

int disk_open(const struct disk_words *d, struct disk_config *c, struct failure *why)
{
	int fd = open_file(d, c->read_only, why), ret;

	if (fd < 0)
		return fd;
	ret = check_disk(d, c, fd, why);
	if (ret) {
		close(fd);
		return ret;
	}
	name_it(c, d->path);
	return fd;
}
