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

#include "lib/ov.h"
#include "lib/tap.h"

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

static void tracepoints(void)
{
	static const char * const fired[] = {
		"partition_create", "vp_create", "gpa_map", "vp_exit", "vp_to_worker",
		"msr_refused", "vp_inject", "root_hvcall", "gpa_zap", "partition_destroy",
	};
	struct mshv_root_hvcall call = { .code = 0x7777, .in_sz = 8, .in_ptr = (uintptr_t)text };
	unsigned int i;
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
	for (i = 0; i < ARRAY_SIZE(fired); i++) {
		char name[40];

		snprintf(name, sizeof(name), " %s: ", fired[i]);
		tap_ok(strstr(text, name), "%s was traced", fired[i]);
	}
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

/* the bus: what the guest says and hears, and what becomes of a channel */
static void bus_tracepoints(void)
{
	static const char *const lines[] = {
		"chan_offer: part", "provider 'echo'", "INITIATE_CONTACT", "VERSION_RESPONSE",
		"chan_rescind: part",
	};
	struct ovid_vmbus_create arg = { .size = sizeof(arg) };
	struct ovid_vmbus_offer echo = { .size = sizeof(echo), .provider = "echo" };
	uint32_t contact[10] = { 14, 0, OVID_VMBUS_VERSION(5, 3), 0, 2 };
	struct { uint32_t connection, zero, type, bytes; uint32_t words[10]; } in = {
		4, 0, 1, sizeof(contact), {}
	};
	struct ov_vm vm;
	int h;

	if (!put(TRACING "events/ovid/enable", "1")) {
		tap_skip("tracepoints of the bus", "no tracefs, or no events in it");
		return;
	}
	put(TRACING "trace", "");
	ov_vm_create32(&vm, 1 << 20);
	ov_set(vm.vp, HV_REGISTER_GUEST_OS_ID, 1);
	ov_set(vm.vp, HV_X64_REGISTER_HYPERCALL, 0x10001);
	ov_ioctl(vm.part, OVID_VMBUS_CREATE, &arg);
	h = ov_ioctl(vm.part, OVID_VMBUS_OFFER, &echo);
	memcpy(in.words, contact, sizeof(contact));
	memcpy(vm.ram + 0x3000, &in, sizeof(in));
	ov_hypercall(&vm, 0x5c, 0x3000);
	for (int n = 0; n < 500 && !(get(TRACING "trace") && strstr(text, "bus_message_in")); n++)
		ov_sleep_ms(4);
	close(h);
	ov_vm_destroy(&vm);
	put(TRACING "events/ovid/enable", "0");
	get(TRACING "trace");
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		tap_ok(strstr(text, lines[i]), "the trace has %s", lines[i]);
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
	snprintf(path, sizeof(path), "%s/stats", folder);
	tap_ok(get(path) && strstr(text, "pages_4k") && strstr(text, "doorbells"), "stats can be read");
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
	tracepoints();
	bus_tracepoints();
	debugfs();
	return tap_done();
}
