/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, system "ovid".  First fields: partition id, VP index.
 *
 * They take pointers and look into them only when they are on, so that one
 * which is off costs a patched jump and nothing else.  What is dear to find
 * out (a VMREAD) is asked for under trace_..._enabled().
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ovid

#if !defined(OVID_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define OVID_TRACE_H

#include <linux/tracepoint.h>
#include "partition.h"
#include "vp.h"

/* @rip 0: not known */
TRACE_EVENT(vp_exit,
	TP_PROTO(const struct ovid_vp *vp, u32 reason, u64 qualification, u64 rip),
	TP_ARGS(vp, reason, qualification, rip),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u32, reason)
		__field(u64, qualification)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->part = vp->part->id;
		__entry->vp = vp->index;
		__entry->reason = reason;
		__entry->qualification = qualification;
		__entry->rip = rip;
	),
	TP_printk("part %u vp %u reason 0x%x qualification 0x%llx rip 0x%llx",
		  __entry->part, __entry->vp, __entry->reason, __entry->qualification,
		  __entry->rip)
);

TRACE_DEFINE_ENUM(OVID_X_NONE);
TRACE_DEFINE_ENUM(OVID_X_IO);
TRACE_DEFINE_ENUM(OVID_X_IO_STRING);
TRACE_DEFINE_ENUM(OVID_X_MEM);
TRACE_DEFINE_ENUM(OVID_X_EOI);
TRACE_DEFINE_ENUM(OVID_X_EXTINT);
TRACE_DEFINE_ENUM(OVID_X_SHUTDOWN);
TRACE_DEFINE_ENUM(OVID_X_MSR);
TRACE_DEFINE_ENUM(OVID_X_HYPERCALL);
TRACE_DEFINE_ENUM(OVID_X_FAIL);
TRACE_DEFINE_ENUM(OVID_X_RESET);
TRACE_DEFINE_ENUM(OVID_X_CRASH);

#define ovid_show_exit_kind(kind)		\
	__print_symbolic(kind,			\
		{ OVID_X_NONE,	"none" },	\
		{ OVID_X_IO,	"io" },		\
		{ OVID_X_IO_STRING, "io_string" }, \
		{ OVID_X_MEM,	"mem" },	\
		{ OVID_X_EOI,	"eoi" },	\
		{ OVID_X_EXTINT, "extint" },	\
		{ OVID_X_SHUTDOWN, "shutdown" }, \
		{ OVID_X_MSR,	"msr" },	\
		{ OVID_X_HYPERCALL, "hypercall" }, \
		{ OVID_X_FAIL,	"fail" },	\
		{ OVID_X_RESET,	"reset" },	\
		{ OVID_X_CRASH,	"crash" })

/* vp->exit goes to the worker, as a message or in the run page */
TRACE_EVENT(vp_to_worker,
	TP_PROTO(const struct ovid_vp *vp),
	TP_ARGS(vp),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u32, kind)
		__field(u32, flags)
		__field(u64, address)
		__field(u64, value)
		__field(u8, size)
	),
	TP_fast_assign(
		const struct ovid_exit *x = &vp->exit;

		__entry->part = vp->part->id;
		__entry->vp = vp->index;
		__entry->kind = x->kind;
		__entry->flags = x->flags;
		__entry->address = x->kind == OVID_X_MEM ? x->gpa :
				   x->kind == OVID_X_MSR ? x->msr :
				   x->kind == OVID_X_EOI ? x->vector : x->port;
		__entry->value = x->value;
		__entry->size = x->size;
	),
	TP_printk("part %u vp %u %s flags 0x%x address 0x%llx value 0x%llx size %u",
		  __entry->part, __entry->vp, ovid_show_exit_kind(__entry->kind),
		  __entry->flags, __entry->address, __entry->value, __entry->size)
);

/* a vector is set in a VP's posted-interrupt descriptor */
TRACE_EVENT(irq_post,
	TP_PROTO(const struct ovid_vp *vp, u8 vector, bool level),
	TP_ARGS(vp, vector, level),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u8, vector)
		__field(bool, level)
	),
	TP_fast_assign(
		__entry->part = vp->part->id;
		__entry->vp = vp->index;
		__entry->vector = vector;
		__entry->level = level;
	),
	TP_printk("part %u vp %u vector 0x%02x%s", __entry->part, __entry->vp,
		  __entry->vector, __entry->level ? " level" : "")
);

