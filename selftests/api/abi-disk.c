// SPDX-License-Identifier: GPL-2.0-only
/* disks of a SCSI controller: OVID_DISK_*; what they do: ../guest/g_scsi.c */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "lib/bus.h"
#include "lib/image.h"

static int scsi;

static int memory(int64_t bytes)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, bytes))
		tap_bail("no file in memory");
	return fd;
}

static struct ovid_disk disk_of(int fd, uint32_t flags, uint8_t lun)
{
	return (struct ovid_disk){
		.size = sizeof(struct ovid_disk), .flags = flags, .lun = lun, .fd = fd,
		.serial = "test",
	};
}

static int attach(int fd, uint32_t flags, uint8_t lun)
{
	struct ovid_disk arg = disk_of(fd, flags, lun);

	return ov_ioctl(scsi, OVID_DISK_ATTACH, &arg);
}

static int detach(uint8_t lun)
{
	struct ovid_disk arg = { .size = sizeof(arg), .lun = lun };

	return ov_ioctl(scsi, OVID_DISK_DETACH, &arg);
}

static void files(void)
{
	int good = memory(1 << 20), small = memory(511), pipes[2], other;

	if (pipe(pipes))
		tap_bail("no pipe");
	tap_fails(attach(-1, 0, 0), EBADF, "no file");
	tap_fails(attach(small, 0, 0), EINVAL, "less than a block");
	tap_fails(attach(pipes[0], OVID_DISK_READ_ONLY, 0), EINVAL, "a pipe");
	other = open("/", O_RDONLY);
	tap_fails(attach(other, OVID_DISK_READ_ONLY, 0), EINVAL, "a folder");
	close(other);
	other = open("/proc/self/exe", O_RDONLY);
	tap_fails(attach(other, 0, 0), EACCES, "one that is open to read only");
	tap_is(attach(other, OVID_DISK_READ_ONLY, 7), 0, "... is good for reading");
	close(other);
	tap_is(attach(good, 0, 0), 0, "a file");
	tap_fails(attach(good, 0, 0), EEXIST, "another at its address");
	tap_is(detach(7), 0, "it is detached");
	tap_fails(detach(7), ENOENT, "not twice");
	tap_is(attach(good, 0, 63), 0, "the last address");
	close(good);
	close(small);
	close(pipes[0]);
	close(pipes[1]);
}

static int attach_sectors(int fd, uint32_t flags, uint32_t logical, uint32_t physical)
{
	struct ovid_disk arg = disk_of(fd, flags, 20);
	int ret;

	arg.logical_sector = logical;
	arg.physical_sector = physical;
	ret = ov_ioctl(scsi, OVID_DISK_ATTACH, &arg);
	if (!ret)
		detach(20);
	return ret;
}

static void sectors(void)
{
	int good = memory(1 << 20), small = memory(2047);

	tap_is(attach_sectors(good, 0, 4096, 4096), 0, "sectors of 4096");
	tap_is(attach_sectors(good, 0, 512, 4096), 0, "of 512 on 4096");
	tap_fails(attach_sectors(good, 0, 4096, 512), EINVAL, "not the other way around");
	tap_fails(attach_sectors(good, 0, 1024, 4096), EINVAL, "not of 1024");
	tap_fails(attach_sectors(good, 0, 0, 4096), EINVAL, "not one of the two alone");
	tap_fails(attach_sectors(small, 0, 4096, 4096), EINVAL, "not one whole sector");
	tap_is(attach_sectors(good, OVID_DISK_DVD, 0, 0), 0, "a DVD drive");
	tap_is(attach_sectors(-1, OVID_DISK_DVD, 0, 0), 0, "an empty one");
	tap_fails(attach_sectors(-2, OVID_DISK_DVD, 0, 0), EBADF, "no file");
	tap_fails(attach_sectors(small, OVID_DISK_DVD, 0, 0), EINVAL, "less than a sector of it");
	tap_fails(attach_sectors(good, OVID_DISK_DVD, 512, 512), EINVAL, "its sectors are its own");
	close(good);
	close(small);
}

