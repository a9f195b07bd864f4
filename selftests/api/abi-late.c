// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is behind a disk does not answer: others of the bus go on, a save and a detach fail, a channel
 * and a partition end, and all is let go of when it answers at last.  The guest is this program: its
 * VP makes hypercalls, the rings are written here.
 *
 * Files of a filesystem that is frozen, and a block device that takes seconds.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <linux/fs.h>

#include "ring_guest.h"
#include "lib/bus.h"
#include "lib/image.h"
#include "../../vsp/storage/proto.h"

enum { DATA_INBAND = 6, GPA_DIRECT = 9, LBA = 8 };
#define BUFFER		0x200000
#define FOLDER		"/tmp/frozen"
#define PATIENCE	"/sys/module/ovid/parameters/disk_patience_s"
#define GOOD		STOR_SRB_SUCCESS
#define IN_PROGRESS	0x20407

static int scsi, root = -1;
static struct channel {
	uint32_t relid, gpadl, at;
	struct guest_ring out, in;
} primary = { .gpadl = GPADL, .at = RING }, sub = { .gpadl = GPADL + 1, .at = RING + 0x10000 };
static struct channel *g = &primary;	/* by which the guest talks */

static bool shell(const char *command)
{
	return !system(command);
}

/* it succeeds, once */
static bool within_a_while(const char *command)
{
	char quiet[100];

	snprintf(quiet, sizeof(quiet), "%s 2>/dev/null", command);
	for (int i = 0; i < 30; i++) {
		if (shell(quiet))
			return true;
		sleep(1);
	}
	return false;
}

/* ---- the guest ---- */

static struct guest_ring ring(uint32_t at)
{
	return (struct guest_ring){ (u32 *)(vm.ram + at), vm.ram + at + 4096, 4096, 0 };
}

static bool open_channel(void)
{
	uint32_t m[37] = { OPEN, 0, g->relid, 7, g->gpadl, 0, 2 };

	g->out = ring(g->at);
	g->in = ring(g->at + 2 * 4096);
	memset(vm.ram + g->at, 0, 4 * 4096);
	post(m, sizeof(m));
	return receive(m, 5) == OPEN_RESULT && !m[4];
}

/* its rings are made known */
static bool make_rings(void)
{
	struct { uint32_t type, pad, relid, gpadl; uint16_t bytes, count; uint64_t words[5]; }
		__attribute__((packed)) m = {
		GPADL_HEADER, 0, g->relid, g->gpadl, sizeof(m.words), 1, { 4 * 4096 }
	};
	uint32_t in[5];

	for (int i = 0; i < 4; i++)
		m.words[1 + i] = g->at / 4096 + i;
	post(&m, sizeof(m));
	return receive(in, 5) == GPADL_CREATED && !in[4];
}

/* @pages: a list of one page, BUFFER, comes with it */
static void send(struct stor_w_packet *packet, bool pages)
{
	struct { uint32_t zero, ranges; uint64_t range, pfn; struct stor_w_packet packet; }
		__attribute__((packed)) with = { 0, 1, 4096, BUFFER / 4096, *packet };
	struct guest_desc desc = { .type = pages ? GPA_DIRECT : DATA_INBAND, .flags = 1 };
	uint32_t old;
	bool there;

	packet->flags = STOR_WANTS_COMPLETION;
	with.packet.flags = STOR_WANTS_COMPLETION;
	there = pages ? guest_write(&g->out, desc, (u8 *)&with, 24, sizeof(*packet), &old) :
			guest_write(&g->out, desc, (u8 *)packet, 0, sizeof(*packet), &old);
	if (!there)
		tap_bail("no space in the ring");
	if (guest_data_signal(&g->out, old))
		call(SIGNAL | FAST, connection(g->relid));
}

