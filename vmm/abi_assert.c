// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layouts and numbers that userspace was compiled with, as literals: the
 * mshv calls (list in abi_mshv.h), the TLFS structures that cross the border,
 * and our own calls.  No code: a change that breaks the ABI does not build.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include "../uapi/hvdef.h"
#include "../uapi/mshv.h"
#include "../uapi/ovid.h"
#include "../uapi/ovid_net.h"
#include "abi_mshv.h"

/* ---- TLFS: messages ---------------------------------------------------- */

SIZE(hv_message, 256);
AT(hv_message, payload, 16, 240);
SIZE(hv_message_header, 16);
AT(hv_message_header, message_type, 0, 4);
AT(hv_message_header, payload_size, 4, 1);
AT(hv_message_header, message_flags, 5, 1);
AT(hv_message_header, sender, 8, 8);
IS(HV_MESSAGE_SIZE, 256);
IS(HV_MESSAGE_PAYLOAD_SIZE, 240);

SIZE(hv_x64_segment_register, 16);
AT(hv_x64_segment_register, base, 0, 8);
AT(hv_x64_segment_register, limit, 8, 4);
AT(hv_x64_segment_register, selector, 12, 2);
AT(hv_x64_segment_register, attributes, 14, 2);
SIZE(hv_x64_table_register, 16);
AT(hv_x64_table_register, limit, 6, 2);
AT(hv_x64_table_register, base, 8, 8);

SIZE(hv_x64_intercept_message_header, 40);
AT(hv_x64_intercept_message_header, vp_index, 0, 4);
AT(hv_x64_intercept_message_header, instruction_length_cr8, 4, 1);
AT(hv_x64_intercept_message_header, intercept_access_type, 5, 1);
AT(hv_x64_intercept_message_header, execution_state, 6, 2);
AT(hv_x64_intercept_message_header, cs, 8, 16);
AT(hv_x64_intercept_message_header, rip, 24, 8);
AT(hv_x64_intercept_message_header, rflags, 32, 8);

SIZE(hv_x64_memory_intercept_message, 80);
AT(hv_x64_memory_intercept_message, cache_type, 40, 4);
AT(hv_x64_memory_intercept_message, instruction_byte_count, 44, 1);
AT(hv_x64_memory_intercept_message, memory_access_info, 45, 1);
AT(hv_x64_memory_intercept_message, tpr_priority, 46, 1);
AT(hv_x64_memory_intercept_message, guest_virtual_address, 48, 8);
AT(hv_x64_memory_intercept_message, guest_physical_address, 56, 8);
AT(hv_x64_memory_intercept_message, instruction_bytes, 64, 16);

SIZE(hv_x64_io_port_intercept_message, 128);
AT(hv_x64_io_port_intercept_message, port_number, 40, 2);
AT(hv_x64_io_port_intercept_message, access_info, 42, 1);
AT(hv_x64_io_port_intercept_message, instruction_byte_count, 43, 1);
AT(hv_x64_io_port_intercept_message, rax, 48, 8);
AT(hv_x64_io_port_intercept_message, instruction_bytes, 56, 16);
AT(hv_x64_io_port_intercept_message, ds, 72, 16);
AT(hv_x64_io_port_intercept_message, es, 88, 16);
AT(hv_x64_io_port_intercept_message, rcx, 104, 8);
AT(hv_x64_io_port_intercept_message, rsi, 112, 8);
AT(hv_x64_io_port_intercept_message, rdi, 120, 8);

SIZE(hv_x64_hypercall_intercept_message, 208);
AT(hv_x64_hypercall_intercept_message, rax, 40, 8);
AT(hv_x64_hypercall_intercept_message, r8, 72, 8);
AT(hv_x64_hypercall_intercept_message, rdi, 88, 8);
AT(hv_x64_hypercall_intercept_message, xmm, 96, 96);
AT(hv_x64_hypercall_intercept_message, isolated, 192, 4);

SIZE(hv_x64_synic_sint_deliverable_message, 48);
AT(hv_x64_synic_sint_deliverable_message, deliverable_sints, 40, 2);