static void fields(void)
{
	int fd = memory(4096), echo = offer(vm.part, "echo", 1);
	struct ovid_disk arg = disk_of(fd, 4, 9);

	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "a flag that is none");
	tap_fails(attach(fd, 0, 64), EINVAL, "no LUN");
	arg = disk_of(fd, 0, 9);
	arg.path = 8;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "no path");
	arg = disk_of(fd, 0, 9);
	arg.target = 2;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "no target");
	arg = disk_of(fd, 0, 9);
	arg.pad = 1;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "what must be zero");
	arg = disk_of(fd, 0, 9);
	arg.serial[0] = 0;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "no serial number");
	arg = disk_of(fd, 0, 9);
	arg.serial[1] = ' ';
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "a blank in it");
	arg = disk_of(0, 0, 63);
	tap_fails(ov_ioctl(scsi, OVID_DISK_DETACH, &arg), EINVAL, "a serial number to detach");
	arg = disk_of(fd, 0, 9);
	tap_fails(ov_ioctl(echo, OVID_DISK_ATTACH, &arg), ENOTTY, "a channel of another kind");
	close(echo);
	close(fd);
}

static int resize(uint8_t lun, uint64_t *bytes)
{
	struct ovid_disk_size arg = { .size = sizeof(arg), .lun = lun, .bytes = *bytes };
	int ret = ov_ioctl(scsi, OVID_DISK_RESIZE, &arg);

	*bytes = arg.bytes;
	return ret;
}

static struct ovid_disk_info info(uint8_t lun)
{
	struct ovid_disk_info arg = { .size = sizeof(arg), .lun = lun };

