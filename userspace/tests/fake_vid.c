// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_vid.c - takes the place of lib/vid.c: a "module" without a processor.
 *
 * Its guest is the kernel's command line, a list of words that VP 0 carries out
 * as exits; so the whole path of `ovid run` can be tried where no VMX is.
 *
 *   say:TEXT  port writes to COM1, and a newline    off    ACPI power-off
 *   reset     ACPI reset; once only                 crash  triple fault
 *   exit:N    debug exit                            spin   until stopped
 *   echo      reads a line from COM1 and says it    flood  says much
 *   fail      VM entry failure                      bad    open(), past the sandbox
 *   raw       an instruction nobody knows           task   a hardware task switch
 *   refuse:X  X fails from now on: map, vp, regs, state, save, restore, sockets, detach,
 *             net, end
 *   dhcp:N    asks for an address by network card N, and says which it was given
 *   ic:MOOD   of the integration components (fake_ic.c)
 *   NAME=TEXT, ro  nothing
 *   connect:N socket to port N of the host, and says the errno that it is refused by;
 *             connect:x to a service that is no port
 *
 * There is /dev/ovid-vsock if OVID_FAKE_VSOCK is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/vid.h"
#include "../worker/load.h"
#include "fake_ic.h"
#include "fake_net.h"

#define MAX_VPS	4
#define SPARE	40
#define CPUIDS	4

/* a V file of this or of an earlier partition */
struct fake_vp {
	int fd;
	u32 index;
	struct ovid_run *run;
};

static struct {
	const char *device;
	u8 *memory;
	char script[LOAD_MAX_CMDLINE];
	bool booted, paused;
	unsigned int resets;
	struct fake_vp vp[2 * SPARE];
	int spare_vp[SPARE], spare_stats[SPARE];	/* the sandbox lets nobody make files */
	unsigned int vps_made, stats_made;
	_Atomic(const char *) refuse;
	struct ovid_run *page;	/* VP 0's last run page, and what was on it */
	u64 address, value;
	size_t at, inside;	/* word, and byte of it */
	char line[64];
	bool reading;
	struct ovid_cpuid_entry cpuid[CPUIDS];
	u32 cpuids;
	int connects[SPARE][2];	/* files C, our end first; the last one's bus is the VM's */
	unsigned int connects_made;
	bool connecting;
	_Atomic int refused;	/* -1: there was no answer */
} fake = {
	/* what a VMBus needs: SynIC, messages and events */
	.cpuid[0] = { .leaf = 0x40000003, .eax = 1 << 2, .ebx = 1 << 4 | 1 << 5 }, .cpuids = 1,
};

static int file(const char *name, u64 bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 || ftruncate(fd, bytes) ? -errno : fd;
}

/* Devices that are not as they should be: fake-denied, fake-busy, fake-old, fake-full. */
int vid_open(const char *path)
{
	if (!strcmp(path, "/dev/fake-denied"))
		return -EACCES;
	if (!strcmp(path, VID_VSOCK_DEVICE) && getenv("OVID_FAKE_VSOCK"))
		return file("vsock", 0);
	if (strncmp(path, "/dev/fake", 9))
		return -ENOENT;
	fake.device = path;
	return file("device", 0);
}

int vid_get_info(int dev, struct ovid_info *info)
{
	(void)dev;
	*info = (struct ovid_info){ .abi_version = OVID_ABI_VERSION, .max_vps = MAX_VPS };
	if (!strcmp(fake.device, "/dev/fake-busy")) {
		info->blockers = OVID_BLOCK_VMX_BUSY;
		strcpy((char *)info->reason, "VMX is in use by another hypervisor");
	}
	if (!strcmp(fake.device, "/dev/fake-old"))
		info->abi_version++;
	return 0;
}

int vid_create_partition(int dev, u32 flags, const char *name)
{
	(void)dev;
	(void)flags;
	/* `ovid pulse` knows its device, a worker does not */
	if (fake.device && !strcmp(fake.device, "/dev/fake-full"))
		return -ENOMEM;
	return file(name, 0);
}

static bool refused(const char *what)
{
	const char *now = fake.refuse;

	return now && !strncmp(now, what, strlen(what));
}

/* One counter, as the module lays it out. */
static int stats_file(void)
{
	struct ovid_stats_header h = {
		.version = 1, .count = 1, .desc_offset = 128, .value_offset = 256, .name = "vm",
	};
	struct ovid_stats_desc d = { .name = "exits" };
	u64 value = 42;
	int fd = file("stats", 4096);

	if (pwrite(fd, &h, sizeof(h), 0) < 0 || pwrite(fd, &d, sizeof(d), 128) < 0 ||
	    pwrite(fd, &value, sizeof(value), 256) < 0)
		return -EIO;
	return fd;
}

