/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hvdef.h - numbers and layouts of the TLFS that cross the ioctl border:
 * register names, partition properties, messages, the register page, statuses.
 */
#ifndef OVID_HVDEF_H
#define OVID_HVDEF_H

#include <linux/types.h>

/* HV_STATUS (TLFS: Hypercall Status Codes) */
#define HV_STATUS_SUCCESS			0x0000
#define HV_STATUS_INVALID_HYPERCALL_CODE	0x0002
#define HV_STATUS_INVALID_HYPERCALL_INPUT	0x0003
#define HV_STATUS_INVALID_ALIGNMENT		0x0004
#define HV_STATUS_INVALID_PARAMETER		0x0005
#define HV_STATUS_ACCESS_DENIED			0x0006
#define HV_STATUS_INVALID_PARTITION_STATE	0x0007
#define HV_STATUS_OPERATION_DENIED		0x0008
#define HV_STATUS_UNKNOWN_PROPERTY		0x0009
#define HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE	0x000A
#define HV_STATUS_INSUFFICIENT_MEMORY		0x000B
#define HV_STATUS_INVALID_PARTITION_ID		0x000D
#define HV_STATUS_INVALID_VP_INDEX		0x000E
#define HV_STATUS_INVALID_PORT_ID		0x0011
#define HV_STATUS_INVALID_CONNECTION_ID		0x0012
#define HV_STATUS_INSUFFICIENT_BUFFERS		0x0013
#define HV_STATUS_INVALID_VP_STATE		0x0015
#define HV_STATUS_INVALID_REGISTER_VALUE	0x0050

