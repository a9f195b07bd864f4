// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator reads of the bus and its channels: the bus's counters are a part of its
 * partition's, a channel has a file of its own, and one in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/lockdep.h>
#include <linux/seq_file.h>
#include "../vmm/statfile.h"
#include "server.h"
#include "trace.h"

OVID_CHAN_GAUGES(OVID_STAT_FITS)
OVID_CHAN_COUNTERS(OVID_STAT_FITS)

static const struct ovid_stats_desc chan_descs[] = {
	OVID_CHAN_GAUGES(OVID_DESC_GAUGE)
	OVID_CHAN_COUNTERS(OVID_DESC_COUNTER)
	OVID_DESC_COUNTER(signals_monitored)
	OVID_DESC_COUNTER(signals_in)
};

static_assert(ARRAY_SIZE(chan_descs) <= OVID_STATS_MAX);

void ovid_vmbus_stats(struct ovid_vmbus *vmbus, struct ovid_bus_stats *stats)
{
	const struct ovid_vmbus_counts *c = &vmbus->counts;
	const struct ovid_bus *bus = &vmbus->bus;

	*stats = (struct ovid_bus_stats) {
		.bus_channels = READ_ONCE(bus->nr_chans),
		.bus_gpadls = READ_ONCE(bus->nr_gpadls),
		.bus_gpadl_pages = READ_ONCE(bus->gpadl_pages),
		.bus_messages_in = READ_ONCE(bus->messages),
		.bus_messages_bad = READ_ONCE(bus->bad_messages),
		.bus_messages_full = READ_ONCE(c->messages_full),
		.bus_messages_out = READ_ONCE(c->messages_out),
		.bus_opens = READ_ONCE(c->opens),
		.bus_opens_refused = READ_ONCE(c->opens_refused),
		.bus_gpadls_refused = READ_ONCE(c->gpadls_refused),
		.bus_rescinds = READ_ONCE(c->rescinds),
		.bus_rings_broken = atomic64_read(&c->rings_broken),
	};
}

/* ---- a channel ---- */

void ovid_chan_note_open(struct ovid_chan *chan, int err)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	lockdep_assert_held(&vmbus->lock);
	trace_chan_open(chan, err);
	if (err == -EINPROGRESS)
		return;
	*(err ? &vmbus->counts.opens_refused : &vmbus->counts.opens) += 1;
	*(err ? &chan->stats.opens_refused : &chan->stats.opens) += 1;
}

static const u32 states[] = {
	[OVID_CHAN_CLOSED] = OVID_CHANNEL_CLOSED,
	[OVID_CHAN_OPENING] = OVID_CHANNEL_OPENING,
	[OVID_CHAN_OPEN] = OVID_CHANNEL_OPEN,
};

u32 ovid_chan_state(const struct ovid_chan *chan)
{
	return states[READ_ONCE(chan->bc.state)];
}

static void chan_read(void *about, u64 *values)
{
	const struct ovid_chan *chan = about;
	const u64 *counters = (const u64 *)&chan->stats;
	u32 i;

	*values++ = READ_ONCE(chan->bc.relid);
	*values++ = ovid_chan_state(chan);
	for (i = 0; i < offsetof(struct ovid_chan_stats, signals_in) / sizeof(u64); i++)
		*values++ = READ_ONCE(counters[i]);
	*values = atomic64_read(&chan->stats.signals_in);
}

/* there may be several of one provider's */
static void short_name(const struct ovid_chan *chan, char *buf, size_t size)
{
	snprintf(buf, size, "chan%u-%s", chan->number, ovid_chan_provider(chan));
}

static void chan_name(void *about, char *buf, size_t size)
{
	const struct ovid_chan *chan = about;
	char name[OVID_PROVIDER_NAME_LEN + 16];

	short_name(chan, name, sizeof(name));
	snprintf(buf, size, "%s/%s", ovid_bus_part_name(chan->vmbus->part), name);
}

static void chan_get(void *about)
{
	struct ovid_chan *chan = about;

	kref_get(&chan->ref);
	ovid_bus_part_get(chan->vmbus->part);
}

static void chan_put(void *about)
{
	struct ovid_chan *chan = about;
	struct ovid_partition *part = chan->vmbus->part;

	ovid_chan_put(chan);
	ovid_bus_part_put(part);
}

static const struct ovid_stats_kind chan_kind = {
	.descs = chan_descs,
	.count = ARRAY_SIZE(chan_descs),
	.read = chan_read,
	.name = chan_name,
	.get = chan_get,
	.put = chan_put,
};

int ovid_chan_stats_fd(struct ovid_chan *chan)
{
	return ovid_stats_fd(&chan_kind, chan);
}

static int chan_stats_show(struct seq_file *m, void *unused)
{
	ovid_stats_show(m, &chan_kind, m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(chan_stats);

void ovid_chan_debugfs_add(struct ovid_chan *chan)
{
	char name[OVID_PROVIDER_NAME_LEN + 16];

	short_name(chan, name, sizeof(name));
	chan->debugfs = debugfs_create_file(name, 0400, ovid_bus_debugfs(chan->vmbus->part), chan,
					    &chan_stats_fops);
}

void ovid_chan_debugfs_del(struct ovid_chan *chan)
{
	/* else it has gone with its folder, at the partition's end */
	if (ovid_bus_debugfs(chan->vmbus->part))
		debugfs_remove(chan->debugfs);
}
