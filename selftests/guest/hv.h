/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hv.h - numbers of the TLFS, for guests that use the hypervisor's interface.
 */
#ifndef OVID_GUEST_HV_H
#define OVID_GUEST_HV_H

#include "rt.h"

#define MSR_GUEST_OS_ID	0x40000000
#define MSR_HYPERCALL	0x40000001
#define MSR_VP_INDEX	0x40000002
#define MSR_RESET	0x40000003
#define MSR_TIME	0x40000020
#define MSR_TSC_PAGE	0x40000021
#define MSR_HV_EOI	0x40000070
#define MSR_HV_ICR	0x40000071
#define MSR_HV_TPR	0x40000072
#define MSR_ASSIST	0x40000073
#define MSR_SCONTROL	0x40000080
#define MSR_SVERSION	0x40000081
#define MSR_SIEFP	0x40000082
#define MSR_SIMP	0x40000083
#define MSR_EOM		0x40000084
#define MSR_SINT(n)	(0x40000090 + (n))
#define MSR_CONFIG(n)	(0x400000b0 + 2 * (n))
#define MSR_COUNT(n)	(0x400000b1 + 2 * (n))
#define MSR_IDLE	0x400000f0
#define MSR_CRASH_P0	0x40000100
#define MSR_CRASH_CTL	0x40000105

#define ME		0x8100000000000000ull	/* an open source system */

#define CALL_FLUSH		0x0002
#define CALL_FLUSH_LIST		0x0003
#define CALL_SPIN		0x0008
#define CALL_IPI		0x000b
#define CALL_FLUSH_EX		0x0013
#define CALL_FLUSH_LIST_EX	0x0014
#define CALL_IPI_EX		0x0015
#define CALL_GET_REGS		0x0050
#define CALL_SET_REGS		0x0051
#define CALL_POST_MESSAGE	0x005c
#define CALL_SIGNAL_EVENT	0x005d
#define FAST			(1ull << 16)
#define BANKS(n)		((u64)(n) << 17)
#define REPS(n)			((u64)(n) << 32)
#define START(n)		((u64)(n) << 48)
#define STATUS(result)		((u16)(result))
#define DONE(result)		((u32)((result) >> 32) & 0xfff)
#define XMM_WORDS		14	/* of a fast call: two registers and XMM0 to XMM5 */

#define SUCCESS			0
#define INVALID_CODE		2
#define INVALID_INPUT		3
#define INVALID_ALIGNMENT	4
#define INVALID_PARAMETER	5
#define INSUFFICIENT_BUFFERS	0x13

/* a timer's configuration */
#define ENABLE		1u
#define PERIODIC	2u
#define AUTO		8u
#define VECTOR(v)	((u32)(v) << 4)
#define DIRECT		(1u << 12)
#define SINT(n)		((u32)(n) << 16)

#define TIMER_EXPIRED	0x80000010

/* a message in its slot */
struct message {
	u32 type;
	u8 size, flags, reserved[2];
	u64 sender;
	u64 payload[30];
};

static inline u64 gpa(const void *p)
{
	return (ulong)p;
}

/* says who the guest is, and has its hypercall page at @page */
static inline void hypercalls_by(const void *page)
{
	wrmsr(MSR_GUEST_OS_ID, ME);
	wrmsr(MSR_HYPERCALL, gpa(page) | 1);
}

static inline u64 call_by(const void *page, u64 control, u64 in, u64 out)
{
	register u64 r8 asm("r8") = out;
	u64 ret;

	asm volatile("call *%[at]" : "=a"(ret), "+c"(control), "+d"(in), "+r"(r8)
		     : [at] "r"(page) : "r9", "r10", "r11", "memory", "cc");
	return ret;
}

/* without the page: that may be anywhere, or be gone */
static inline u64 vmcall(u64 control, u64 in, u64 out)
{
	register u64 r8 asm("r8") = out;
	u64 ret;

	asm volatile("vmcall" : "=a"(ret), "+c"(control), "+d"(in), "+r"(r8)
		     : : "r9", "r10", "r11", "memory", "cc");
	return ret;
}

#endif