SIZE(hv_x64_apic_eoi_message, 8);
AT(hv_x64_apic_eoi_message, vp_index, 0, 4);
AT(hv_x64_apic_eoi_message, interrupt_vector, 4, 4);

IS(HVMSG_UNMAPPED_GPA, 0x80000000);
IS(HVMSG_GPA_INTERCEPT, 0x80000001);
IS(HVMSG_UNRECOVERABLE_EXCEPTION, 0x80000021);
IS(HVMSG_HYPERCALL_INTERCEPT, 0x80000050);
IS(HVMSG_SYNIC_SINT_DELIVERABLE, 0x80000062);
IS(HVMSG_X64_IO_PORT_INTERCEPT, 0x80010000);
IS(HVMSG_X64_APIC_EOI, 0x80010004);

/* ---- TLFS: the register page ------------------------------------------- */

SIZE(hv_vp_register_page, 4096);
AT(hv_vp_register_page, version, 0, 2);
AT(hv_vp_register_page, isvalid, 2, 1);
AT(hv_vp_register_page, vtl, 3, 1);
AT(hv_vp_register_page, dirty, 4, 4);
AT(hv_vp_register_page, gpr, 8, 128);
AT(hv_vp_register_page, rip, 136, 8);
AT(hv_vp_register_page, rflags, 144, 8);
AT(hv_vp_register_page, xmm, 160, 96);
AT(hv_vp_register_page, es, 256, 16);
AT(hv_vp_register_page, cs, 272, 16);
AT(hv_vp_register_page, ss, 288, 16);
AT(hv_vp_register_page, ds, 304, 16);
AT(hv_vp_register_page, fs, 320, 16);
AT(hv_vp_register_page, gs, 336, 16);
AT(hv_vp_register_page, cr0, 352, 8);
AT(hv_vp_register_page, cr3, 360, 8);
AT(hv_vp_register_page, cr4, 368, 8);
AT(hv_vp_register_page, cr8, 376, 8);
AT(hv_vp_register_page, efer, 384, 8);
AT(hv_vp_register_page, dr7, 392, 8);
AT(hv_vp_register_page, pending_interruption, 400, 8);
AT(hv_vp_register_page, interrupt_state, 408, 8);
AT(hv_vp_register_page, instruction_emulation_hints, 416, 8);
AT(hv_vp_register_page, xfem, 424, 8);
AT(hv_vp_register_page, vectors_to_inject, 688, 8);
IS(HV_X64_REGISTER_CLASS_GENERAL, 0);
IS(HV_X64_REGISTER_CLASS_IP, 1);
IS(HV_X64_REGISTER_CLASS_XMM, 2);
IS(HV_X64_REGISTER_CLASS_SEGMENT, 3);
IS(HV_X64_REGISTER_CLASS_FLAGS, 4);
IS(HV_X64_REGISTER_PAGE_VERSION, 1);

/* ---- TLFS: registers and hypercalls ------------------------------------ */

