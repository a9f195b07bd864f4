/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and layouts between hypervisor and guest, from the TLFS; the title of
 * the section beside them.  What also crosses the ioctl border is in
 * uapi/hvdef.h.
 */
#ifndef OVID_TLFS_H
#define OVID_TLFS_H

#include "types.h"
#include "../uapi/hvdef.h"

/* Partition Privilege Mask: leaf 0x40000003, EAX and EBX */
#define HV_PRIV_VP_RUNTIME		BIT_ULL(0)
#define HV_PRIV_REFERENCE_COUNTER	BIT_ULL(1)
#define HV_PRIV_SYNIC			BIT_ULL(2)
#define HV_PRIV_STIMER			BIT_ULL(3)
#define HV_PRIV_APIC_MSRS		BIT_ULL(4)
#define HV_PRIV_HYPERCALL_MSRS		BIT_ULL(5)
#define HV_PRIV_VP_INDEX		BIT_ULL(6)
#define HV_PRIV_RESET			BIT_ULL(7)
#define HV_PRIV_REFERENCE_TSC		BIT_ULL(9)
#define HV_PRIV_GUEST_IDLE		BIT_ULL(10)
#define HV_PRIV_FREQUENCY_MSRS		BIT_ULL(11)
#define HV_PRIV_REENLIGHTENMENT		BIT_ULL(13)
#define HV_PRIV_TSC_INVARIANT		BIT_ULL(15)
#define HV_PRIV_POST_MESSAGES		BIT_ULL(36)
#define HV_PRIV_SIGNAL_EVENTS		BIT_ULL(37)
#define HV_PRIV_VP_REGISTERS		BIT_ULL(49)
#define HV_PRIV_EXTENDED_CALLS		BIT_ULL(52)

/* Feature Identification: leaf 0x40000003, EDX */
#define HV_FEATURE_XMM_INPUT		BIT(4)
#define HV_FEATURE_CRASH_MSRS		BIT(10)
#define HV_FEATURE_XMM_OUTPUT		BIT(15)

/* Implementation Recommendations: leaf 0x40000004, EAX */
#define HV_HINT_APIC_MSRS		BIT(3)

/* Synthetic MSRs */
#define HV_MSR_FIRST			0x40000000u
#define HV_MSR_LAST			0x400001FFu
#define HV_MSR_GUEST_OS_ID		0x40000000u
#define HV_MSR_HYPERCALL		0x40000001u
#define HV_MSR_VP_INDEX			0x40000002u
#define HV_MSR_RESET			0x40000003u
#define HV_MSR_VP_RUNTIME		0x40000010u
#define HV_MSR_TIME_REF_COUNT		0x40000020u
#define HV_MSR_REFERENCE_TSC		0x40000021u
#define HV_MSR_TSC_FREQUENCY		0x40000022u
#define HV_MSR_APIC_FREQUENCY		0x40000023u
#define HV_MSR_EOI			0x40000070u
#define HV_MSR_ICR			0x40000071u
#define HV_MSR_TPR			0x40000072u
#define HV_MSR_VP_ASSIST_PAGE		0x40000073u
#define HV_MSR_SCONTROL			0x40000080u
#define HV_MSR_SVERSION			0x40000081u
#define HV_MSR_SIEFP			0x40000082u
#define HV_MSR_SIMP			0x40000083u
#define HV_MSR_EOM			0x40000084u
#define HV_MSR_SINT0			0x40000090u
#define HV_MSR_SINT15			0x4000009Fu
#define HV_MSR_STIMER0_CONFIG		0x400000B0u	/* then its count, then the next */
#define HV_MSR_STIMER3_COUNT		0x400000B7u
#define HV_MSR_GUEST_IDLE		0x400000F0u
#define HV_MSR_CRASH_P0			0x40000100u
#define HV_MSR_CRASH_P4			0x40000104u
#define HV_MSR_CRASH_CTL		0x40000105u
#define HV_MSR_REENLIGHTENMENT		0x40000106u
#define HV_MSR_TSC_EMULATION		0x40000107u
#define HV_MSR_TSC_EMULATION_STATUS	0x40000108u
#define HV_MSR_TSC_INVARIANT		0x40000118u

/* an MSR that places a page: hypercall, reference TSC, VP assist, SIMP, SIEFP */
#define HV_PAGE_ENABLE			BIT_ULL(0)
#define HV_PAGE_GFN(msr)		((msr) >> 12)
#define HV_HYPERCALL_LOCKED		BIT_ULL(1)

/* Partition Crash Enlightenment */
#define HV_CRASH_MESSAGE		BIT_ULL(62)
#define HV_CRASH_NOTIFY			BIT_ULL(63)

/* Reference TSC Page: time = (tsc * scale >> 64) + offset, in 100 ns */
struct hv_w_reference_tsc {
	u32 sequence;		/* 0: not valid, read the counter MSR */
	u32 reserved;
	u64 scale;
	s64 offset;
};