int vid_create_memory(int dev, u32 flags, u64 bytes)
{
	int fd = file("memory", bytes);

	(void)dev;
	(void)flags;
	for (unsigned int i = 0; i < SPARE; i++) {
		fake.spare_vp[i] = file("vp", (u64)(OVID_VP_MMAP_RUN + 1) * 4096);
		fake.spare_stats[i] = stats_file();
	}
	fake_net_make();
	fake.memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return fd;
}

int vid_map_memory(int part, u64 gpa, u64 bytes, int memory, u64 offset)
{
	(void)part, (void)gpa, (void)bytes, (void)memory, (void)offset;
	return refused("map") ? -ENOSPC : 0;
}

int vid_discard_memory(int part, u64 gpa, u64 bytes)
{
	(void)part;
	memset(fake.memory + gpa, 0, bytes);
	return 0;
}

int vid_get_cpuid(int part, struct ovid_cpuid_entry *entries, u32 *count)
{
	(void)part;
	*count = fake.cpuids;
	memcpy(entries, fake.cpuid, fake.cpuids * sizeof(*entries));
	return 0;
}

int vid_set_cpuid(int part, const struct ovid_cpuid_entry *entries, u32 count)
{
	(void)part;
	fake.cpuids = count < CPUIDS ? count : CPUIDS;
	memcpy(fake.cpuid, entries, fake.cpuids * sizeof(*entries));
	return 0;
}

int vid_partition_ctrl(int part, u32 op)
{
	(void)part;
	if (op == OVID_CTRL_RESET) {
		if (!fake.paused)
			return -EBUSY;
		fake.resets++;
		fake.booted = fake.reading = false;
		fake.at = fake.inside = 0;
		fake.refuse = NULL;
	} else {
		__atomic_store_n(&fake.paused, op == OVID_CTRL_PAUSE, __ATOMIC_SEQ_CST);
	}
	return 0;
}

int vid_get_property(int part, u32 code, u64 *value)
{
	(void)part;
	*value = code;
	return 0;
}

int vid_set_property(int part, u32 code, u64 value)
{
	(void)part, (void)code, (void)value;
	return 0;
}

int vid_inject(int part, u32 kind, u64 address, u32 data)
{
	(void)part, (void)kind, (void)address, (void)data;
	return 0;
}

int vid_stats_fd(int fd)
{
	(void)fd;
	/* the first is the partition's, made before its memory */
	if (!fake.memory)
		return stats_file();
	return fake.stats_made < SPARE ? fake.spare_stats[fake.stats_made++] : -EMFILE;
}

/*
 * Disks: a controller's file is a number that no file has, so that it tells which one it is.  A bus
 * that takes another one's place has controllers of its own.
 */
#define SCSI_FD		100000

static struct {
	bool there[4 * OVID_DISK_MAX];
	int fd[4 * OVID_DISK_MAX];	/* and 1; 0: no disc */
	u64 bytes[4 * OVID_DISK_MAX];
	struct ovid_disk_limit limit[4 * OVID_DISK_MAX];
} fake_disks[2];
static unsigned int scsi_turn;

static u64 file_blocks(int fd)
{
	return lseek(fd, 0, SEEK_END) / 512 * 512;
}

static unsigned int disk_at(int scsi, u8 lun)
{
	return (scsi - SCSI_FD) % 4 * OVID_DISK_MAX + lun;
}

static unsigned int bus_of(int scsi)
{
	return (scsi - SCSI_FD) / 4;
}

int vid_offer_scsi(int part, u8 n)
{
	(void)part;
	return SCSI_FD + scsi_turn * 4 + n;
}

/* as the module: nothing shorter than a block is a disk */
int vid_attach_disk(int scsi, struct ovid_disk *disk)
{
	const __s32 *parents = (const __s32 *)(uintptr_t)disk->parents;
	unsigned int at = disk_at(scsi, disk->lun), bus = bus_of(scsi);
	u64 bytes = disk->fd < 0 ? 0 : file_blocks(disk->fd);

	if (disk->nr_parents && disk->format != OVID_DISK_VHDX)
		return -EINVAL;
	for (unsigned int i = 0; i < disk->nr_parents; i++)
		if (file_blocks(parents[i]) < 512)
			return -EBADF;
	if (bytes < 512 && !(disk->fd < 0 && disk->flags & OVID_DISK_DVD))
		return -EINVAL;
	if (fake_disks[bus].there[at])
		return -EEXIST;
	fake_disks[bus].there[at] = true;
	fake_disks[bus].fd[at] = disk->fd + 1;
	fake_disks[bus].bytes[at] = bytes;
	fake_disks[bus].limit[at] = (struct ovid_disk_limit){ 0 };
	return 0;
}