IS(HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0x00004);
IS(HV_REGISTER_PENDING_INTERRUPTION, 0x10002);
IS(HV_REGISTER_INTERRUPT_STATE, 0x10003);
IS(HV_REGISTER_PENDING_EVENT0, 0x10004);
IS(HV_REGISTER_PENDING_EVENT1, 0x10005);
IS(HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 0x10006);
IS(HV_X64_REGISTER_PENDING_DEBUG_EXCEPTION, 0x10007);
IS(HV_X64_REGISTER_RAX, 0x20000);
IS(HV_X64_REGISTER_R15, 0x2000f);
IS(HV_X64_REGISTER_RIP, 0x20010);
IS(HV_X64_REGISTER_RFLAGS, 0x20011);
IS(HV_X64_REGISTER_XMM0, 0x30000);
IS(HV_X64_REGISTER_FP_MMX0, 0x30010);
IS(HV_X64_REGISTER_FP_CONTROL_STATUS, 0x30018);
IS(HV_X64_REGISTER_XMM_CONTROL_STATUS, 0x30019);
IS(HV_X64_REGISTER_CR0, 0x40000);
IS(HV_X64_REGISTER_CR2, 0x40001);
IS(HV_X64_REGISTER_CR3, 0x40002);
IS(HV_X64_REGISTER_CR4, 0x40003);
IS(HV_X64_REGISTER_CR8, 0x40004);
IS(HV_X64_REGISTER_XFEM, 0x40005);
IS(HV_X64_REGISTER_INTERMEDIATE_CR0, 0x41000);
IS(HV_X64_REGISTER_INTERMEDIATE_CR3, 0x41002);
IS(HV_X64_REGISTER_INTERMEDIATE_CR4, 0x41003);
IS(HV_X64_REGISTER_DR0, 0x50000);
IS(HV_X64_REGISTER_DR6, 0x50004);
IS(HV_X64_REGISTER_DR7, 0x50005);
IS(HV_X64_REGISTER_ES, 0x60000);
IS(HV_X64_REGISTER_TR, 0x60007);
IS(HV_X64_REGISTER_IDTR, 0x70000);
IS(HV_X64_REGISTER_GDTR, 0x70001);
IS(HV_X64_REGISTER_TSC, 0x80000);
IS(HV_X64_REGISTER_EFER, 0x80001);
IS(HV_X64_REGISTER_KERNEL_GS_BASE, 0x80002);
IS(HV_X64_REGISTER_APIC_BASE, 0x80003);
IS(HV_X64_REGISTER_PAT, 0x80004);
IS(HV_X64_REGISTER_SYSENTER_CS, 0x80005);
IS(HV_X64_REGISTER_STAR, 0x80008);
IS(HV_X64_REGISTER_SFMASK, 0x8000b);
IS(HV_X64_REGISTER_INITIAL_APIC_ID, 0x8000c);
IS(HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 0x8000e);
IS(HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0, 0x80010);
IS(HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0, 0x80040);
IS(HV_X64_REGISTER_MSR_MTRR_FIX64K00000, 0x80070);
IS(HV_X64_REGISTER_MSR_MTRR_FIX4KF8000, 0x8007a);
IS(HV_X64_REGISTER_TSC_AUX, 0x8007b);
IS(HV_X64_REGISTER_DEBUG_CTL, 0x8007d);
IS(HV_X64_REGISTER_XSS, 0x8008b);
IS(HV_X64_REGISTER_TSC_DEADLINE, 0x80095);
IS(HV_X64_REGISTER_TSC_ADJUST, 0x80096);
IS(HV_X64_REGISTER_MSR_IA32_MISC_ENABLE, 0x800a0);
IS(HV_X64_REGISTER_APIC_ID, 0x84802);
IS(HV_X64_REGISTER_APIC_TPR, 0x84808);
IS(HV_REGISTER_VP_RUNTIME, 0x90000);
IS(OVID_REGISTER_MCG_STATUS, 0x7f000000);
IS(OVID_REGISTER_MC0_CTL, 0x7f000010);

IS(HVCALL_GET_PARTITION_PROPERTY, 0x44);
IS(HVCALL_SET_PARTITION_PROPERTY, 0x45);
IS(HVCALL_INSTALL_INTERCEPT, 0x4d);
IS(HVCALL_GET_VP_REGISTERS, 0x50);
IS(HVCALL_SET_VP_REGISTERS, 0x51);
IS(HVCALL_TRANSLATE_VIRTUAL_ADDRESS, 0x52);
IS(HVCALL_CLEAR_VIRTUAL_INTERRUPT, 0x56);
IS(HVCALL_REGISTER_INTERCEPT_RESULT, 0x91);
IS(HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0x94);
IS(HVCALL_SIGNAL_EVENT_DIRECT, 0xc0);
IS(HVCALL_POST_MESSAGE_DIRECT, 0xc1);
IS(HVCALL_GET_GPA_PAGES_ACCESS_STATES, 0xc9);
IS(HVCALL_GET_VP_CPUID_VALUES, 0xf4);
IS(HVCALL_GET_PARTITION_PROPERTY_EX, 0x101);