/* Hypercall Input Value */
#define HV_CALL_CODE(c)			((u16)(c))
#define HV_CALL_FAST			BIT_ULL(16)
#define HV_CALL_VARHEAD(c)		((unsigned int)((c) >> 17) & 0x3ff)
#define HV_CALL_REPS(c)			((unsigned int)((c) >> 32) & 0xfff)
#define HV_CALL_START_SHIFT		48
#define HV_CALL_START_MASK		GENMASK_ULL(59, 48)
#define HV_CALL_START(c)		((unsigned int)((c) >> HV_CALL_START_SHIFT) & 0xfff)
/* bit 31, "is nested", is for a hypervisor in a guest */
#define HV_CALL_RESERVED		(GENMASK_ULL(31, 27) | GENMASK_ULL(47, 44) | \
					 GENMASK_ULL(63, 60))

/* Hypercall Reference */
#define HVCALL_FLUSH_SPACE		0x0002
#define HVCALL_FLUSH_LIST		0x0003
#define HVCALL_LONG_SPIN_WAIT		0x0008
#define HVCALL_SEND_IPI			0x000B
#define HVCALL_FLUSH_SPACE_EX		0x0013
#define HVCALL_FLUSH_LIST_EX		0x0014
#define HVCALL_SEND_IPI_EX		0x0015
#define HVCALL_GET_VP_REGISTERS		0x0050
#define HVCALL_SET_VP_REGISTERS		0x0051
#define HVCALL_POST_MESSAGE		0x005C
#define HVCALL_SIGNAL_EVENT		0x005D
#define HVCALL_RETARGET_INTERRUPT	0x007E
#define HVCALL_EXT			0x8000	/* extended ones, from here on */
#define HVCALL_EXT_CAPABILITIES		0x8001
#define HVCALL_EXT_HEAT_HINT		0x8003

/* HvExtCallQueryCapabilities: the TLFS names the first, Linux looks for the second */
#define HV_EXT_HEAT_HINT		BIT_ULL(1)
#define HV_EXT_COLD_DISCARD		BIT_ULL(8)
/* HvExtCallMemoryHeatHint */
#define HV_HEAT_COLD_DISCARD		2

/* HV_INTERCEPT_TYPE */
#define HV_INTERCEPT_CPUID		0x2
#define HV_INTERCEPT_HYPERCALL		0x8	/* of a code that there is not */
#define HV_INTERCEPT_UNKNOWN_CONNECTION	0xD
#define HV_INTERCEPT_RETARGET		0xF	/* of a device that there is not */

#define HV_PARTITION_SELF		U64_MAX
#define HV_VP_INDEX_SELF		0xFFFFFFFEu
#define HV_MAX_CONNECTION		GENMASK(23, 0)

/* HvCallFlushVirtualAddressSpace: flags */
#define HV_FLUSH_ALL_PROCESSORS		BIT_ULL(0)
/* all address spaces, non-global translations only, extended ranges: more is done anyway */
#define HV_FLUSH_KNOWN			GENMASK_ULL(3, 0)

/* HV_VP_SET */
#define HV_SET_SPARSE			0
#define HV_SET_ALL			1

struct hv_w_vp_set {
	u64 format;
	u64 valid_banks;
	u64 banks[];		/* as many as there are bits in @valid_banks */
};

struct hv_w_flush {
	u64 space;
	u64 flags;
	u64 vps;
};

struct hv_w_flush_ex {
	u64 space;
	u64 flags;
	struct hv_w_vp_set vps;
};

struct hv_w_ipi {
	u32 vector;
	u8 vtl;
	u8 pad[3];
	u64 vps;
};

struct hv_w_ipi_ex {
	u32 vector;
	u8 vtl;
	u8 pad[3];
	struct hv_w_vp_set vps;
};

struct hv_w_post_message {
	u32 connection;
	u32 reserved;
	u32 type;
	u32 size;
	u8 payload[HV_MESSAGE_PAYLOAD_SIZE];
};

struct hv_w_signal_event {
	u32 connection;
	u16 flag;		/* counted from the port's first */
	u16 reserved;
};

struct hv_w_retarget {
	u64 partition;
	u64 device;
	u32 source;
	u32 reserved;
	u64 entry;		/* MSI address and data */
	u64 reserved2;
	u32 vector;
	u32 flags;
	u64 vps;		/* or the format of a set, with all else in the variable header */
};

struct hv_w_vp_registers {
	u64 partition;
	u32 vp;
	u8 vtl;			/* 3:0; bit 4: it counts */
	u8 pad[3];
};

struct hv_w_register_value {
	u64 low;
	u64 high;
};

struct hv_w_set_register {
	u32 name;
	u32 pad[3];
	struct hv_w_register_value value;
};

static_assert(sizeof(struct hv_w_post_message) == 256);
static_assert(sizeof(struct hv_w_signal_event) == 8);
static_assert(sizeof(struct hv_w_retarget) == 56);
static_assert(sizeof(struct hv_w_vp_registers) == 16);
static_assert(sizeof(struct hv_w_set_register) == 32);
static_assert(sizeof(struct hv_w_reference_tsc) == 24);
static_assert(sizeof(struct hv_w_flush) == 24 && sizeof(struct hv_w_flush_ex) == 32);
static_assert(sizeof(struct hv_w_ipi) == 16 && sizeof(struct hv_w_ipi_ex) == 24);

#endif