/* an event goes in at the next entry; @info as the hardware has it */
TRACE_EVENT(vp_inject,
	TP_PROTO(const struct ovid_vp *vp, u32 info, u32 error_code),
	TP_ARGS(vp, info, error_code),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u32, info)
		__field(u32, error_code)
	),
	TP_fast_assign(
		__entry->part = vp->part->id;
		__entry->vp = vp->index;
		__entry->info = info;
		__entry->error_code = error_code;
	),
	TP_printk("part %u vp %u vector 0x%02x type %u error 0x%x", __entry->part,
		  __entry->vp, __entry->info & 0xff, (__entry->info >> 8) & 7,
		  __entry->error_code)
);

/* an MSR access ended in #GP */
TRACE_EVENT(msr_refused,
	TP_PROTO(const struct ovid_vp *vp, u32 msr, bool write, u64 value),
	TP_ARGS(vp, msr, write, value),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
		__field(u32, msr)
		__field(bool, write)
		__field(u64, value)
	),
	TP_fast_assign(
		__entry->part = vp->part->id;
		__entry->vp = vp->index;
		__entry->msr = msr;
		__entry->write = write;
		__entry->value = value;
	),
	TP_printk("part %u vp %u %s 0x%x value 0x%llx", __entry->part, __entry->vp,
		  __entry->write ? "write" : "read", __entry->msr, __entry->value)
);

/* a guest page was mapped on demand; @level 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
TRACE_EVENT(gpa_map,
	TP_PROTO(const struct ovid_partition *part, u64 gpa, unsigned int level,
		 bool write, bool exec),
	TP_ARGS(part, gpa, level, write, exec),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u64, gpa)
		__field(u8, level)
		__field(bool, write)
		__field(bool, exec)
	),
	TP_fast_assign(
		__entry->part = part->id;
		__entry->gpa = gpa;
		__entry->level = level;
		__entry->write = write;
		__entry->exec = exec;
	),
	TP_printk("part %u gpa 0x%llx level %u r%s%s", __entry->part, __entry->gpa,
		  __entry->level, __entry->write ? "w" : "-", __entry->exec ? "x" : "-")
);

/* leaves of [@start, @end) page frames were removed */
TRACE_EVENT(gpa_zap,
	TP_PROTO(const struct ovid_partition *part, u64 start, u64 end),
	TP_ARGS(part, start, end),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u64, start)
		__field(u64, end)
	),
	TP_fast_assign(
		__entry->part = part->id;
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("part %u gfn 0x%llx..0x%llx", __entry->part, __entry->start, __entry->end)
);

DECLARE_EVENT_CLASS(partition_life,
	TP_PROTO(const struct ovid_partition *part),
	TP_ARGS(part),
	TP_STRUCT__entry(
		__field(u32, part)
		__array(char, name, OVID_NAME_LEN)
	),
	TP_fast_assign(
		__entry->part = part->id;
		memcpy(__entry->name, part->name, OVID_NAME_LEN);
		__entry->name[OVID_NAME_LEN - 1] = 0;
	),
	TP_printk("part %u name %s", __entry->part, __entry->name)
);

DEFINE_EVENT(partition_life, partition_create,
	TP_PROTO(const struct ovid_partition *part),
	TP_ARGS(part)
);

DEFINE_EVENT(partition_life, partition_destroy,
	TP_PROTO(const struct ovid_partition *part),
	TP_ARGS(part)
);

TRACE_EVENT(vp_create,
	TP_PROTO(const struct ovid_vp *vp),
	TP_ARGS(vp),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u32, vp)
	),
	TP_fast_assign(
		__entry->part = vp->part->id;
		__entry->vp = vp->index;
	),
	TP_printk("part %u vp %u", __entry->part, __entry->vp)
);

/* MSHV_ROOT_HVCALL; @part is all ones for a call about the host */
TRACE_EVENT(root_hvcall,
	TP_PROTO(u32 part, u16 code, u16 reps, u16 status, long err),
	TP_ARGS(part, code, reps, status, err),
	TP_STRUCT__entry(
		__field(u32, part)
		__field(u16, code)
		__field(u16, reps)
		__field(u16, status)
		__field(long, err)
	),
	TP_fast_assign(
		__entry->part = part;
		__entry->code = code;
		__entry->reps = reps;
		__entry->status = status;
		__entry->err = err;
	),
	TP_printk("part %d code 0x%04x reps %u status 0x%x err %ld", (int)__entry->part,
		  __entry->code, __entry->reps, __entry->status, __entry->err)
);

#endif /* OVID_TRACE_H */

/* found by the include path of trace.o */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
