// SPDX-License-Identifier: GPL-2.0-only
/* vmbus.c - see vmbus.h.  The bus and its providers are the kernel's. */
#include <stdlib.h>
#include <unistd.h>

#include "../lib/hv.h"
#include "../lib/vid.h"
#include "vmbus.h"

#define MAX_LATENCY_US	6553	/* 16 bits of 100 ns */

/* providers of the kernel by name, and by the order of enum vmbus_device */
static const char *const providers[VMBUS_DEVICES] = {
	[VMBUS_HEARTBEAT] = "heartbeat",
	[VMBUS_SHUTDOWN] = "shutdown",
	[VMBUS_TIMESYNC] = "timesync",
	[VMBUS_KVP] = "kvp",
	[VMBUS_VSS] = "vss",
	[VMBUS_FCOPY] = "fcopy",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool parse_version(const char *text, u32 *version)
{
	unsigned long major, minor;
	char *end;

	*version = strcmp(text, "off") ? 0 : VMBUS_OFF;
	if (*version || !strcmp(text, "on"))
		return true;
	major = strtoul(text, &end, 10);
	if (end == text || *end != '.' || !is_digit(end[1]) || major >= 100)
		return false;
	minor = strtoul(end + 1, &end, 10);
	*version = OVID_VMBUS_VERSION(major, minor);
	return !*end && minor < 100 && *version;
}

/* microseconds into 100 ns */
static bool parse_latency(const char *text, u32 *latency)
{
	unsigned long us;
	char *end;

	if (strncmp(text, "latency=", 8) || !is_digit(text[8]))
		return false;
	us = strtoul(text + 8, &end, 10);
	*latency = us * 10;
	return !*end && us >= OVID_VMBUS_LATENCY_MIN / 10 && us <= MAX_LATENCY_US;
}

int vmbus_parse(const char *text, struct vmbus_choice *choice, struct failure *why)
{
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	char what[16] = "";

	*choice = (struct vmbus_choice){ 0 };
	if (len < sizeof(what))
		memcpy(what, text, len);
	if (!parse_version(what, &choice->version))
		return fail(why, OVID_X_USAGE, "--vmbus %s: give on, off, or a version like 5.3",
			    text);
	if (comma && (choice->version == VMBUS_OFF || !parse_latency(comma + 1, &choice->latency)))
		return fail(why, OVID_X_USAGE,
			    "--vmbus %s: behind on or a version there may be latency=US, from %u to %u",
			    text, OVID_VMBUS_LATENCY_MIN / 10, MAX_LATENCY_US);
	return 0;
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

void vmbus_none(struct vmbus *v)
{
	*v = (struct vmbus){ 0 };
	for (unsigned int i = 0; i < CONTROLLERS_MAX; i++)
		v->scsi_fd[i] = -1;
	for (unsigned int i = 0; i < NETS_MAX; i++)
		v->net_fd[i] = -1;
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++)
		v->fd[i] = v->stats_fd[i] = -1;
}

static int offer_components(struct vmbus *v, int part, struct failure *why)
{
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++) {
		v->fd[i] = vid_offer(part, providers[i], v->choice.latency);
		/* a module may be built without one */
		if (v->fd[i] < 0 && v->fd[i] != -ENOENT)
			return fail(why, OVID_X_HOST, "cannot offer %s to the guest: %s",
				    providers[i], strerror(-v->fd[i]));
		if (v->fd[i] >= 0)
			v->stats_fd[i] = vid_stats_fd(v->fd[i]);
	}
	return 0;
}

static int create(struct vmbus *v, int part, const struct vmbus_choice *choice, u32 flags,
		  struct disks *disks, struct nets *nets, struct failure *why)
{
	int ret = vid_create_vmbus(part, choice->version, flags);