/* ---- ovid.h ------------------------------------------------------------ */

#define HEAD(type)	AT(type, size, 0, 4); AT(type, flags, 4, 4)

SIZE(ovid_info, 208);
HEAD(ovid_info);
AT(ovid_info, abi_version, 8, 4);
AT(ovid_info, caps, 12, 4);
AT(ovid_info, blockers, 16, 4);
AT(ovid_info, max_vps, 20, 4);
AT(ovid_info, max_gsis, 24, 4);
AT(ovid_info, max_regions, 28, 4);
AT(ovid_info, phys_bits, 32, 4);
AT(ovid_info, tsc_khz, 36, 4);
AT(ovid_info, kernel_version, 40, 4);
AT(ovid_info, partitions, 44, 4);
AT(ovid_info, module_version, 48, 32);
AT(ovid_info, reason, 80, 128);

SIZE(ovid_create_partition, 40);
HEAD(ovid_create_partition);
AT(ovid_create_partition, name, 8, 32);

SIZE(ovid_create_memory, 16);
HEAD(ovid_create_memory);
AT(ovid_create_memory, bytes, 8, 8);

SIZE(ovid_map_memory, 40);
HEAD(ovid_map_memory);
AT(ovid_map_memory, gpa, 8, 8);
AT(ovid_map_memory, bytes, 16, 8);
AT(ovid_map_memory, fd, 24, 4);
AT(ovid_map_memory, pad, 28, 4);
AT(ovid_map_memory, source, 32, 8);

SIZE(ovid_gpa_range, 24);
HEAD(ovid_gpa_range);
AT(ovid_gpa_range, gpa, 8, 8);
AT(ovid_gpa_range, bytes, 16, 8);

SIZE(ovid_cpuid_entry, 32);
AT(ovid_cpuid_entry, leaf, 0, 4);
AT(ovid_cpuid_entry, subleaf, 4, 4);
AT(ovid_cpuid_entry, flags, 8, 4);
AT(ovid_cpuid_entry, eax, 12, 4);
AT(ovid_cpuid_entry, ebx, 16, 4);
AT(ovid_cpuid_entry, ecx, 20, 4);
AT(ovid_cpuid_entry, edx, 24, 4);
AT(ovid_cpuid_entry, pad, 28, 4);

SIZE(ovid_cpuid, 24);
HEAD(ovid_cpuid);
AT(ovid_cpuid, count, 8, 4);
AT(ovid_cpuid, pad, 12, 4);
AT(ovid_cpuid, entries, 16, 8);

SIZE(ovid_msr_rule, 16);
AT(ovid_msr_rule, first, 0, 4);
AT(ovid_msr_rule, last, 4, 4);
AT(ovid_msr_rule, read, 8, 4);
AT(ovid_msr_rule, write, 12, 4);

SIZE(ovid_msr_policy, 24);
HEAD(ovid_msr_policy);
AT(ovid_msr_policy, default_action, 8, 4);
AT(ovid_msr_policy, count, 12, 4);
AT(ovid_msr_policy, rules, 16, 8);

SIZE(ovid_partition_ctrl, 16);
HEAD(ovid_partition_ctrl);
AT(ovid_partition_ctrl, op, 8, 4);

SIZE(ovid_property, 24);
HEAD(ovid_property);
AT(ovid_property, code, 8, 4);
AT(ovid_property, value, 16, 8);

SIZE(ovid_route, 32);
HEAD(ovid_route);
AT(ovid_route, gsi, 8, 4);
AT(ovid_route, kind, 12, 4);
AT(ovid_route, address, 16, 8);
AT(ovid_route, data, 24, 4);
AT(ovid_route, pad, 28, 4);

SIZE(ovid_inject, 24);
HEAD(ovid_inject);
AT(ovid_inject, kind, 8, 4);
AT(ovid_inject, data, 12, 4);
AT(ovid_inject, address, 16, 8);

