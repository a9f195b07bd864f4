// SPDX-License-Identifier: GPL-2.0-only
/* what an operator sees without a rebuild: tracepoints and debugfs */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/bus.h"

#define TRACING	"/sys/kernel/tracing/"
#define DEBUGFS	"/sys/kernel/debug/ovid"

CODE16(traced16, "mov $0x1234, %ecx; rdmsr; " STOP16);
CODE16(io16, "mov $0x5a, %al; out %al, $0x80; movl %eax, %ds:(%si); " STOP16);

static char text[1 << 20];

static bool put(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool ok = fd >= 0 && write(fd, what, strlen(what)) == (ssize_t)strlen(what);

	close(fd);
	return ok;
}

/* the file's contents in @text */
static bool get(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t n = 0;
	ssize_t r;

	while (fd >= 0 && n < sizeof(text) - 1 && (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += r;
	text[n] = 0;
	close(fd);
	return fd >= 0;
}

static struct { char *name; bool seen; } events[64];
static unsigned int nr_events;

/* all that there are, so that a new one without a test is told */
static void list_events(void)
{
	DIR *dir = opendir(TRACING "events/ovid");
	struct dirent *d;

	while (dir && (d = readdir(dir)) && nr_events < ARRAY_SIZE(events))
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			events[nr_events++].name = strdup(d->d_name);
	if (dir)
		closedir(dir);
}

/* those that are in @text */
static void mark_seen(void)
{
	for (unsigned int i = 0; i < nr_events; i++) {
		char line[300];

		snprintf(line, sizeof(line), " %s: ", events[i].name);
		events[i].seen |= !!strstr(text, line);
	}
}

static void each_was_seen(void)
{
	tap_ok(nr_events >= 20, "there are %u tracepoints", nr_events);
	for (unsigned int i = 0; i < nr_events; i++)
		tap_ok(events[i].seen, "%s was traced", events[i].name);
}

static void tracepoints(void)
{
	struct mshv_root_hvcall call = { .code = 0x7777, .in_sz = 8, .in_ptr = (uintptr_t)text };
	struct ov_vm vm;

	if (!put(TRACING "events/ovid/enable", "1")) {
		tap_skip("tracepoints", "no tracefs, or no events in it");
		return;
	}
	put(TRACING "trace", "");
	ov_vm_create(&vm, 1 << 20, traced16, CODE_LEN(traced16));
	ov_set128(vm.vp, HV_X64_REGISTER_IDTR, 0, 0);
	ov_run(vm.vp);		/* #GP without an IDT ends in a triple fault: both are traced */
	ov_ioctl(vm.part, MSHV_ROOT_HVCALL, &call);
	ov_unmap(vm.part, 0, 1 << 20);
	ov_vm_destroy(&vm);
	put(TRACING "events/ovid/enable", "0");
	tap_ok(get(TRACING "trace"), "read the trace");
	mark_seen();
	tap_ok(strstr(text, "read 0x1234"), "the MSR is named");
	tap_ok(strstr(text, "shutdown"), "and the exit's kind");
	tap_ok(strstr(text, "code 0x7777"), "and the hypercall");

	put(TRACING "trace", "");
	ov_vm_create(&vm, 1 << 20, io16, CODE_LEN(io16));
	ov_run(vm.vp);
	ov_vm_destroy(&vm);
	get(TRACING "trace");
	tap_ok(!strstr(text, "vp_exit"), "nothing is traced when it is off");
}

/* the only folder of debugfs/ovid, or NULL */
static const char *only_folder(void)
{
	static char path[300];
	const char *found = NULL;
	struct dirent *d;
	DIR *dir = opendir(DEBUGFS);

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), DEBUGFS "/%s", d->d_name);
		found = path;
	}
	if (dir)
		closedir(dir);
	return found;
}

CODE32(apic32, "movl $0x1ff, 0xfee000f0; out %al, $0xf4");

/* an interrupt for an APIC that takes it */
static void interrupt(void)
{
	ov_enter32(&vm, apic32, CODE_LEN(apic32), 0, 0);
	ov_run(vm.vp);
	ov_commit(&vm);
	ov_inject(vm.part, OVID_INJECT_MSI, 0xfee00000, 0x41);
}

/* a packet that the echo sends back, and then one that makes no sense */
static void talk(uint32_t relid)
{
	uint32_t packet[6] = { 6 | 2 << 16, 2, 1 }, m[5];
	volatile uint32_t *ring = (volatile uint32_t *)(vm.ram + RING);

	post_gpadl(relid);
	post_open(relid);
	receive(m, 5);
	memcpy(vm.ram + RING + 4096, packet, sizeof(packet));
	ring[0] = sizeof(packet);
	call(SIGNAL | FAST, connection(relid));
	tap_ok(soon(ring[2 * 4096 / 4] == sizeof(packet)), "the echo answers");
	ring[0] = 0x12345;
	call(SIGNAL | FAST, connection(relid));
}