	if (ov_ioctl(scsi, OVID_DISK_INFO, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static void sizes(void)
{
	struct ovid_disk_size arg = { .size = sizeof(arg), .lun = 9, .flags = 1 };
	struct ovid_disk_info i = { .size = sizeof(i), .lun = 9, .flags = 1 };
	int fd = memory(1 << 20);
	uint64_t bytes = 0;

	tap_fails(resize(9, &bytes), ENOENT, "the size of no disk");
	tap_is(attach(fd, OVID_DISK_READ_ONLY, 9), 0, "a disk of 1 MiB");
	i = info(9);
	tap_ok(i.bytes == 1 << 20 && i.block_bytes == 512 && i.flags == OVID_DISK_READ_ONLY &&
	       !i.requests && !i.under_way, "says what it is");
	if (ftruncate(fd, (3 << 20) + 100))
		tap_bail("no larger file");
	tap_is(info(9).bytes, 1 << 20, "a file that has grown is looked at");
	tap_is(resize(9, &bytes), 0, "... when somebody says so");
	tap_is(bytes, 3 << 20, "whole blocks of it");
	tap_is(info(9).bytes, 3 << 20, "which the disk has now");
	bytes = 4 << 20;
	tap_fails(resize(9, &bytes), EOPNOTSUPP, "a raw one is as large as its file");
	bytes = 0;
	if (ftruncate(fd, 511))
		tap_bail("no smaller file");
	tap_fails(resize(9, &bytes), EINVAL, "less than a block");
	tap_fails(ov_ioctl(scsi, OVID_DISK_RESIZE, &arg), EINVAL, "a flag to resize");
	arg = (struct ovid_disk_size){ .size = sizeof(arg), .lun = 9, .pad2 = 1 };
	tap_fails(ov_ioctl(scsi, OVID_DISK_RESIZE, &arg), EINVAL, "what must be zero");
	arg = (struct ovid_disk_size){ .size = sizeof(arg), .lun = 9, .path = 8 };
	tap_fails(ov_ioctl(scsi, OVID_DISK_RESIZE, &arg), EINVAL, "no path");
	i = (struct ovid_disk_info){ .size = sizeof(i), .lun = 9, .flags = 1 };
	tap_fails(ov_ioctl(scsi, OVID_DISK_INFO, &i), EINVAL, "a flag to ask");
	i = (struct ovid_disk_info){ .size = sizeof(i), .lun = 10 };
	tap_fails(ov_ioctl(scsi, OVID_DISK_INFO, &i), ENOENT, "what no disk is");
	tap_is(detach(9), 0, "it goes");
	close(fd);
}

static int medium(uint8_t lun, int fd, uint32_t flags)
{
	struct ovid_disk_medium arg = { .size = sizeof(arg), .flags = flags, .lun = lun, .fd = fd };

	return ov_ioctl(scsi, OVID_DISK_MEDIUM, &arg);
}

static void discs(void)
{
	int fd = memory(1 << 20), small = memory(2047), echo = offer(vm.part, "echo", 1), pipes[2];
	struct ovid_disk_medium arg = { .size = sizeof(arg), .lun = 9, .fd = fd };
	char path[32];
	int writes;

	if (pipe(pipes))
		tap_bail("no pipe");
	tap_fails(medium(9, -1, 0), ENOENT, "no drive");
	tap_is(attach(fd, 0, 9), 0, "a disk");
	tap_fails(medium(9, fd, OVID_DISK_FORCE), EOPNOTSUPP, "has no disc");
	tap_is(detach(9), 0, "it goes");
	tap_is(attach(-1, OVID_DISK_DVD, 9), 0, "a drive");
	tap_fails(medium(9, -2, 0), EBADF, "no file");
	tap_fails(medium(9, small, 0), EINVAL, "no whole sector");
	tap_fails(medium(9, pipes[0], 0), EINVAL, "a pipe");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	writes = open(path, O_WRONLY);
	tap_fails(medium(9, writes, 0), EACCES, "one that is not open to read");
	close(writes);
	tap_fails(medium(9, fd, 2), EINVAL, "a flag that is none");
	tap_fails(medium(64, fd, 0), EINVAL, "no LUN");
	arg.path = 8;
	tap_fails(ov_ioctl(scsi, OVID_DISK_MEDIUM, &arg), EINVAL, "no path");
	arg.path = 0;
	arg.target = 2;
	tap_fails(ov_ioctl(scsi, OVID_DISK_MEDIUM, &arg), EINVAL, "no target");
	arg.target = 0;
	arg.pad = 1;
	tap_fails(ov_ioctl(scsi, OVID_DISK_MEDIUM, &arg), EINVAL, "what must be zero");
	arg.pad = 0;
	tap_fails(ov_ioctl(echo, OVID_DISK_MEDIUM, &arg), ENOTTY, "a channel of another kind");
	tap_is(info(9).bytes, 0, "it is empty still");
	tap_is(medium(9, fd, 0), 0, "a disc");
	tap_is(info(9).bytes, 1 << 20, "... is there");
	tap_is(medium(9, fd, OVID_DISK_FORCE), 0, "another one in its place");
	tap_is(medium(9, -1, 0), 0, "none");
	tap_is(info(9).bytes, 0, "... is there then");
	tap_is(medium(9, -1, 0), 0, "none again");
	ov_size_rules(scsi, "OVID_DISK_MEDIUM", OVID_DISK_MEDIUM, &arg, sizeof(arg), NULL);
	tap_is(detach(9), 0, "it goes");
	close(pipes[0]);
	close(pipes[1]);
	close(echo);
	close(small);
	close(fd);
}

static int limit(struct ovid_disk_limit *arg)
{
	arg->size = sizeof(*arg);
	return ov_ioctl(scsi, OVID_DISK_LIMIT, arg);
}

static void limits(void)
{
	static const struct {
		struct ovid_disk_limit arg;
		const char *what;
	} bad[] = {
		{ { .flags = 2 }, "a flag that is none" },
		{ { .requests = 1 }, "a limit, and the flag is not there" },
		{ { .bytes = 1 }, "the same of bytes" },
		{ { .flags = OVID_DISK_LIMIT_SET, .pad = 1 }, "what must be zero" },
		{ { .flags = OVID_DISK_LIMIT_SET, .pad2 = 1 }, "the same at the end" },
		{ { .flags = OVID_DISK_LIMIT_SET, .waited = 1 }, "a number of the module's" },
		{ { .flags = OVID_DISK_LIMIT_SET, .waiting = 1 }, "the other one" },
		{ { .flags = OVID_DISK_LIMIT_SET, .path = 8 }, "no path" },
		{ { .flags = OVID_DISK_LIMIT_SET, .target = 2 }, "no target" },
		{ { .flags = OVID_DISK_LIMIT_SET, .lun = 64 }, "no LUN" },
	};
	struct ovid_disk_limit arg = { .lun = 9 };
	int fd = memory(1 << 20), echo = offer(vm.part, "echo", 1);

	tap_fails(limit(&arg), ENOENT, "the limit of no disk");
	tap_is(attach(fd, 0, 9), 0, "a disk");
	tap_ok(!limit(&arg) && !arg.requests && !arg.bytes && !arg.waited && !arg.waiting,
	       "it has no limit");
	arg = (struct ovid_disk_limit){
		.flags = OVID_DISK_LIMIT_SET, .lun = 9, .requests = 100, .bytes = ~0ull,
	};
	tap_is(limit(&arg), 0, "it gets one");
	arg = (struct ovid_disk_limit){ .lun = 9 };
	tap_ok(!limit(&arg) && arg.requests == 100 && arg.bytes == ~0ull, "which it has then");
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		arg = bad[i].arg;
		if (!arg.lun)
			arg.lun = 9;
		tap_fails(limit(&arg), EINVAL, "%s", bad[i].what);
	}
	arg = (struct ovid_disk_limit){ .size = sizeof(arg), .lun = 9 };
	tap_fails(ov_ioctl(echo, OVID_DISK_LIMIT, &arg), ENOTTY, "a channel of another kind");
	arg = (struct ovid_disk_limit){ .flags = OVID_DISK_LIMIT_SET, .lun = 9 };
	tap_ok(!limit(&arg) && !arg.requests && !arg.bytes, "it has none again");
	tap_is(detach(9), 0, "it goes");
	close(echo);
	close(fd);
}

static int disk = -1;

static void detach_9(int ret)
{
	(void)ret;
	detach(9);
}

static void attach_9(int ret)
{
	(void)ret;
	attach(disk, 0, 9);
}

/* of the calls' arguments */
static void call_sizes(void)
{
	struct ovid_disk_size size = { .size = sizeof(size), .lun = 9 };
	struct ovid_disk_info i = { .size = sizeof(i), .lun = 9 };
	struct ovid_disk_limit l = { .size = sizeof(l), .lun = 9 };
	struct ovid_disk arg;

	disk = memory(4096);
	arg = disk_of(disk, 0, 9);
	ov_size_rules(scsi, "OVID_DISK_ATTACH", OVID_DISK_ATTACH, &arg, sizeof(arg), detach_9);
	attach(disk, 0, 9);
	ov_size_rules(scsi, "OVID_DISK_RESIZE", OVID_DISK_RESIZE, &size, sizeof(size), NULL);
	ov_size_rules(scsi, "OVID_DISK_INFO", OVID_DISK_INFO, &i, sizeof(i), NULL);
	ov_size_rules(scsi, "OVID_DISK_LIMIT", OVID_DISK_LIMIT, &l, sizeof(l), NULL);
	arg = (struct ovid_disk){ .size = sizeof(arg), .lun = 9 };
	ov_size_rules(scsi, "OVID_DISK_DETACH", OVID_DISK_DETACH, &arg, sizeof(arg), attach_9);
	tap_is(detach(9), 0, "it is there all the time");
	close(disk);
}

/* each has a thread, which goes with it */
static void many(void)
{
	int fd = memory(4096), i, n = 0;
	struct ovid_disk other = disk_of(fd, 0, 0);

	for (i = 1; i < 63; i++)
		n += !attach(fd, 0, i);
	tap_is(n, 62, "as many as there may be");
	tap_fails(attach(fd, 0, 0), EEXIST, "none in another one's place");
	other.target = 1;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &other), ENOSPC, "no more in another place");
	for (n = 0, i = 0; i < 64; i += 2)
		n += !detach(i);
	tap_is(n, 32, "half of them are detached");
	close(fd);
}

