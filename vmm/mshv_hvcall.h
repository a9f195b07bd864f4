/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSHV_ROOT_HVCALL: one call on its way, the layouts of the inputs and outputs
 * (vid-abi, passthrough hypercalls; they differ from the TLFS pages), and the
 * handlers.
 */
#ifndef OVID_MSHV_HVCALL_H
#define OVID_MSHV_HVCALL_H

#include <linux/build_bug.h>
#include "types.h"
#include "../uapi/hvdef.h"

/**
 * struct hvcall
 * @part:	target, NULL: the host itself
 * @code:	HVCALL_*
 * @reps:	asked for;  @done: completed
 * @in: @in_sz:	private copy; at least what the row asks for
 * @out: @out_sz: zeroed; at least what the row asks for, NULL where it asks for none
 */
struct hvcall {
	struct ovid_partition *part;
	u16 code;
	u16 reps;
	u16 done;
	u32 in_sz;
	u32 out_sz;
	const void *in;
	void *out;
};

/* they return an HV_STATUS, or a negative errno when it never came to one */
typedef int (*hvcall_fn)(struct hvcall *call);

#define HVCALL_MAX_SIZE		4096
#define HV_ANY_VP		0xffffffffu

struct hv_in_property {
	u64 partition;
	u32 code;
	u32 pad;
};
static_assert(sizeof(struct hv_in_property) == 16);

struct hv_in_property_ex {
	struct hv_in_property head;
	u64 arg;
};
static_assert(sizeof(struct hv_in_property_ex) == 24);

struct hv_in_set_property {
	struct hv_in_property head;
	u64 value;
};
static_assert(sizeof(struct hv_in_set_property) == 24);

/* banked property of 0x101 */
struct hv_out_property_ex {
	u16 banks;
	u16 reserved[3];
	u64 bank;
};
static_assert(sizeof(struct hv_out_property_ex) == 16);

struct hv_in_install_intercept {
	u64 partition;
	u32 access_mask;
	u32 type;
	u64 param;
};
static_assert(sizeof(struct hv_in_install_intercept) == 24);

struct hv_in_vp_registers {
	u64 partition;
	u32 vp;
	u8 vtl;
	u8 mbz[3];
};
static_assert(sizeof(struct hv_in_vp_registers) == 16);

struct hv_reg_value {
	u64 low, high;
};
static_assert(sizeof(struct hv_reg_value) == 16);

struct hv_in_translate {
	u64 partition;
	u32 vp;
	u32 pad;
	u64 flags;
	u64 gva_page;
};
static_assert(sizeof(struct hv_in_translate) == 32);

struct hv_out_translate {
	u32 result;
	u32 cache_type;
	u64 gpa_page;
};
static_assert(sizeof(struct hv_out_translate) == 16);

struct hv_in_intercept_result {
	u64 partition;
	u32 vp;
	u32 type;
	u32 eax, ecx;
	u8 subleaf_specific;
	u8 always_override;
	u16 pad;
	struct {
		u32 value, mask;
	} reg[4];		/* EAX EBX ECX EDX */
};

/* the last four bytes of the struct are padding that not every client sends */
#define HV_IN_INTERCEPT_RESULT_SIZE	60
static_assert(offsetofend(struct hv_in_intercept_result, reg) == HV_IN_INTERCEPT_RESULT_SIZE);

struct hv_in_assert_interrupt {
	u64 partition;
	u32 type;
	u32 flags;		/* bit 0: level, bit 1: logical destination */
	u64 dest;
	u32 vector;
	u8 vtl;
	u8 mbz[3];
};
static_assert(sizeof(struct hv_in_assert_interrupt) == 32);

struct hv_in_signal_event {
	u64 partition;
	u32 vp;
	u8 vtl;
	u8 sint;
	u16 flag;
};
static_assert(sizeof(struct hv_in_signal_event) == 16);

/* the public TLFS page has the SINT elsewhere: vid-abi.md 2.1 */
struct hv_in_post_message {
	u64 partition;
	u32 vp;
	u8 vtl;
	u8 pad[3];
	u32 sint;
	struct hv_message message;
	u8 pad2[4];
} __packed;
static_assert(sizeof(struct hv_in_post_message) == 280);

struct hv_in_cpuid {
	u64 partition;
	u32 vp;
	u32 flags;		/* bit 0: the VP's own XCR0 and XSS, bit 1: with overrides */
	u64 pad;
};
static_assert(sizeof(struct hv_in_cpuid) == 24);

struct hv_cpuid_leaf {
	u32 eax, ecx;
	u64 xfem, xss;
};
static_assert(sizeof(struct hv_cpuid_leaf) == 24);

/* mshv_hc_part.c */
int ovid_hc_get_property(struct hvcall *call);
int ovid_hc_get_property_ex(struct hvcall *call);
int ovid_hc_set_property(struct hvcall *call);
int ovid_hc_install_intercept(struct hvcall *call);
int ovid_hc_intercept_result(struct hvcall *call);
int ovid_hc_assert_interrupt(struct hvcall *call);
int ovid_hc_clear_interrupt(struct hvcall *call);
int ovid_hc_signal_event(struct hvcall *call);
int ovid_hc_post_message(struct hvcall *call);
/* mshv_hc_vp.c */
int ovid_hc_get_registers(struct hvcall *call);
int ovid_hc_set_registers(struct hvcall *call);
int ovid_hc_translate(struct hvcall *call);
int ovid_hc_get_cpuid(struct hvcall *call);

/* Linux: hv_result_to_errno() */
int ovid_hv_status_to_errno(u16 status);

#endif