/* the next answer, within a while: false: there is none */
static bool hear(struct stor_w_packet *packet)
{
	u8 buf[256];

	for (int tries = 500; tries; tries--) {
		if (!guest_next(&g->in, buf, sizeof(buf))) {
			ov_sleep_ms(4);
			continue;
		}
		guest_close(&g->in);
		memcpy(packet, buf + 16, sizeof(*packet));
		/* a disk was attached */
		if (packet->op != STOR_ENUMERATE_BUS)
			return packet->op == STOR_COMPLETE;
	}
	return false;
}

static bool ask(uint32_t op)
{
	struct stor_w_packet packet = { .op = op };

	if (op == STOR_QUERY_VERSION)
		packet.version.version = STOR_VERSION(6, 2);
	if (op == STOR_CREATE_SUBS)
		packet.subs = 1;
	send(&packet, false);
	return hear(&packet) && packet.status == STOR_OK;
}

static bool handshake(void)
{
	return ask(STOR_BEGIN_INITIALIZATION) && ask(STOR_QUERY_VERSION) &&
	       ask(STOR_QUERY_PROPERTIES) && ask(STOR_END_INITIALIZATION);
}

/* a command; READ and WRITE are of a page at LBA */
static void command(uint8_t code)
{
	bool data = code == 0x28 || code == 0x2a;
	struct stor_w_packet packet = {
		.op = STOR_EXECUTE_SRB,
		.srb = { .length = 52, .cdb_length = 10, .cdb = { code } },
	};

	if (data) {
		packet.srb.transfer_length = 4096;
		packet.srb.cdb[5] = LBA;
		packet.srb.cdb[8] = 8;
	}
	send(&packet, data);
}

/* of the next answer: GOOD, or its sense; ~0: there is none */
static uint32_t outcome(void)
{
	struct stor_w_packet p;

	if (!hear(&p) || p.status)
		return ~0u;
	if (!(p.srb.srb_status & STOR_SRB_SENSE_VALID))
		return p.srb.srb_status;
	return p.srb.sense[2] << 16 | p.srb.sense[12] << 8 | p.srb.sense[13];
}

static uint32_t run(uint8_t code)
{
	command(code);
	return outcome();
}

#define READ	0x28
#define WRITE	0x2a

/* a guest whose disk is the file */
static bool begin(int file)
{
	struct ovid_disk arg = { .size = sizeof(arg), .fd = file, .serial = "test" };

	start();
	/* as many channels as VPs */
	close(ov_vp(vm.part, 1));
	create(vm.part, 0);
	scsi = offer(vm.part, "scsi", 0);
	if (scsi < 0 || ov_ioctl(scsi, OVID_DISK_ATTACH, &arg) || connect_guest(&g->relid) != 1)
		return false;
	return make_rings() && open_channel() && handshake();
}

/* ---- what is behind it ---- */

static void patience(const char *s)
{
	int fd = open(PATIENCE, O_WRONLY);

	if (fd < 0 || write(fd, s, strlen(s)) < 0)
		tap_bail("no " PATIENCE);
	close(fd);
}

static bool freeze(void)
{
	return !ioctl(root, FIFREEZE, 0);
}

static bool thaw(void)
{
	return !ioctl(root, FITHAW, 0);
}