int vid_detach_disk(int scsi, u8 lun)
{
	bool *there = &fake_disks[bus_of(scsi)].there[disk_at(scsi, lun)];

	if (refused("detach"))
		return -ETIMEDOUT;
	if (!*there)
		return -ENOENT;
	*there = false;
	return 0;
}

int vid_resize_disk(int scsi, u8 lun, u64 *bytes)
{
	unsigned int at = disk_at(scsi, lun), bus = bus_of(scsi);

	if (!fake_disks[bus].there[at])
		return -ENOENT;
	if (*bytes) {
		if (refused("resize"))
			return -EROFS;
		fake_disks[bus].bytes[at] = *bytes;
		return 0;
	}
	if (file_blocks(fake_disks[bus].fd[at] - 1) < 512)
		return -EINVAL;
	fake_disks[bus].bytes[at] = *bytes = file_blocks(fake_disks[bus].fd[at] - 1);
	return 0;
}

/* a drive is kept closed by "refuse:medium" */
int vid_disk_medium(int scsi, u8 lun, int fd, bool force)
{
	unsigned int at = disk_at(scsi, lun), bus = bus_of(scsi);

	if (fd >= 0 && file_blocks(fd) < 2048)
		return -EINVAL;
	if (!fake_disks[bus].there[at])
		return -ENOENT;
	if (!force && refused("medium"))
		return -EBUSY;
	fake_disks[bus].fd[at] = fd + 1;
	fake_disks[bus].bytes[at] = fd < 0 ? 0 : file_blocks(fd);
	return 0;
}

int vid_disk_limit(int scsi, struct ovid_disk_limit *limit)
{
	struct ovid_disk_limit *is = &fake_disks[bus_of(scsi)].limit[disk_at(scsi, limit->lun)];

	if (!fake_disks[bus_of(scsi)].there[disk_at(scsi, limit->lun)])
		return -ENOENT;
	if (limit->flags && refused("limit"))
		return -ENOMEM;
	if (limit->flags)
		*is = *limit;
	*limit = *is;
	limit->waited = 5;
	return 0;
}

int vid_disk_info(int scsi, u8 lun, struct ovid_disk_info *info)
{
	unsigned int at = disk_at(scsi, lun), bus = bus_of(scsi);

	*info = (struct ovid_disk_info){ .size = sizeof(*info), .lun = lun, .block_bytes = 512 };
	if (!fake_disks[bus].there[at])
		return -ENOENT;
	info->bytes = fake_disks[bus].bytes[at];
	info->requests = 7;
	return 0;
}

/* that of a bus is one text, and goes only into one that awaits it */
static const char bus_state[] = "the state of a bus";
static bool bus_awaits;

int vid_create_vmbus(int part, u32 max_version, u32 flags)
{
	(void)part, (void)max_version;
	if (flags & OVID_VMBUS_AWAITS_STATE)
		scsi_turn ^= 1;
	memset(&fake_disks[scsi_turn], 0, sizeof(fake_disks[scsi_turn]));
	bus_awaits = flags & OVID_VMBUS_AWAITS_STATE;
	return 0;
}

int vid_save_vmbus(int part, void *buf, u64 *bytes)
{
	bool fits = *bytes >= sizeof(bus_state);

	(void)part;
	if (refused("save"))
		return -ENOMEM;
	*bytes = sizeof(bus_state);
	if (!fits)
		return -E2BIG;
	memcpy(buf, bus_state, sizeof(bus_state));
	return 0;
}

int vid_restore_vmbus(int part, const void *buf, u64 bytes)
{
	(void)part;
	if (refused("restore") || !bus_awaits || bytes != sizeof(bus_state) ||
	    memcmp(buf, bus_state, bytes))
		return -EINVAL;
	return 0;
}

int vid_offer(int part, const char *provider, u32 latency)
{
	(void)part, (void)latency;
	return fake_ic_offer(provider);
}