SIZE(ovid_run, 4096);
AT(ovid_run, cancel, 0, 4);
AT(ovid_run, want, 4, 4);
AT(ovid_run, exit, 64, 4);
AT(ovid_run, write, 68, 1);
AT(ovid_run, access_size, 69, 1);
AT(ovid_run, insn_len, 70, 1);
AT(ovid_run, vector, 71, 1);
AT(ovid_run, address, 72, 8);
AT(ovid_run, value, 80, 8);
AT(ovid_run, fault, 88, 4);
AT(ovid_run, gva, 96, 8);
AT(ovid_run, bytes, 104, 16);
AT(ovid_run, fail_error, 120, 4);
AT(ovid_run, fail_qualification, 128, 8);

SIZE(ovid_reg, 32);
AT(ovid_reg, name, 0, 4);
AT(ovid_reg, pad, 4, 12);
AT(ovid_reg, low, 16, 8);
AT(ovid_reg, high, 24, 8);

SIZE(ovid_regs, 24);
HEAD(ovid_regs);
AT(ovid_regs, count, 8, 4);
AT(ovid_regs, regs, 16, 8);

SIZE(ovid_vmbus_create, 16);
HEAD(ovid_vmbus_create);
AT(ovid_vmbus_create, max_version, 8, 4);

SIZE(ovid_vmbus_state, 32);
HEAD(ovid_vmbus_state);
AT(ovid_vmbus_state, op, 8, 4);
AT(ovid_vmbus_state, buf, 16, 8);
AT(ovid_vmbus_state, bytes, 24, 8);

SIZE(ovid_vmbus_offer, 184);
HEAD(ovid_vmbus_offer);
AT(ovid_vmbus_offer, provider, 8, 16);
AT(ovid_vmbus_offer, type, 24, 16);
AT(ovid_vmbus_offer, instance, 40, 16);
AT(ovid_vmbus_offer, offer_flags, 56, 2);
AT(ovid_vmbus_offer, mmio_mb, 58, 2);
AT(ovid_vmbus_offer, sub_index, 60, 2);
AT(ovid_vmbus_offer, latency, 62, 2);
AT(ovid_vmbus_offer, user, 64, 120);

SIZE(ovid_channel_info, 24);
HEAD(ovid_channel_info);
AT(ovid_channel_info, version, 8, 4);
AT(ovid_channel_info, relid, 12, 4);
AT(ovid_channel_info, state, 16, 4);
AT(ovid_channel_info, target_vp, 20, 4);

SIZE(ovid_channel_event, 144);
AT(ovid_channel_event, kind, 0, 4);
AT(ovid_channel_event, serial, 4, 4);
AT(ovid_channel_event, target_vp, 8, 4);
AT(ovid_channel_event, in_bytes, 12, 4);
AT(ovid_channel_event, out_bytes, 16, 4);
AT(ovid_channel_event, version, 20, 4);
AT(ovid_channel_event, user, 24, 120);

SIZE(ovid_channel_reply, 16);
HEAD(ovid_channel_reply);
AT(ovid_channel_reply, serial, 8, 4);
AT(ovid_channel_reply, refuse, 12, 4);

SIZE(ovid_channel_eventfd, 16);
HEAD(ovid_channel_eventfd);
AT(ovid_channel_eventfd, fd, 8, 4);

SIZE(ovid_disk, 72);
HEAD(ovid_disk);
AT(ovid_disk, path, 8, 1);
AT(ovid_disk, target, 9, 1);
AT(ovid_disk, lun, 10, 1);
AT(ovid_disk, fd, 12, 4);
AT(ovid_disk, serial, 16, 32);
AT(ovid_disk, format, 48, 4);
AT(ovid_disk, nr_parents, 52, 4);
AT(ovid_disk, parents, 56, 8);
AT(ovid_disk, logical_sector, 64, 4);
AT(ovid_disk, physical_sector, 68, 4);