static void make_filesystem(void)
{
	static const char *const commands[] = {
		"modprobe loop; modprobe ext4; mkdir -p " FOLDER,
		"truncate -s 8M /tmp/fs && mke2fs -F /tmp/fs >/dev/null 2>&1",
		"losetup /dev/loop0 /tmp/fs && mount -t ext4 /dev/loop0 " FOLDER,
		"dd if=/dev/zero of=" FOLDER "/disk bs=64k count=16 2>/dev/null",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		if (!shell(commands[i]))
			tap_bail("no filesystem: %s", commands[i]);
	root = open(FOLDER, O_RDONLY | O_DIRECTORY);
}

static int open_disk(void)
{
	return open(FOLDER "/disk", O_RDWR | O_CLOEXEC);
}

static uint8_t byte_of_file(void)
{
	uint8_t byte = 0;
	int fd = open_disk();

	if (pread(fd, &byte, 1, LBA * 512) != 1)
		byte = 0xff;
	close(fd);
	return byte;
}

static struct ovid_disk_info info(void)
{
	struct ovid_disk_info arg = { .size = sizeof(arg) };

	if (ov_ioctl(scsi, OVID_DISK_INFO, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static int detach(void)
{
	struct ovid_disk arg = { .size = sizeof(arg) };

	return ov_ioctl(scsi, OVID_DISK_DETACH, &arg);
}

static int save(void)
{
	static uint8_t buf[65536];
	struct ovid_vmbus_state arg = {
		.size = sizeof(arg), .op = OVID_STATE_SAVE, .buf = (uintptr_t)buf, .bytes = sizeof(buf),
	};
	int ret;

	if (ov_ctrl(vm.part, OVID_CTRL_PAUSE))
		return -1;
	ret = ov_ioctl(vm.part, OVID_VMBUS_STATE, &arg);
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	return ret;
}

/* ---- a filesystem that is frozen ---- */

static void under_way(void)
{
	memset(vm.ram + BUFFER, 0x11, 4096);
	tap_is(run(WRITE), GOOD, "the guest writes");
	tap_is(byte_of_file(), 0x11, "... to the file");
	tap_ok(freeze(), "its filesystem is frozen");
	memset(vm.ram + BUFFER, 0x22, 4096);
	command(WRITE);
	tap_is(run(0), GOOD, "another command is answered before the write");
	tap_ok(soon(info().under_way == 1), "which is under way");
	tap_fails(detach(), ETIMEDOUT, "the disk cannot be detached");
	tap_is(info().under_way, 1, "... and stays");
	tap_fails(save(), ETIMEDOUT, "nor can the VM be saved");
	tap_is(run(0), GOOD, "... and goes on");
}

static void closed(void)
{
	post_relid(CLOSE, g->relid);
	tap_ok(open_channel(), "the guest closes the channel, and opens it again");
	tap_ok(handshake(), "... which works");
	tap_is(run(READ), IN_PROGRESS, "its disk is not ready");
	tap_is(info().under_way, 1, "what is late does not count as ended");
	tap_fails(save(), ETIMEDOUT, "so the VM cannot be saved");
	tap_ok(thaw(), "the filesystem goes on");
	tap_ok(soon(!info().under_way), "the late write ends");
	tap_is(byte_of_file(), 0x22, "... and was done");
	memset(vm.ram + BUFFER, 0, 4096);
	tap_is(run(READ), GOOD, "the disk is ready");
	tap_is(vm.ram[BUFFER], 0x22, "... and says so");
	tap_is(save(), 0, "the VM can be saved");
	tap_is(detach(), 0, "the disk can be detached");
}

/* an empty image on the filesystem */
static int image_there(void)
{
	struct ovid_vdisk_params p = {
		.format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = 4 << 20,
		.block_size = 1 << 20,
	};
	int from = image_make(&p, -1), to = open(FOLDER "/image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char part[65536];
	ssize_t n;

	lseek(from, 0, SEEK_SET);
	while ((n = read(from, part, sizeof(part))) > 0)
		if (write(to, part, n) != n)
			tap_bail("no image");
	close(from);
	return to;
}

/* one that gets another size when its channel is closed is no request of that one */
static void resized(void)
{
	struct ovid_disk_size size = { .size = sizeof(size), .bytes = 8 << 20 };
	struct ovid_disk arg = { .size = sizeof(arg), .serial = "image", .format = OVID_DISK_VHDX };
	int status = -1;
	pid_t child;

	arg.fd = image_there();
	tap_is(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), 0, "an image is attached");
	close(arg.fd);
	tap_ok(freeze(), "its filesystem is frozen");
	child = fork();
	if (!child)
		_exit(!!ov_ioctl(scsi, OVID_DISK_RESIZE, &size));
	tap_ok(soon(info().under_way == 1), "it becomes larger, but not now");
	post_relid(CLOSE, g->relid);
	tap_ok(open_channel() && handshake(), "the guest closes the channel, and opens it again");
	tap_fails(save(), ETIMEDOUT, "the VM cannot be saved");
	tap_fails(detach(), ETIMEDOUT, "nor the disk be detached");
	tap_ok(thaw(), "the filesystem goes on");
	tap_ok(waitpid(child, &status, 0) == child && !status, "it has become larger");
	tap_is(info().bytes, 8 << 20, "... as it says");
	tap_is(info().under_way, 0, "nothing is under way");
	tap_is(save(), 0, "the VM can be saved");
	tap_is(detach(), 0, "the disk can be detached");
	unlink(FOLDER "/image");
}

static void attach_again(void)
{
	struct ovid_disk arg = { .size = sizeof(arg), .serial = "test" };

	arg.fd = open_disk();
	tap_is(ov_ioctl(scsi, OVID_DISK_ATTACH, &arg), 0, "it is attached again");
	close(arg.fd);
}

/* a late request of one that is gone, with all that it had */
static void of_sub_channel(void)
{
	uint32_t m[47];

	tap_ok(ask(STOR_CREATE_SUBS), "the guest wants a sub-channel");
	tap_is(receive(m, 47), OFFER, "... and is offered one");
	sub.relid = m[46];
	g = &sub;
	tap_ok(make_rings() && open_channel(), "... which it opens");
	tap_is(run(WRITE), GOOD, "it writes by that");
	tap_ok(freeze(), "the filesystem is frozen");
	command(WRITE);
	tap_ok(soon(info().under_way == 1), "a write by the sub-channel is under way");
	g = &primary;
	post_relid(CLOSE, primary.relid);
	tap_is(receive(m, 3), RESCIND, "with the primary channel it is taken back");
	post_relid(CLOSE, sub.relid);
	post_relid(RELEASED, sub.relid);
	tap_ok(open_channel() && handshake(), "the primary one is opened again");
	tap_is(run(READ), IN_PROGRESS, "the disk is not ready");
	tap_is(info().under_way, 1, "the write is late");
	tap_ok(thaw(), "the filesystem goes on");
	tap_ok(soon(!info().under_way), "the late write ends");
	tap_is(run(READ), GOOD, "the disk is ready");
}

static void end_of_partition(void)
{
	tap_ok(freeze(), "the filesystem is frozen");
	command(WRITE);
	command(READ);
	tap_ok(soon(info().under_way), "requests are under way");
	close(scsi);
	ov_vm_destroy(&vm);
	tap_ok(soon(!ov_partitions()), "the partition ends before they do");
	tap_ok(thaw(), "the filesystem goes on");
	close(root);
	tap_ok(within_a_while("umount " FOLDER), "and then nobody has the file");
	shell("losetup -d /dev/loop0");
}

/* ---- a device that takes seconds ---- */

static void killed(void)
{
	int fd, ready[2];
	pid_t child;
	char byte;

	if (!shell("modprobe null_blk nr_devices=1 gb=1 irqmode=2 completion_nsec=3000000000") ||
	    pipe(ready))
		tap_bail("no null_blk");
	child = fork();
	if (!child) {
		fd = open("/dev/nullb0", O_RDWR | O_DIRECT);
		if (fd < 0 || !begin(fd))
			_exit(1);
		command(WRITE);
		command(READ);
		if (!soon(info().under_way == 2) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	tap_is(read(ready[0], &byte, 1), 1, "a worker has requests under way at a slow device");
	kill(child, SIGKILL);
	tap_ok(waitpid(child, NULL, 0) == child, "it is killed");
	tap_ok(soon(!ov_partitions()), "its partition ends");
	tap_ok(within_a_while("rmmod null_blk"), "the device is let go of");
}

int main(void)
{
	int fd;

	tap_begin("abi-late", 120);
	patience("1");
	make_filesystem();
	fd = open_disk();
	if (!tap_ok(begin(fd), "a guest has a disk"))
		return tap_done();
	close(fd);
	under_way();
	closed();
	resized();
	attach_again();
	of_sub_channel();
	end_of_partition();
	killed();
	patience("30");
	return tap_done();
}