int vid_sockets(int part)
{
	(void)part;
	if (refused("sockets"))
		return -ENOMEM;
	/* the sandbox comes behind the first */
	for (unsigned int i = 0; !fake.connects_made && i < SPARE; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fake.connects[i]))
			return -errno;
	return fake.connects_made < SPARE ? fake.connects[fake.connects_made++][1] : -EMFILE;
}

int vid_socket_reply(int sockets, u64 id, u32 refuse)
{
	(void)sockets;
	fake.refused = id == 77 ? refuse : 999;
	return 0;
}

/* CID 7 is somebody's */
int vid_vsock_bind(int vsock, int part, u32 cid)
{
	if (vsock < 0 || part < 0)
		return -EBADF;
	return cid == 7 ? -EADDRINUSE : 0;
}

/* By its file; the number of one that was closed may have come back. */
static struct fake_vp *vp_of(int fd)
{
	struct fake_vp *vp = fake.vp;

	while (vp->run && vp->fd != fd)
		vp++;
	return vp;
}

int vid_create_vp(int part, u32 index)
{
	struct fake_vp *vp;
	int fd;

	(void)part;
	if (refused("vp"))
		return -ENOMEM;
	if (fake.vps_made == SPARE)
		return -EMFILE;
	fd = fake.spare_vp[fake.vps_made++];
	vp = vp_of(fd);
	vp->fd = fd;
	vp->index = index;
	vp->run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       (off_t)OVID_VP_MMAP_RUN * 4096);
	return fd;
}

int vid_get_regs(int vp, struct ovid_reg *regs, u32 count)
{
	(void)vp, (void)regs, (void)count;
	return 0;
}

int vid_set_regs(int vp, const struct ovid_reg *regs, u32 count)
{
	(void)vp, (void)regs, (void)count;
	return refused("regs") ? -EINVAL : 0;
}

int vid_get_state(int vp, u8 type, void *page)
{
	(void)vp, (void)type;
	memset(page, 0, 4096);
	return 0;
}

int vid_set_state(int vp, u8 type, void *page)
{
	(void)vp, (void)type, (void)page;
	return refused("state") ? -EINVAL : 0;
}

static int out(struct ovid_run *run, u16 port, u32 value, u8 size)
{
	run->exit = OVID_EXIT_IO;
	run->write = 1;
	run->address = port;
	run->value = value;
	run->access_size = size;
	return 0;
}

static int wait_cancel(struct ovid_run *run)
{
	if (__atomic_load_n(&run->cancel, __ATOMIC_ACQUIRE))
		return 1;
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	run->exit = OVID_EXIT_NONE;
	return __atomic_load_n(&run->cancel, __ATOMIC_ACQUIRE) ? 1 : -EINTR;
}

/* The next byte of @text and a newline; then the word is done. */
static int say(struct ovid_run *run, const char *text, size_t *word)
{
	char c = text[fake.inside++];

	if (c == ' ' || !c) {
		*word = fake.at + strcspn(fake.script + fake.at, " ");
		c = '\n';
	}
	return out(run, 0x3f8, c, 1);
}

static int echo(struct ovid_run *run, size_t *word)
{
	if (!fake.inside) {
		fake.inside = 1;
		return out(run, 0x3fc, 0x0b, 1);
	}
	if (fake.reading) {
		fake.reading = false;
		if (run->address == 0x3fd && !(run->value & 1)) {
			wait_cancel(run);
			run->address = 0;
			return -EINTR;
		}
		if (run->address == 0x3f8 && run->value == '\n') {
			*word = fake.at + 4;
			return out(run, 0x3f8, '!', 1);
		}
		run->address = run->address == 0x3fd ? 0x3f8 : 0x3fd;
		if (run->address == 0x3fd)
			return out(run, 0x3f8, run->value, 1);
	} else {
		run->address = 0x3fd;
	}
	fake.reading = true;
	run->exit = OVID_EXIT_IO;
	run->write = 0;
	run->access_size = 1;
	return 0;
}

static void ask(const char *port)
{
	static const u8 template[12] = {
		0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3
	};
	struct ovid_socket_connect c = { .id = 77 };
	u32 n = strtoul(port, NULL, 10);

	memcpy(c.service, &n, sizeof(n));
	if (*port != 'x')
		memcpy(c.service + sizeof(n), template, sizeof(template));
	fake.refused = -1;
	fake.connecting = write(fake.connects[fake.connects_made - 1][0], &c, sizeof(c)) ==
			  sizeof(c);
}