/* VP registers (TLFS: Virtual Processor Registers) */
#define HV_REGISTER_INTERNAL_ACTIVITY_STATE	0x00000004
#define HV_REGISTER_GUEST_CRASH_P0		0x00000210	/* to P4: 0x214 */
#define HV_REGISTER_GUEST_CRASH_CTL		0x00000215
#define HV_REGISTER_PENDING_INTERRUPTION	0x00010002
#define HV_REGISTER_INTERRUPT_STATE		0x00010003
#define HV_REGISTER_PENDING_EVENT0		0x00010004
#define HV_REGISTER_PENDING_EVENT1		0x00010005
#define HV_REGISTER_DELIVERABILITY_NOTIFICATIONS 0x00010006
#define HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION	0x00010007
#define HV_X64_REGISTER_RAX			0x00020000
#define HV_X64_REGISTER_RCX			0x00020001
#define HV_X64_REGISTER_RDX			0x00020002
#define HV_X64_REGISTER_RBX			0x00020003
#define HV_X64_REGISTER_RSP			0x00020004
#define HV_X64_REGISTER_RBP			0x00020005
#define HV_X64_REGISTER_RSI			0x00020006
#define HV_X64_REGISTER_RDI			0x00020007
#define HV_X64_REGISTER_R8			0x00020008
#define HV_X64_REGISTER_R15			0x0002000F
#define HV_X64_REGISTER_RIP			0x00020010
#define HV_X64_REGISTER_RFLAGS			0x00020011
#define HV_X64_REGISTER_XMM0			0x00030000
#define HV_X64_REGISTER_XMM15			0x0003000F
#define HV_X64_REGISTER_FP_MMX0			0x00030010
#define HV_X64_REGISTER_FP_MMX7			0x00030017
#define HV_X64_REGISTER_FP_CONTROL_STATUS	0x00030018
#define HV_X64_REGISTER_XMM_CONTROL_STATUS	0x00030019
#define HV_X64_REGISTER_CR0			0x00040000
#define HV_X64_REGISTER_CR2			0x00040001
#define HV_X64_REGISTER_CR3			0x00040002
#define HV_X64_REGISTER_CR4			0x00040003
#define HV_X64_REGISTER_CR8			0x00040004
#define HV_X64_REGISTER_XFEM			0x00040005
#define HV_X64_REGISTER_INTERMEDIATE_CR0	0x00041000
#define HV_X64_REGISTER_INTERMEDIATE_CR3	0x00041002
#define HV_X64_REGISTER_INTERMEDIATE_CR4	0x00041003
#define HV_X64_REGISTER_DR0			0x00050000
#define HV_X64_REGISTER_DR1			0x00050001
#define HV_X64_REGISTER_DR2			0x00050002
#define HV_X64_REGISTER_DR3			0x00050003
#define HV_X64_REGISTER_DR6			0x00050004
#define HV_X64_REGISTER_DR7			0x00050005
#define HV_X64_REGISTER_ES			0x00060000
#define HV_X64_REGISTER_CS			0x00060001
#define HV_X64_REGISTER_SS			0x00060002
#define HV_X64_REGISTER_DS			0x00060003
#define HV_X64_REGISTER_FS			0x00060004
#define HV_X64_REGISTER_GS			0x00060005
#define HV_X64_REGISTER_LDTR			0x00060006
#define HV_X64_REGISTER_TR			0x00060007
#define HV_X64_REGISTER_IDTR			0x00070000
#define HV_X64_REGISTER_GDTR			0x00070001
#define HV_X64_REGISTER_TSC			0x00080000
#define HV_X64_REGISTER_EFER			0x00080001
#define HV_X64_REGISTER_KERNEL_GS_BASE		0x00080002
#define HV_X64_REGISTER_APIC_BASE		0x00080003
#define HV_X64_REGISTER_PAT			0x00080004
#define HV_X64_REGISTER_SYSENTER_CS		0x00080005
#define HV_X64_REGISTER_SYSENTER_EIP		0x00080006
#define HV_X64_REGISTER_SYSENTER_ESP		0x00080007
#define HV_X64_REGISTER_STAR			0x00080008
#define HV_X64_REGISTER_LSTAR			0x00080009
#define HV_X64_REGISTER_CSTAR			0x0008000A
#define HV_X64_REGISTER_SFMASK			0x0008000B
#define HV_X64_REGISTER_INITIAL_APIC_ID		0x0008000C
#define HV_X64_REGISTER_MSR_MTRR_DEF_TYPE	0x0008000E
#define HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0	0x00080010
#define HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0	0x00080040
#define HV_X64_REGISTER_MSR_MTRR_FIX64K00000	0x00080070
#define HV_X64_REGISTER_MSR_MTRR_FIX4KF8000	0x0008007A
#define HV_X64_REGISTER_TSC_AUX			0x0008007B
#define HV_X64_REGISTER_DEBUG_CTL		0x0008007D
#define HV_X64_REGISTER_XSS			0x0008008B
#define HV_X64_REGISTER_TSC_DEADLINE		0x00080095
#define HV_X64_REGISTER_TSC_ADJUST		0x00080096
#define HV_X64_REGISTER_MSR_IA32_MISC_ENABLE	0x000800A0
#define HV_X64_REGISTER_APIC_ID			0x00084802
#define HV_X64_REGISTER_APIC_TPR			0x00084808

#define HV_REGISTER_VP_RUNTIME			0x00090000
#define HV_X64_REGISTER_HYPERCALL		0x00090001
#define HV_REGISTER_GUEST_OS_ID			0x00090002
#define HV_REGISTER_VP_INDEX			0x00090003
#define HV_REGISTER_TIME_REF_COUNT		0x00090004
#define HV_REGISTER_VP_ASSIST_PAGE		0x00090013
#define HV_REGISTER_REFERENCE_TSC		0x00090017
#define HV_REGISTER_SINT0			0x000A0000	/* to 15: 0xA000F */
#define HV_REGISTER_SCONTROL			0x000A0010
#define HV_REGISTER_SVERSION			0x000A0011
#define HV_REGISTER_SIEFP			0x000A0012
#define HV_REGISTER_SIMP			0x000A0013
#define HV_REGISTER_EOM				0x000A0014
#define HV_REGISTER_STIMER0_CONFIG		0x000B0000	/* then its count, then the next */