/* the bus: what the guest says and hears, and what becomes of a channel */
static void bus_tracepoints(void)
{
	static const char *const lines[] = {
		"chan_offer: part", "provider 'echo'", "INITIATE_CONTACT", "VERSION_RESPONSE",
		"chan_rescind: part", "OPEN_RESULT", "GPADL_CREATED",
	};
	uint32_t relid = 0;
	int h;

	if (!put(TRACING "events/ovid/enable", "1")) {
		tap_skip("tracepoints of the bus", "no tracefs, or no events in it");
		return;
	}
	put(TRACING "trace", "");
	start();
	interrupt();
	create(vm.part, 0);
	h = offer(vm.part, "echo", 0);
	connect_guest(&relid);
	talk(relid);
	for (int n = 0; n < 500 && !(get(TRACING "trace") && strstr(text, "chan_broken")); n++)
		ov_sleep_ms(4);
	post_relid(CLOSE, relid);
	close(h);
	ov_vm_destroy(&vm);
	put(TRACING "events/ovid/enable", "0");
	get(TRACING "trace");
	mark_seen();
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		tap_ok(strstr(text, lines[i]), "the trace has %s", lines[i]);
	each_was_seen();
}

/* a channel's file comes with the offer and goes with it */
static void bus_debugfs(const char *folder, int part)
{
	struct ovid_vmbus_create arg = { .size = sizeof(arg) };
	struct ovid_vmbus_offer echo = { .size = sizeof(echo), .provider = "echo" };
	char path[320];
	int h, fd;

	ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
	h = ov_ioctl(part, OVID_VMBUS_OFFER, &echo);
	snprintf(path, sizeof(path), "%s/chan0-echo", folder);
	tap_ok(get(path) && strstr(text, "signals_in") && strstr(text, "relid"), "a channel's file");
	snprintf(path, sizeof(path), "%s/stats", folder);
	tap_ok(get(path) && strstr(text, "bus_channels             1\n"), "the bus's counters");
	snprintf(path, sizeof(path), "%s/chan0-echo", folder);
	fd = open(path, O_RDONLY);
	close(h);
	tap_ok(!get(path), "it went with the channel");
	tap_ok(read(fd, text, 10) < 0, "an open file reads no more");
	close(fd);
}

/* debugfs at @path and the statistics file say the same of what stands still */
static void same_counters(const char *path, int stats)
{
	struct ovid_stats_header h;
	struct ovid_stats_desc d;
	unsigned int bad = 0;
	char line[80];

	if (!get(path) || pread(stats, &h, sizeof(h), 0) != sizeof(h)) {
		tap_ok(false, "both can be read");
		return;
	}
	for (uint32_t i = 0; i < h.count; i++) {
		const char *at = text;
		unsigned long long value;

		if (pread(stats, &d, sizeof(d), h.desc_offset + i * sizeof(d)) != sizeof(d) ||
		    pread(stats, &value, 8, h.value_offset + i * 8) != 8)
			break;
		snprintf(line, sizeof(line), "\n%s ", (char *)d.name);
		if (strncmp(text, line + 1, strlen(line + 1)))
			at = strstr(text, line);
		if (at && strtoull(strchr(at + 1, ' '), NULL, 10) == value)
			continue;
		tap_note("%s is %llu, debugfs has %.40s", d.name, value, at ?: "none");
		bad++;
	}
	tap_is(bad, 0, "%u counters, by debugfs as by their file", h.count);
}

static void debugfs(void)
{
	char path[320], *line;
	const char *folder;
	struct ov_vm vm;
	int dev, part, fd;

	if (access(DEBUGFS, F_OK)) {
		tap_skip("debugfs", "it is not there");
		return;
	}
	tap_ok(!only_folder(), "no partition, no folder");
	ov_vm_create(&vm, 1 << 20, io16, CODE_LEN(io16));
	ov_run(vm.vp);
	folder = only_folder();
	if (!tap_ok(folder != NULL, "a folder for the partition"))
		return;
	snprintf(path, sizeof(path), "%s/vp0", folder);
	tap_ok(get(path), "vp0 can be read");
	line = strstr(text, "exit_io ");
	tap_is(line ? atoi(line + 8) : -1, 1, "one port exit");
	fd = ov_ioctl(vm.vp, OVID_GET_STATS_FD, NULL);
	same_counters(path, fd);
	close(fd);
	snprintf(path, sizeof(path), "%s/stats", folder);
	tap_ok(get(path) && strstr(text, "pages_4k") && strstr(text, "doorbells"), "stats can be read");
	fd = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	same_counters(path, fd);
	close(fd);
	bus_debugfs(folder, vm.part);
	snprintf(path, sizeof(path), "%s/stats", folder);
	fd = open(path, O_RDONLY);
	ov_vm_destroy(&vm);
	tap_ok(!only_folder(), "the folder went with the partition");
	tap_ok(read(fd, text, 10) < 0, "an open file reads no more");
	close(fd);

	/* a name is its owner's, and is no path */
	dev = ov_open();
	part = ov_partition(dev, "../a/\x01 \x7f\xff");
	tap_ok(part >= 0, "a partition with an odd name");
	folder = only_folder();
	tap_ok(folder && strstr(folder, "-.._a_____"), "has a plain folder: %s", folder ?: "none");
	close(part);
	close(dev);
}

int main(void)
{
	tap_begin("abi-observe", 60);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	list_events();
	tracepoints();
	bus_tracepoints();
	debugfs();
	return tap_done();
}