SIZE(ovid_disk_medium, 16);
HEAD(ovid_disk_medium);
AT(ovid_disk_medium, path, 8, 1);
AT(ovid_disk_medium, target, 9, 1);
AT(ovid_disk_medium, lun, 10, 1);
AT(ovid_disk_medium, fd, 12, 4);

SIZE(ovid_disk_limit, 40);
HEAD(ovid_disk_limit);
AT(ovid_disk_limit, path, 8, 1);
AT(ovid_disk_limit, target, 9, 1);
AT(ovid_disk_limit, lun, 10, 1);
AT(ovid_disk_limit, requests, 12, 4);
AT(ovid_disk_limit, bytes, 16, 8);
AT(ovid_disk_limit, waited, 24, 8);
AT(ovid_disk_limit, waiting, 32, 4);

SIZE(ovid_vmbus_sockets, 8);
HEAD(ovid_vmbus_sockets);

SIZE(ovid_socket_connect, 56);
AT(ovid_socket_connect, id, 0, 8);
AT(ovid_socket_connect, endpoint, 8, 16);
AT(ovid_socket_connect, service, 24, 16);
AT(ovid_socket_connect, silo, 40, 16);

SIZE(ovid_socket_reply, 24);
HEAD(ovid_socket_reply);
AT(ovid_socket_reply, id, 8, 8);
AT(ovid_socket_reply, refuse, 16, 4);

SIZE(ovid_vsock_bind, 16);
HEAD(ovid_vsock_bind);
AT(ovid_vsock_bind, partition, 8, 4);
AT(ovid_vsock_bind, cid, 12, 4);

SIZE(ovid_net, 88);
HEAD(ovid_net);
AT(ovid_net, mac, 8, 6);
AT(ovid_net, queues, 14, 2);
AT(ovid_net, mtu, 16, 4);
AT(ovid_net, speed, 20, 4);
AT(ovid_net, name, 24, 64);

SIZE(ovid_net_end, 40);
HEAD(ovid_net_end);
AT(ovid_net_end, kind, 8, 4);
AT(ovid_net_end, fd, 12, 4);
AT(ovid_net_end, ifname, 16, 16);
AT(ovid_net_end, ifindex, 32, 4);
AT(ovid_net_end, pad, 36, 4);

SIZE(ovid_net_link, 8);
HEAD(ovid_net_link);

SIZE(ovid_net_info, 112);
HEAD(ovid_net_info);
AT(ovid_net_info, mac, 8, 6);
AT(ovid_net_info, queues, 14, 2);
AT(ovid_net_info, mtu, 16, 4);
AT(ovid_net_info, speed, 20, 4);
AT(ovid_net_info, kind, 24, 4);
AT(ovid_net_info, ifindex, 28, 4);
AT(ovid_net_info, version, 32, 4);
AT(ovid_net_info, offloads, 36, 4);
AT(ovid_net_info, ifname, 40, 16);
AT(ovid_net_info, tx_frames, 56, 8);
AT(ovid_net_info, tx_bytes, 64, 8);
AT(ovid_net_info, tx_errors, 72, 8);
AT(ovid_net_info, tx_dropped, 80, 8);
AT(ovid_net_info, rx_frames, 88, 8);
AT(ovid_net_info, rx_bytes, 96, 8);
AT(ovid_net_info, rx_dropped, 104, 8);

SIZE(ovid_frame, 16);
AT(ovid_frame, bytes, 0, 4);
AT(ovid_frame, flags, 4, 2);
AT(ovid_frame, csum_start, 6, 2);
AT(ovid_frame, csum_offset, 8, 2);
AT(ovid_frame, mss, 10, 2);
AT(ovid_frame, headers, 12, 2);
AT(ovid_frame, vlan, 14, 2);

SIZE(ovid_stats_header, 64);
AT(ovid_stats_header, version, 0, 4);
AT(ovid_stats_header, count, 4, 4);
AT(ovid_stats_header, desc_offset, 8, 4);
AT(ovid_stats_header, value_offset, 12, 4);
AT(ovid_stats_header, name, 16, 48);
SIZE(ovid_stats_desc, 32);
AT(ovid_stats_desc, name, 0, 24);
AT(ovid_stats_desc, flags, 24, 4);