/* no names of the TLFS: its synthetic MSRs 0x40000000 to 0x400001FF by their numbers */
#define OVID_REGISTER_HV_MSR0			0x40000000

/* partition properties (HV_PARTITION_PROPERTY_CODE) */
#define HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES		0x00010001
#define HV_PARTITION_PROPERTY_TIME_FREEZE			0x00030003
#define HV_PARTITION_PROPERTY_REFERENCE_TIME			0x00030005
#define HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET		0x00050003
#define HV_PARTITION_PROPERTY_GPA_PAGE_ACCESS_TRACKING		0x00050005
#define HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION		0x00050017
#define HV_PARTITION_PROPERTY_PROCESSOR_VENDOR			0x00060000
#define HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES		0x00060002
#define HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH		0x00060006
#define HV_PARTITION_PROPERTY_XSAVE_STATES			0x00060007
#define HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE		0x00060008
#define HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY		0x00060009
#define HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0		0x0006000A
#define HV_PARTITION_PROPERTY_PROCESSOR_FEATURES1		0x0006000B
#define HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES 0x00090009

/* hypercall codes that MSHV_ROOT_HVCALL takes */
#define HVCALL_GET_PARTITION_PROPERTY		0x0044
#define HVCALL_SET_PARTITION_PROPERTY		0x0045
#define HVCALL_INSTALL_INTERCEPT		0x004D
#define HVCALL_GET_VP_REGISTERS			0x0050
#define HVCALL_SET_VP_REGISTERS			0x0051
#define HVCALL_TRANSLATE_VIRTUAL_ADDRESS	0x0052
#define HVCALL_CLEAR_VIRTUAL_INTERRUPT		0x0056
#define HVCALL_REGISTER_INTERCEPT_RESULT	0x0091
#define HVCALL_ASSERT_VIRTUAL_INTERRUPT		0x0094
#define HVCALL_SIGNAL_EVENT_DIRECT		0x00C0
#define HVCALL_POST_MESSAGE_DIRECT		0x00C1
#define HVCALL_GET_GPA_PAGES_ACCESS_STATES	0x00C9
#define HVCALL_GET_VP_CPUID_VALUES		0x00F4
#define HVCALL_GET_PARTITION_PROPERTY_EX	0x0101

/* messages to the worker (HV_MESSAGE_TYPE) */
#define HVMSG_NONE				0x00000000
#define HVMSG_UNMAPPED_GPA			0x80000000
#define HVMSG_GPA_INTERCEPT			0x80000001
#define HVMSG_TIMER_EXPIRED			0x80000010
#define HVMSG_UNRECOVERABLE_EXCEPTION		0x80000021
#define HVMSG_HYPERCALL_INTERCEPT		0x80000050
#define HVMSG_SYNIC_SINT_DELIVERABLE		0x80000062
#define HVMSG_X64_IO_PORT_INTERCEPT		0x80010000
#define HVMSG_X64_APIC_EOI			0x80010004

#define HV_MESSAGE_SIZE				256
#define HV_MESSAGE_PAYLOAD_SIZE			240

struct hv_message_header {
	__u32 message_type;
	__u8  payload_size;
	__u8  message_flags;
	__u8  reserved[2];
	__u64 sender;
};

struct hv_message {
	struct hv_message_header header;
	__u8 payload[HV_MESSAGE_PAYLOAD_SIZE];
};

struct hv_x64_segment_register {
	__u64 base;
	__u32 limit;
	__u16 selector;
	__u16 attributes;
};

struct hv_x64_table_register {
	__u16 pad[3];
	__u16 limit;
	__u64 base;
};

/* head of every x64 intercept message but the EOI one */
struct hv_x64_intercept_message_header {
	__u32 vp_index;
	__u8  instruction_length_cr8;	/* 3:0 length, 7:4 CR8 */
	__u8  intercept_access_type;	/* HV_INTERCEPT_ACCESS_* */
	__u16 execution_state;		/* HV_X64_EXEC_* */
	struct hv_x64_segment_register cs;
	__u64 rip;
	__u64 rflags;
};

