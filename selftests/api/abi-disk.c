// SPDX-License-Identifier: GPL-2.0-only
/* disks of a SCSI controller: OVID_DISK_*; what they do: ../guest/g_scsi.c */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/bus.h"

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

static void fields(void)
{
	int fd = memory(4096), echo = offer(vm.part, "echo", 1);
	struct ovid_disk arg = disk_of(fd, 2, 9);

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
	struct ovid_disk arg;

	disk = memory(4096);
	arg = disk_of(disk, 0, 9);
	ov_size_rules(scsi, "OVID_DISK_ATTACH", OVID_DISK_ATTACH, &arg, sizeof(arg), detach_9);
	attach(disk, 0, 9);
	ov_size_rules(scsi, "OVID_DISK_RESIZE", OVID_DISK_RESIZE, &size, sizeof(size), NULL);
	ov_size_rules(scsi, "OVID_DISK_INFO", OVID_DISK_INFO, &i, sizeof(i), NULL);
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

int main(void)
{
	tap_begin("abi-disk", 60);
	start();
	create(vm.part, 0);
	scsi = offer(vm.part, "scsi", 0);
	if (!tap_ok(scsi >= 0, "a controller is offered"))
		return tap_done();
	files();
	fields();
	sizes();
	call_sizes();
	many();
	/* the others go with the file */
	close(scsi);
	ov_vm_destroy(&vm);
	return tap_done();
}
