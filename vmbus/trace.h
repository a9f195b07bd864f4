/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the bus, in the same system as those of vmm/trace.h, and by the same
 * rules.  First field: partition id; those of a channel have the guest's number for it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ovid

#if !defined(OVID_VMBUS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define OVID_VMBUS_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include "names.h"
#include "server.h"

#define OVID_TRACE_MESSAGE(name)	TRACE_DEFINE_ENUM(VMBUS_##name);
VMBUS_MESSAGES(OVID_TRACE_MESSAGE, OVID_TRACE_MESSAGE)

#define OVID_NAME_MESSAGE(name)		{ VMBUS_##name, #name },
#define OVID_NAME_LAST_MESSAGE(name)	{ VMBUS_##name, #name }
#define ovid_show_message(type)		\
	__print_symbolic(type, VMBUS_MESSAGES(OVID_NAME_MESSAGE, OVID_NAME_LAST_MESSAGE))

/* the guest's, when it was handled; @words: its first ones, and @err what came of it */
TRACE_EVENT(bus_message_in,
	TP_PROTO(const struct ovid_vmbus *vmbus, const struct ovid_vmbus_mail *mail, int err),
	TP_ARGS(vmbus, mail, err),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, connection)
		__field(u32, bytes)
		__array(u32, words, 4)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->part = ovid_bus_part_id(vmbus->part);
		__entry->connection = mail->connection;
		__entry->bytes = mail->bytes;
		memcpy(__entry->words, mail->data, sizeof(__entry->words));
		__entry->err = err;
	),
	TP_printk("part %u connection %u %s bytes %u words 0x%x 0x%x err %d", __entry->part,
		  __entry->connection, ovid_show_message(__entry->words[0]), __entry->bytes,
		  __entry->words[2], __entry->words[3], __entry->err)
);

/* the host's, when it is put into the queue for the guest */
TRACE_EVENT(bus_message_out,
	TP_PROTO(const struct ovid_vmbus *vmbus, const void *msg, u32 bytes),
	TP_ARGS(vmbus, msg, bytes),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u32, bytes)
		__array(u32, words, 5)
	),
	TP_fast_assign(
		__entry->part = ovid_bus_part_id(vmbus->part);
		__entry->vp = vmbus->bus.target_vp;
		__entry->bytes = bytes;
		memset(__entry->words, 0, sizeof(__entry->words));
		memcpy(__entry->words, msg, min_t(u32, bytes, sizeof(__entry->words)));
	),
	TP_printk("part %u vp %u %s bytes %u words 0x%x 0x%x 0x%x", __entry->part, __entry->vp,
		  ovid_show_message(__entry->words[0]), __entry->bytes, __entry->words[2],
		  __entry->words[3], __entry->words[4])
);

DECLARE_EVENT_CLASS(chan_state,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, number)
		__field(u32, relid)
		__field(int, err)
		__array(char, provider, OVID_PROVIDER_NAME_LEN)
	),
	TP_fast_assign(
		__entry->part = ovid_bus_part_id(chan->vmbus->part);
		__entry->number = chan->number;
		__entry->relid = chan->bc.relid;
		__entry->err = err;
		strscpy(__entry->provider, chan->ops->name, OVID_PROVIDER_NAME_LEN);
	),
	TP_printk("part %u chan %u relid %u provider '%s' err %d", __entry->part,
		  __entry->number, __entry->relid, __entry->provider, __entry->err)
);

/* a device is there for the guest, or not since @err; it may not have a relid yet */
DEFINE_EVENT(chan_state, chan_offer,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err)
);

/* @err -EINPROGRESS: whoever serves it is asked, and this comes once more */
DEFINE_EVENT(chan_state, chan_open,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err)
);

/* by the guest, or with the connection or the offer */
DEFINE_EVENT(chan_state, chan_close,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err)
);

/* the host takes an offer back */
DEFINE_EVENT(chan_state, chan_rescind,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err)
);

/* the content of a ring made no sense */
DEFINE_EVENT(chan_state, chan_broken,
	TP_PROTO(const struct ovid_chan *chan, int err),
	TP_ARGS(chan, err)
);

DECLARE_EVENT_CLASS(gpadl,
	TP_PROTO(const struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl, int err),
	TP_ARGS(vmbus, gpadl, err),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, relid)
		__field(u32, gpadl)
		__field(u32, ranges)
		__field(u32, pages)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->part = ovid_bus_part_id(vmbus->part);
		__entry->relid = gpadl->relid;
		__entry->gpadl = gpadl->id;
		__entry->ranges = gpadl->range_count;
		__entry->pages = gpadl->pages;
		__entry->err = err;
	),
	TP_printk("part %u relid %u gpadl 0x%x ranges %u pages %u err %d", __entry->part,
		  __entry->relid, __entry->gpadl, __entry->ranges, __entry->pages, __entry->err)
);

/* its pages are pinned, or cannot be had */
DEFINE_EVENT(gpadl, gpadl_made,
	TP_PROTO(const struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl, int err),
	TP_ARGS(vmbus, gpadl, err)
);

/* and are the guest's again */
DEFINE_EVENT(gpadl, gpadl_gone,
	TP_PROTO(const struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl, int err),
	TP_ARGS(vmbus, gpadl, err)
);

DECLARE_EVENT_CLASS(chan_signal,
	TP_PROTO(const struct ovid_chan *chan, u32 vp),
	TP_ARGS(chan, vp),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, relid)
		__field(u32, vp)
	),
	TP_fast_assign(
		__entry->part = ovid_bus_part_id(chan->vmbus->part);
		__entry->relid = chan->bc.relid;
		__entry->vp = vp;
	),
	TP_printk("part %u relid %u vp %d", __entry->part, __entry->relid, (int)__entry->vp)
);

/* of the guest's; @vp: all ones, it is a VP that we are not told of */
DEFINE_EVENT(chan_signal, chan_signal_in,
	TP_PROTO(const struct ovid_chan *chan, u32 vp),
	TP_ARGS(chan, vp)
);

DEFINE_EVENT(chan_signal, chan_signal_out,
	TP_PROTO(const struct ovid_chan *chan, u32 vp),
	TP_ARGS(chan, vp)
);

#endif /* OVID_VMBUS_TRACE_H */

/* found by the include path of trace.o */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