/* ---- images ---- */

static int image(enum ovid_vdisk_format format, enum ovid_vdisk_kind kind, int parent)
{
	struct ovid_vdisk_params p = { .format = format, .kind = kind, .size = 4 << 20 };
	int fd;

	if (format == OVID_VDISK_VHDX)
		p.block_size = 1 << 20;
	fd = image_make(&p, parent);
	if (fd < 0)
		tap_bail("no image");
	return fd;
}

static int attach_image(int fd, uint32_t format, uint32_t flags, const int *parents, uint32_t nr)
{
	struct ovid_disk arg = disk_of(fd, flags, 0);

	arg.format = format;
	arg.parents = (uintptr_t)parents;
	arg.nr_parents = nr;
	return ov_ioctl(scsi, OVID_DISK_ATTACH, &arg);
}

/* it can be attached, twice; then it is closed */
static void good(int fd, uint32_t format, uint32_t flags, const int *parents, uint32_t nr,
		 const char *what)
{
	tap_is(attach_image(fd, format, flags, parents, nr), 0, "%s", what);
	tap_is(detach(0), 0, "... is detached");
	tap_is(attach_image(fd, format, flags, parents, nr), 0, "... and again");
	tap_is(detach(0), 0, "... is detached");
}

static void kinds(void)
{
	static const struct {
		enum ovid_vdisk_format format;
		enum ovid_vdisk_kind kind;
		const char *name;
	} all[] = {
		{ OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, "a dynamic VHDX" },
		{ OVID_VDISK_VHDX, OVID_VDISK_FIXED, "a fixed VHDX" },
		{ OVID_VDISK_VHD, OVID_VDISK_DYNAMIC, "a dynamic VHD" },
		{ OVID_VDISK_VHD, OVID_VDISK_FIXED, "a fixed VHD" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		int fd = image(all[i].format, all[i].kind, -1);

		good(fd, all[i].format, 0, NULL, 0, all[i].name);
		good(fd, all[i].format, OVID_DISK_READ_ONLY, NULL, 0, "to read only");
		close(fd);
	}
}

static void large_sectors(void)
{
	struct ovid_vdisk_params p = {
		.format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = 4 << 20,
		.logical_sector = 4096,
	};
	int fd = image_make(&p, -1);
	struct ovid_disk arg = disk_of(fd, 0, 0);

	tap_is(attach_image(fd, OVID_DISK_VHDX, 0, NULL, 0), 0, "an image of 4096-byte sectors");
	tap_is(info(0).block_bytes, 4096, "... is a disk with those");
	tap_is(detach(0), 0, "... is detached");
	arg.format = OVID_DISK_VHDX;
	arg.logical_sector = 512;
	arg.physical_sector = 512;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EINVAL, "... and has no others");
	tap_fails(attach_image(fd, OVID_DISK_VHDX, OVID_DISK_DVD, NULL, 0), EINVAL, "no disc");
	close(fd);
}