static int connect_host(struct ovid_run *run, const char *port, size_t *word)
{
	static char text[24];

	if (!fake.inside && !fake.connecting)
		ask(port);
	if (fake.refused < 0)
		return wait_cancel(run);
	fake.connecting = false;
	if (!fake.inside)
		snprintf(text, sizeof(text), "refused:%d", fake.refused);
	return say(run, text, word);
}

static int dhcp(struct ovid_run *run, const char *nr, size_t *word)
{
	static char text[32];

	if (!fake.inside && !fake_net_dhcp(*nr - '0', text, sizeof(text)))
		return wait_cancel(run);
	return say(run, text, word);
}

static int flood(struct ovid_run *run, size_t *word)
{
	if (++fake.inside == 300000)
		*word = fake.at + 5;
	return out(run, 0x3f8, fake.inside % 64 ? 'f' : '\n', 1);
}

static int carry_out(struct ovid_run *run)
{
	const char *w = fake.script + fake.at;
	size_t next = fake.at;
	int ret = 0;

	run->exit = OVID_EXIT_NONE;
	if (!strncmp(w, "say:", 4)) {
		ret = say(run, w + 4, &next);
	} else if (!strncmp(w, "echo", 4)) {
		ret = echo(run, &next);
	} else if (!strncmp(w, "flood", 5)) {
		ret = flood(run, &next);
	} else if (!strncmp(w, "off", 3)) {
		ret = out(run, 0x600, 0x34, 1);
	} else if (!strncmp(w, "reset", 5)) {
		next = fake.at + 5;
		if (!fake.resets)
			ret = out(run, 0x602, 1, 1);
	} else if (!strncmp(w, "exit:", 5)) {
		ret = out(run, 0xf4, w[5] - '0', 4);
	} else if (!strncmp(w, "crash", 5)) {
		run->exit = OVID_EXIT_SHUTDOWN;
	} else if (!strncmp(w, "fail", 4)) {
		run->exit = OVID_EXIT_FAIL;
		run->fail_error = 7;
	} else if (!strncmp(w, "task", 4)) {
		run->exit = OVID_EXIT_FAIL;
		run->fail_error = 9;
	} else if (!strncmp(w, "raw", 3)) {
		run->exit = OVID_EXIT_MMIO_RAW;
		run->insn_len = 2;
		memcpy(run->bytes, "\x0f\x0b", 2);
	} else if (!strncmp(w, "refuse:", 7)) {
		next = fake.at + strcspn(w, " ");
		fake.refuse = w + 7;
		fake_net_refuse(w + 7);
	} else if (!strncmp(w, "dhcp:", 5)) {
		ret = dhcp(run, w + 5, &next);
	} else if (!strncmp(w, "ic:", 3)) {
		next = fake.at + strcspn(w, " ");
		fake_ic_mood(w + 3);
	} else if (!strncmp(w, "connect:", 8)) {
		ret = connect_host(run, w + 8, &next);
	} else if (!strncmp(w, "bad", 3)) {
		next = fake.at + 3;
		if (socket(AF_UNIX, 1, 0) >= 0)
			ret = out(run, 0xf4, 9, 1);
	} else if (memchr(w, '=', strcspn(w, " ")) || !strncmp(w, "ro ", 3)) {
		next = fake.at + strcspn(w, " ");
	} else {
		return wait_cancel(run);
	}
	if (next != fake.at) {
		fake.at = next + (fake.script[next] == ' ');
		fake.inside = 0;
	}
	return ret;
}

int vid_run_vp(int vp)
{
	struct ovid_run *run = vp_of(vp)->run;
	int ending;

	if (vp_of(vp)->index)
		return wait_cancel(run);
	if (__atomic_load_n(&run->cancel, __ATOMIC_ACQUIRE)) {
		fake.page = run;
		fake.address = run->address;
		fake.value = run->value;
		return 1;
	}
	/* what was read before it moved to another page is the guest's */
	if (fake.page && fake.page != run) {
		run->address = fake.address;
		run->value = fake.value;
		fake.page = run;
	}
	if (__atomic_load_n(&fake.paused, __ATOMIC_SEQ_CST))
		return wait_cancel(run);
	if (!fake.booted) {
		memcpy(fake.script, fake.memory + LOAD_CMDLINE, sizeof(fake.script) - 1);
		fake.booted = true;
	}
	ending = fake_ic_ending();
	if (ending)
		return ending == 1 ? out(run, 0x600, 0x34, 1) : out(run, 0x602, 1, 1);
	return carry_out(run);
}