#define HV_INTERCEPT_ACCESS_READ	0
#define HV_INTERCEPT_ACCESS_WRITE	1
#define HV_INTERCEPT_ACCESS_EXECUTE	2

#define HV_X64_EXEC_CPL_MASK		0x0003
#define HV_X64_EXEC_CR0_PE		0x0004
#define HV_X64_EXEC_CR0_AM		0x0008
#define HV_X64_EXEC_EFER_LMA		0x0010
#define HV_X64_EXEC_DEBUG_ACTIVE	0x0020
#define HV_X64_EXEC_INTERRUPTION_PENDING 0x0040
#define HV_X64_EXEC_INTERRUPT_SHADOW	0x1000

struct hv_x64_memory_intercept_message {
	struct hv_x64_intercept_message_header header;
	__u32 cache_type;
	__u8  instruction_byte_count;
	__u8  memory_access_info;	/* bit 0: GVA valid, bit 1: GVA to GPA valid */
	__u8  tpr_priority;
	__u8  reserved;
	__u64 guest_virtual_address;
	__u64 guest_physical_address;
	__u8  instruction_bytes[16];
};

struct hv_x64_io_port_intercept_message {
	struct hv_x64_intercept_message_header header;
	__u16 port_number;
	__u8  access_info;		/* 2:0 size, bit 3 string, bit 4 REP */
	__u8  instruction_byte_count;
	__u32 reserved;
	__u64 rax;
	__u8  instruction_bytes[16];
	struct hv_x64_segment_register ds;
	struct hv_x64_segment_register es;
	__u64 rcx;
	__u64 rsi;
	__u64 rdi;
};

struct hv_x64_hypercall_intercept_message {
	struct hv_x64_intercept_message_header header;
	__u64 rax;
	__u64 rbx;
	__u64 rcx;
	__u64 rdx;
	__u64 r8;
	__u64 rsi;
	__u64 rdi;
	__u64 xmm[6][2];
	__u32 isolated;
	__u32 reserved[3];
};

struct hv_x64_synic_sint_deliverable_message {
	struct hv_x64_intercept_message_header header;
	__u16 deliverable_sints;	/* a bit each */
	__u16 reserved[3];
};

struct hv_x64_apic_eoi_message {
	__u32 vp_index;
	__u32 interrupt_vector;
};

/* page 0 of a VP: dirty bits say what the client changed */
#define HV_X64_REGISTER_CLASS_GENERAL	0
#define HV_X64_REGISTER_CLASS_IP	1
#define HV_X64_REGISTER_CLASS_XMM	2
#define HV_X64_REGISTER_CLASS_SEGMENT	3
#define HV_X64_REGISTER_CLASS_FLAGS	4
#define HV_X64_REGISTER_PAGE_VERSION	1

/* order of hv_vp_register_page.gpr: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
struct hv_vp_register_page {
	__u16 version;
	__u8  isvalid;
	__u8  vtl;
	__u32 dirty;
	__u64 gpr[16];
	__u64 rip;
	__u64 rflags;
	__u64 reserved0;
	__u64 xmm[6][2];
	struct hv_x64_segment_register es;
	struct hv_x64_segment_register cs;
	struct hv_x64_segment_register ss;
	struct hv_x64_segment_register ds;
	struct hv_x64_segment_register fs;
	struct hv_x64_segment_register gs;
	__u64 cr0;
	__u64 cr3;
	__u64 cr4;
	__u64 cr8;
	__u64 efer;
	__u64 dr7;
	__u64 pending_interruption;
	__u64 interrupt_state;
	__u64 instruction_emulation_hints;
	__u64 xfem;
	__u8  reserved1[0x100];
	__u64 vectors_to_inject;
	__u8  reserved2[3400];
};

#endif