/* what is new reads as zeroes, and the image is right afterwards */
static void growth(void)
{
	static const enum ovid_vdisk_format formats[] = { OVID_VDISK_VHDX, OVID_VDISK_VHD };
	static const enum ovid_vdisk_kind kinds[] = { OVID_VDISK_DYNAMIC, OVID_VDISK_FIXED };

	for (unsigned int i = 0; i < 4; i++) {
		int fd = image(formats[i / 2], kinds[i % 2], -1);
		uint64_t bytes = 8 << 20;

		tap_is(attach_image(fd, formats[i / 2], 0, NULL, 0), 0, "an image of 4 MiB");
		tap_is(resize(0, &bytes), 0, "... has 8");
		tap_is(bytes, 8 << 20, "... as it says");
		tap_is(info(0).bytes, 8 << 20, "... as has its disk");
		bytes = 4 << 20;
		tap_fails(resize(0, &bytes), EINVAL, "... and not 4 again");
		bytes = (8 << 20) + 1;
		tap_fails(resize(0, &bytes), EINVAL, "... nor half a sector");
		bytes = 1ull << 63;
		tap_fails(resize(0, &bytes), EINVAL, "... nor more than there is");
		bytes = 0;
		tap_ok(!resize(0, &bytes) && bytes == 8 << 20, "... and is asked how large it is");
		tap_is(detach(0), 0, "... is detached");
		tap_is(attach_image(fd, formats[i / 2], OVID_DISK_READ_ONLY, NULL, 0), 0,
		       "... is as it was left");
		tap_is(info(0).bytes, 8 << 20, "... with that size");
		bytes = 16 << 20;
		tap_fails(resize(0, &bytes), EROFS, "one to be read only");
		tap_is(detach(0), 0, "... stays");
		close(fd);
	}
}

static void no_images(void)
{
	int zeros = memory(2 << 20), vhdx = image(OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, -1);
	int pipes[2];
	uint8_t page[4096] = { 0 };

	if (pipe(pipes))
		tap_bail("no pipe");
	tap_fails(attach_image(zeros, 3, 0, NULL, 0), EINVAL, "no format");
	tap_fails(attach_image(zeros, OVID_DISK_VHDX, 0, NULL, 0), EINVAL, "no VHDX");
	tap_fails(attach_image(zeros, OVID_DISK_VHD, 0, NULL, 0), EUCLEAN, "no VHD");
	tap_fails(attach_image(vhdx, OVID_DISK_VHD, 0, NULL, 0), EUCLEAN, "a VHDX is no VHD");
	tap_fails(attach_image(pipes[0], OVID_DISK_VHDX, OVID_DISK_READ_ONLY, NULL, 0), EINVAL,
		  "a pipe");
	tap_fails(attach_image(-1, OVID_DISK_VHDX, 0, NULL, 0), EBADF, "no file");
	tap_is(image_crash(vhdx, 7), 0, "an image is not closed");
	tap_fails(attach_image(vhdx, OVID_DISK_VHDX, OVID_DISK_READ_ONLY, NULL, 0), EROFS,
		  "... and not for reading");
	tap_fails(image_first(vhdx), EIO, "... by anyone");
	tap_is(attach_image(vhdx, OVID_DISK_VHDX, 0, NULL, 0), 0, "... but for writing");
	tap_is(detach(0), 0, "... which puts it right");
	tap_is(image_first(vhdx), 7, "... and has what was written");
	for (int at = 64; at <= 128; at += 64)
		tap_is(pwrite(vhdx, page, sizeof(page), at * 1024), (int)sizeof(page),
		       "a header is lost");
	tap_fails(attach_image(vhdx, OVID_DISK_VHDX, 0, NULL, 0), EUCLEAN, "a damaged one");
	close(pipes[0]);
	close(pipes[1]);
	close(vhdx);
	close(zeros);
}