IS(OVID_GET_INFO, 0xc0d0b900);
IS(OVID_CREATE_PARTITION, 0x4028b901);
IS(OVID_CREATE_MEMORY, 0x4010b902);
IS(OVID_MAP_MEMORY, 0x4028b910);
IS(OVID_UNMAP_MEMORY, 0x4018b911);
IS(OVID_DISCARD_MEMORY, 0x4018b912);
IS(OVID_GET_CPUID, 0xc018b913);
IS(OVID_SET_CPUID, 0x4018b914);
IS(OVID_SET_MSR_POLICY, 0x4018b915);
IS(OVID_PARTITION_CTRL, 0x4010b916);
IS(OVID_GET_PROPERTY, 0xc018b917);
IS(OVID_SET_PROPERTY, 0x4018b918);
IS(OVID_SET_ROUTE, 0x4020b919);
IS(OVID_INJECT, 0x4018b91a);
IS(OVID_VMBUS_CREATE, 0x4010b91c);
IS(OVID_VMBUS_OFFER, 0x40b8b91d);
IS(OVID_VMBUS_SOCKETS, 0x4008b91e);
IS(OVID_GET_STATS_FD, 0x0000b91f);
IS(OVID_VMBUS_STATE, 0xc020b940);
IS(OVID_CHANNEL_INFO, 0xc018b930);
IS(OVID_CHANNEL_REPLY, 0x4010b931);
IS(OVID_CHANNEL_EVENTFD, 0x4010b932);
IS(OVID_CHANNEL_SIGNAL, 0x0000b933);
IS(OVID_DISK_ATTACH, 0x4048b934);
IS(OVID_DISK_DETACH, 0x4048b935);
IS(OVID_DISK_LIMIT, 0xc028b93a);
IS(OVID_DISK_LIMIT_SET, 1);
IS(OVID_DISK_MEDIUM, 0x4010b93b);
IS(OVID_DISK_FORCE, 1);
IS(OVID_NET_SETUP, 0x4058b950);
IS(OVID_NET_END, 0xc028b951);
IS(OVID_NET_LINK, 0x4008b952);
IS(OVID_NET_INFO, 0xc070b953);
IS(OVID_NET_LINK_DOWN, 1);
IS(OVID_NET_GUARD_MAC, 2);
IS(OVID_NET_OTHER, 2);
IS(OVID_NET_NONE, 0);
IS(OVID_NET_INTERFACE, 1);
IS(OVID_NET_FRAMES, 2);
IS(OVID_NET_SOCKET, 3);
IS(OVID_NET_OFFLOADS, 1);
IS(OVID_NET_READY, 0x100);
IS(OVID_NET_UP, 0x200);
IS(OVID_FRAME_CSUM, 1);
IS(OVID_FRAME_CSUM_GOOD, 2);
IS(OVID_FRAME_SEGMENT4, 4);
IS(OVID_FRAME_SEGMENT6, 8);
IS(OVID_FRAME_VLAN, 16);
IS(OVID_SOCKET_REPLY, 0x4018b938);
IS(OVID_VSOCK_BIND, 0x4010b939);
IS(OVID_OFFER_PIPE, 0x10);
IS(OVID_OFFER_SOCKET, 0x2000);
IS(OVID_MAX_CONNECTS, 64);
IS(OVID_VMBUS_AWAITS_STATE, 1);
IS(OVID_STATE_SAVE, 1);
IS(OVID_STATE_RESTORE, 2);
IS(OVID_VMBUS_STATE_BYTES, 0x4000000);
IS(OVID_VMBUS_LATENCY_MIN, 500);
IS(OVID_RUN_VP, 0x0000b920);
IS(OVID_GET_REGS, 0x4018b921);
IS(OVID_SET_REGS, 0x4018b922);
IS(OVID_VP_MMAP_RUN, 0x1000);