	if (ret)
		return fail(why, OVID_X_HOST, "cannot make a VMBus: %s; --vmbus off goes without",
			    strerror(-ret));
	v->there = true;
	v->choice = *choice;
	v->disks = disks;
	v->nets = nets;
	return offer_components(v, part, why) ?: disks_attach(disks, part, v->scsi_fd, why) ?:
	       nets_offer(nets, part, v->net_fd, why);
}

int vmbus_create(struct vmbus *v, int part, const struct vmbus_choice *choice,
		 struct disks *disks, struct nets *nets, struct failure *why)
{
	int ret;

	vmbus_none(v);
	if (choice->version != VMBUS_OFF && wanted(part)) {
		ret = create(v, part, choice, 0, disks, nets, why);
		if (!ret)
			nets_join(nets, v->net_fd);
		return ret;
	}
	if (disks->nr)
		return fail(why, OVID_X_USAGE,
			    "--disk and --dvd need the VMBus: not --vmbus off, nor --hv without synic and messages");
	if (nets_count(nets))
		return fail(why, OVID_X_USAGE,
			    "--net needs the VMBus: not --vmbus off, nor --hv without synic and messages");
	return 0;
}

void vmbus_destroy(struct vmbus *v)
{
	for (unsigned int i = 0; i < VMBUS_DEVICES; i++) {
		if (v->stats_fd[i] >= 0)
			close(v->stats_fd[i]);
		if (v->fd[i] >= 0)
			close(v->fd[i]);
	}
	for (unsigned int i = 0; i < CONTROLLERS_MAX; i++)
		if (v->scsi_fd[i] >= 0)
			close(v->scsi_fd[i]);
	for (unsigned int i = 0; i < NETS_MAX; i++)
		if (v->net_fd[i] >= 0)
			close(v->net_fd[i]);
}

unsigned int vmbus_bare_nets(const struct vmbus *v, int *fd)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; v->there && i < NETS_MAX; i++)
		if (net_has_interface(&v->nets->config[i]))
			fd[nr++] = v->net_fd[i];
	return nr;
}

/* ---- moves -------------------------------------------------------------------- */

/* Each wait of the bus's is for disks. */
static const char *why_not(int ret)
{
	return ret == -ETIMEDOUT ? "a disk's file does not answer" : strerror(-ret);
}

/* Enough for a question without room for the answer. */
int vmbus_stop(const struct vmbus *v, int part, struct failure *why)
{
	u64 bytes = 0;
	int ret = v->there ? vid_save_vmbus(part, NULL, &bytes) : 0;

	if (ret && ret != -E2BIG)
		return fail(why, OVID_X_HOST, "cannot stop the VMBus: %s", why_not(ret));
	return 0;
}

/* It may grow between two questions, by what commands write to the channels' files. */
int vmbus_save(const struct vmbus *v, int part, struct vmbus_state *s, struct failure *why)
{
	int ret = v->there ? -E2BIG : 0;

	*s = (struct vmbus_state){ 0 };
	while (ret == -E2BIG && s->bytes <= OVID_VMBUS_STATE_BYTES) {
		free(s->buf);
		s->buf = malloc(s->bytes);
		if (!s->buf && s->bytes)
			return fail(why, OVID_X_HOST, "out of memory");
		ret = vid_save_vmbus(part, s->buf, &s->bytes);
	}
	if (!ret)
		return 0;
	free(s->buf);
	s->buf = NULL;
	return fail(why, OVID_X_HOST, "cannot read the state of the VMBus: %s", why_not(ret));
}

int vmbus_move(struct vmbus *to, const struct vmbus *from, int part, const struct vmbus_state *s,
	       struct failure *why)
{
	int ret;

	vmbus_none(to);
	if (!from->there)
		return 0;
	ret = create(to, part, &from->choice, OVID_VMBUS_AWAITS_STATE, from->disks,
		     from->nets, why);
	if (ret)
		return ret;
	ret = vid_restore_vmbus(part, s->buf, s->bytes);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set the state of the VMBus: %s",
			    strerror(-ret));
	return 0;
}
