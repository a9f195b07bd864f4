// SPDX-License-Identifier: GPL-2.0-only
/* vmbus.c - see vmbus.h.  The bus and its providers are the kernel's. */
#include <stdlib.h>
#include <unistd.h>

#include "../lib/hv.h"
#include "../lib/vid.h"
#include "vmbus.h"

/* providers of the kernel by name, and by the order of enum vmbus_device */
static const char *const providers[VMBUS_DEVICES] = {
	[VMBUS_HEARTBEAT] = "heartbeat",
	[VMBUS_SHUTDOWN] = "shutdown",
	[VMBUS_TIMESYNC] = "timesync",
	[VMBUS_KVP] = "kvp",
	[VMBUS_VSS] = "vss",
	[VMBUS_FCOPY] = "fcopy",
};

int vmbus_parse(const char *text, u32 *version, struct failure *why)
{
	unsigned long major, minor;
	char *end;

	if (!strcmp(text, "off")) {
		*version = VMBUS_OFF;
		return 0;
	}
	*version = 0;
	if (!strcmp(text, "on"))
		return 0;
	major = strtoul(text, &end, 10);
	if (end != text && *end == '.' && end[1] >= '0' && end[1] <= '9' && major < 100) {
		minor = strtoul(end + 1, &end, 10);
		*version = OVID_VMBUS_VERSION(major, minor);
		if (!*end && minor < 100 && *version)
			return 0;
	}
	return fail(why, OVID_X_USAGE, "--vmbus %s: give on, off, or a version like 5.3", text);
}

int vmbus_device(const char *name)
{
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++)
		if (!strcmp(name, providers[i]))
			return i;
	return -1;
}

/* the names under which a guest finds what it needs for a bus */
static bool wanted(int part)
{
	struct ovid_cpuid_entry entries[OVID_MAX_CPUID];
	u32 count = OVID_MAX_CPUID;
	unsigned int found = 0;

	if (vid_get_cpuid(part, entries, &count) || count > OVID_MAX_CPUID)
		return false;
	for (unsigned int i = 0; hv_name(i); i++)
		if (!strcmp(hv_name(i), "messages") || !strcmp(hv_name(i), "synic"))
			found += hv_has(entries, count, i);
	return found == 2;
}

int vmbus_create(struct vmbus *v, int part, u32 version, struct failure *why)
{
	int ret;

	for (unsigned int i = 0; i < VMBUS_DEVICES; i++)
		v->fd[i] = -1;
	v->there = false;
	if (version == VMBUS_OFF || !wanted(part))
		return 0;
	ret = vid_create_vmbus(part, version);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot make a VMBus: %s; --vmbus off goes without",
			    strerror(-ret));
	v->there = true;
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++) {
		v->fd[i] = vid_offer(part, providers[i]);
		/* a module may be built without one */
		if (v->fd[i] < 0 && v->fd[i] != -ENOENT)
			return fail(why, OVID_X_HOST, "cannot offer %s to the guest: %s",
				    providers[i], strerror(-v->fd[i]));
	}
	return 0;
}

void vmbus_destroy(struct vmbus *v)
{
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++)
		if (v->fd[i] >= 0)
			close(v->fd[i]);
}