static void chains(void)
{
	int base = image(OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, -1);
	int child = image(OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING, base);
	int top = image(OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING, child);
	int other = image(OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, -1);
	int vhd = image(OVID_VDISK_VHD, OVID_VDISK_DYNAMIC, -1);
	int list[OVID_DISK_MAX_PARENTS + 1] = { child, base };
	struct ovid_disk arg = disk_of(top, 0, 0);

	good(child, OVID_DISK_VHDX, 0, &base, 1, "an image and its parent");
	good(top, OVID_DISK_VHDX, 0, list, 2, "... and that one's");
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, NULL, 0), EINVAL, "no parent");
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, list, 1), EINVAL, "one too few");
	list[2] = base;
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, list, 3), EINVAL, "one too many");
	tap_fails(attach_image(base, OVID_DISK_VHDX, 0, list, 1), EINVAL, "of one that has none");
	tap_fails(attach_image(child, OVID_DISK_VHDX, 0, &other, 1), ESTALE, "another one's parent");
	tap_fails(attach_image(child, OVID_DISK_VHDX, 0, &vhd, 1), EINVAL, "a VHD as parent");
	list[1] = -1;
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, list, 2), EBADF, "a parent that is no file");
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, list, OVID_DISK_MAX_PARENTS + 1), EINVAL,
		  "more than there may be");
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, NULL, 1), EINVAL, "parents that are nowhere");
	tap_fails(attach_image(top, OVID_DISK_VHDX, 0, list, 0), EINVAL, "no parents somewhere");
	tap_fails(attach_image(vhd, OVID_DISK_VHD, 0, list, 1), EINVAL, "a VHD has none");
	tap_fails(attach_image(vhd, OVID_DISK_RAW, 0, list, 1), EINVAL, "a raw disk has none");
	arg.format = OVID_DISK_VHDX;
	arg.nr_parents = 1;
	arg.parents = 8;
	tap_fails(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), EFAULT, "an address that is none");
	arg = (struct ovid_disk){ .size = sizeof(arg), .format = OVID_DISK_VHDX };
	tap_fails(ov_ioctl(scsi, OVID_DISK_DETACH, &arg), EINVAL, "a format to detach");
	arg = (struct ovid_disk){ .size = sizeof(arg), .nr_parents = 1 };
	tap_fails(ov_ioctl(scsi, OVID_DISK_DETACH, &arg), EINVAL, "parents to detach");
	arg = disk_of(vhd, 0, 0);
	arg.size = offsetof(struct ovid_disk, format);
	tap_is(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), 0, "a caller of old has raw disks");
	tap_is(detach(0), 0, "... and detaches");
	/* one that goes with the file */
	list[1] = base;
	tap_is(attach_image(top, OVID_DISK_VHDX, 0, list, 2), 0, "a chain that stays");
	close(base);
	close(child);
	close(top);
	close(other);
	close(vhd);
}

int main(void)
{
	tap_begin("abi-disk", 60);
	start();
	create(vm.part, 0);
	scsi = offer(vm.part, "scsi", 0);
	if (!tap_ok(scsi >= 0, "a controller is offered"))
		return tap_done();
	files();
	sectors();
	fields();
	sizes();
	discs();
	limits();
	call_sizes();
	many();
	detach(0);
	kinds();
	large_sectors();
	growth();
	no_images();
	chains();
	/* the others go with the file */
	close(scsi);
	ov_vm_destroy(&vm);
	return tap_done();
}
