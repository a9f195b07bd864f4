// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds proto.h to the include/linux/hyperv.h of the kernel we are built against:
 * numbers, sizes, and where each member is.
 */
#include <linux/build_bug.h>
#include <linux/hyperv.h>
#include <linux/stddef.h>
#include "proto.h"

#define IS(ours, linux_name)	static_assert((u32)(ours) == (u32)(linux_name))
#define SIZE(ours, linux_name, bytes)						\
	static_assert(sizeof(struct ours) == (bytes) && sizeof(struct linux_name) == (bytes))
#define AT(ours, member, linux_name, linux_member)				\
	static_assert(offsetof(struct ours, member) ==				\
		      offsetof(struct linux_name, linux_member) &&		\
		      sizeof_field(struct ours, member) ==			\
		      sizeof_field(struct linux_name, linux_member))
/* where Linux has a bit field, or nothing */
#define OFFSET(ours, member, off)						\
	static_assert(offsetof(struct ours, member) == (off))

IS(VMBUS_V0_13, VERSION_WS2008);
IS(VMBUS_V1_1, VERSION_WIN7);
IS(VMBUS_V2_4, VERSION_WIN8);
IS(VMBUS_V3_0, VERSION_WIN8_1);
IS(VMBUS_V4_0, VERSION_WIN10);
IS(VMBUS_V4_1, VERSION_WIN10_V4_1);
IS(VMBUS_V5_0, VERSION_WIN10_V5);
IS(VMBUS_V5_1, VERSION_WIN10_V5_1);
IS(VMBUS_V5_2, VERSION_WIN10_V5_2);
IS(VMBUS_V5_3, VERSION_WIN10_V5_3);

IS(VMBUS_OFFER, CHANNELMSG_OFFERCHANNEL);
IS(VMBUS_RESCIND, CHANNELMSG_RESCIND_CHANNELOFFER);
IS(VMBUS_REQUEST_OFFERS, CHANNELMSG_REQUESTOFFERS);
IS(VMBUS_ALL_OFFERS, CHANNELMSG_ALLOFFERS_DELIVERED);
IS(VMBUS_OPEN, CHANNELMSG_OPENCHANNEL);
IS(VMBUS_OPEN_RESULT, CHANNELMSG_OPENCHANNEL_RESULT);
IS(VMBUS_CLOSE, CHANNELMSG_CLOSECHANNEL);
IS(VMBUS_GPADL_HEADER, CHANNELMSG_GPADL_HEADER);
IS(VMBUS_GPADL_BODY, CHANNELMSG_GPADL_BODY);
IS(VMBUS_GPADL_CREATED, CHANNELMSG_GPADL_CREATED);
IS(VMBUS_GPADL_TEARDOWN, CHANNELMSG_GPADL_TEARDOWN);
IS(VMBUS_GPADL_TORNDOWN, CHANNELMSG_GPADL_TORNDOWN);
IS(VMBUS_RELID_RELEASED, CHANNELMSG_RELID_RELEASED);
IS(VMBUS_INITIATE_CONTACT, CHANNELMSG_INITIATE_CONTACT);
IS(VMBUS_VERSION_RESPONSE, CHANNELMSG_VERSION_RESPONSE);
IS(VMBUS_UNLOAD, CHANNELMSG_UNLOAD);
IS(VMBUS_UNLOAD_RESPONSE, CHANNELMSG_UNLOAD_RESPONSE);
IS(VMBUS_TL_CONNECT, CHANNELMSG_TL_CONNECT_REQUEST);
IS(VMBUS_MODIFY, CHANNELMSG_MODIFYCHANNEL);
IS(VMBUS_TL_RESULT, CHANNELMSG_TL_CONNECT_RESULT);
IS(VMBUS_MODIFY_RESPONSE, CHANNELMSG_MODIFYCHANNEL_RESPONSE);

IS(VMBUS_OFFER_ENUMERATE, VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE);
IS(VMBUS_OFFER_NAMED_PIPE, VMBUS_CHANNEL_NAMED_PIPE_MODE);
IS(VMBUS_OFFER_LOOPBACK, VMBUS_CHANNEL_LOOPBACK_OFFER);
IS(VMBUS_OFFER_PARENT, VMBUS_CHANNEL_PARENT_OFFER);
IS(VMBUS_OFFER_TLNPI, VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER);
IS(VMBUS_USER_BYTES, MAX_USER_DEFINED_BYTES);

SIZE(vmbus_w_header, vmbus_channel_message_header, 8);
AT(vmbus_w_header, type, vmbus_channel_message_header, msgtype);

SIZE(vmbus_w_offer, vmbus_channel_offer_channel, 196);
AT(vmbus_w_offer, type, vmbus_channel_offer_channel, offer.if_type);
AT(vmbus_w_offer, instance, vmbus_channel_offer_channel, offer.if_instance);
AT(vmbus_w_offer, flags, vmbus_channel_offer_channel, offer.chn_flags);
AT(vmbus_w_offer, mmio_mb, vmbus_channel_offer_channel, offer.mmio_megabytes);
AT(vmbus_w_offer, user, vmbus_channel_offer_channel, offer.u.std.user_def);
AT(vmbus_w_offer, sub_index, vmbus_channel_offer_channel, offer.sub_channel_index);
AT(vmbus_w_offer, relid, vmbus_channel_offer_channel, child_relid);
AT(vmbus_w_offer, monitor_id, vmbus_channel_offer_channel, monitorid);
OFFSET(vmbus_w_offer, monitor_allocated, 189);
OFFSET(vmbus_w_offer, dedicated_interrupt, 190);
AT(vmbus_w_offer, connection_id, vmbus_channel_offer_channel, connection_id);

SIZE(vmbus_w_relid, vmbus_channel_rescind_offer, 12);
SIZE(vmbus_w_relid, vmbus_channel_close_channel, 12);
SIZE(vmbus_w_relid, vmbus_channel_relid_released, 12);
AT(vmbus_w_relid, relid, vmbus_channel_rescind_offer, child_relid);
AT(vmbus_w_relid, relid, vmbus_channel_close_channel, child_relid);
AT(vmbus_w_relid, relid, vmbus_channel_relid_released, child_relid);

SIZE(vmbus_w_open, vmbus_channel_open_channel, 148);
AT(vmbus_w_open, relid, vmbus_channel_open_channel, child_relid);
AT(vmbus_w_open, open_id, vmbus_channel_open_channel, openid);
AT(vmbus_w_open, ring_gpadl, vmbus_channel_open_channel, ringbuffer_gpadlhandle);
AT(vmbus_w_open, target_vp, vmbus_channel_open_channel, target_vp);
AT(vmbus_w_open, downstream, vmbus_channel_open_channel, downstream_ringbuffer_pageoffset);
AT(vmbus_w_open, user, vmbus_channel_open_channel, userdata);

SIZE(vmbus_w_open_result, vmbus_channel_open_result, 20);
AT(vmbus_w_open_result, relid, vmbus_channel_open_result, child_relid);
AT(vmbus_w_open_result, open_id, vmbus_channel_open_result, openid);
AT(vmbus_w_open_result, status, vmbus_channel_open_result, status);

SIZE(vmbus_w_gpadl_header, vmbus_channel_gpadl_header, 20);
AT(vmbus_w_gpadl_header, relid, vmbus_channel_gpadl_header, child_relid);
AT(vmbus_w_gpadl_header, gpadl, vmbus_channel_gpadl_header, gpadl);
AT(vmbus_w_gpadl_header, range_bytes, vmbus_channel_gpadl_header, range_buflen);
AT(vmbus_w_gpadl_header, range_count, vmbus_channel_gpadl_header, rangecount);

SIZE(vmbus_w_gpadl_body, vmbus_channel_gpadl_body, 16);
AT(vmbus_w_gpadl_body, number, vmbus_channel_gpadl_body, msgnumber);
AT(vmbus_w_gpadl_body, gpadl, vmbus_channel_gpadl_body, gpadl);

SIZE(vmbus_w_gpadl_created, vmbus_channel_gpadl_created, 20);
AT(vmbus_w_gpadl_created, relid, vmbus_channel_gpadl_created, child_relid);
AT(vmbus_w_gpadl_created, gpadl, vmbus_channel_gpadl_created, gpadl);
AT(vmbus_w_gpadl_created, status, vmbus_channel_gpadl_created, creation_status);

SIZE(vmbus_w_gpadl_teardown, vmbus_channel_gpadl_teardown, 16);
AT(vmbus_w_gpadl_teardown, relid, vmbus_channel_gpadl_teardown, child_relid);
AT(vmbus_w_gpadl_teardown, gpadl, vmbus_channel_gpadl_teardown, gpadl);

SIZE(vmbus_w_gpadl_torndown, vmbus_channel_gpadl_torndown, 12);
AT(vmbus_w_gpadl_torndown, gpadl, vmbus_channel_gpadl_torndown, gpadl);

SIZE(vmbus_w_initiate_contact, vmbus_channel_initiate_contact, 40);
AT(vmbus_w_initiate_contact, version, vmbus_channel_initiate_contact, vmbus_version_requested);
AT(vmbus_w_initiate_contact, target_vp, vmbus_channel_initiate_contact, target_vcpu);
AT(vmbus_w_initiate_contact, interrupt_page, vmbus_channel_initiate_contact, interrupt_page);
AT(vmbus_w_initiate_contact, sint, vmbus_channel_initiate_contact, msg_sint);
AT(vmbus_w_initiate_contact, vtl, vmbus_channel_initiate_contact, msg_vtl);
OFFSET(vmbus_w_initiate_contact, features, 20);	/* newer than some kernels */
AT(vmbus_w_initiate_contact, monitor_page1, vmbus_channel_initiate_contact, monitor_page1);
AT(vmbus_w_initiate_contact, monitor_page2, vmbus_channel_initiate_contact, monitor_page2);

/* features come with version 6.0 */
static_assert(offsetofend(struct vmbus_channel_version_response, msg_conn_id) ==
	      offsetof(struct vmbus_w_version_response, features));
static_assert(sizeof(struct vmbus_w_version_response) == 20);
AT(vmbus_w_version_response, supported, vmbus_channel_version_response, version_supported);
AT(vmbus_w_version_response, state, vmbus_channel_version_response, connection_state);
AT(vmbus_w_version_response, value, vmbus_channel_version_response, msg_conn_id);

SIZE(vmbus_w_tl_connect, vmbus_channel_tl_connect_request, 40);
AT(vmbus_w_tl_connect, endpoint, vmbus_channel_tl_connect_request, guest_endpoint_id);
AT(vmbus_w_tl_connect, service, vmbus_channel_tl_connect_request, host_service_id);
/* Linux does not send this one */
static_assert(sizeof(struct vmbus_w_tl_connect2) == 56);
OFFSET(vmbus_w_tl_connect2, silo, 40);
/* Linux does not read this one */
static_assert(sizeof(struct vmbus_w_tl_result) == 44);
OFFSET(vmbus_w_tl_result, status, 40);

SIZE(vmbus_w_modify, vmbus_channel_modifychannel, 16);
AT(vmbus_w_modify, relid, vmbus_channel_modifychannel, child_relid);
AT(vmbus_w_modify, target_vp, vmbus_channel_modifychannel, target_vp);

SIZE(vmbus_w_modify_response, vmbus_channel_modifychannel_response, 16);
AT(vmbus_w_modify_response, relid, vmbus_channel_modifychannel_response, child_relid);
AT(vmbus_w_modify_response, status, vmbus_channel_modifychannel_response, status);

/* of the monitor page, which is in a header of drivers/hv */
static_assert(sizeof(struct vmbus_w_monitor_page) == 4096);
OFFSET(vmbus_w_monitor_page, group, 8);
OFFSET(vmbus_w_monitor_page, next_check, 0x40);
OFFSET(vmbus_w_monitor_page, latency, 0x240);
OFFSET(vmbus_w_monitor_page, parameter, 0x440);

/* rings: Linux's structure is all of the page */
AT(vmbus_w_ring, write, hv_ring_buffer, write_index);
AT(vmbus_w_ring, read, hv_ring_buffer, read_index);
AT(vmbus_w_ring, interrupt_mask, hv_ring_buffer, interrupt_mask);
AT(vmbus_w_ring, pending_send, hv_ring_buffer, pending_send_sz);
AT(vmbus_w_ring, features, hv_ring_buffer, feature_bits);

SIZE(vmbus_w_packet, vmpacket_descriptor, 16);
AT(vmbus_w_packet, type, vmpacket_descriptor, type);
AT(vmbus_w_packet, offset8, vmpacket_descriptor, offset8);
AT(vmbus_w_packet, len8, vmpacket_descriptor, len8);
AT(vmbus_w_packet, flags, vmpacket_descriptor, flags);
AT(vmbus_w_packet, trans_id, vmpacket_descriptor, trans_id);

IS(VMBUS_PACKET_COMPLETION, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
IS(VMBUS_PKT_DATA, VM_PKT_DATA_INBAND);
IS(VMBUS_PKT_XFER_PAGES, VM_PKT_DATA_USING_XFER_PAGES);
IS(VMBUS_PKT_GPADL, VM_PKT_DATA_USING_GPADL);
IS(VMBUS_PKT_GPA_DIRECT, VM_PKT_DATA_USING_GPA_DIRECT);
IS(VMBUS_PKT_CANCEL, VM_PKT_CANCEL_REQUEST);
IS(VMBUS_PKT_COMPLETION, VM_PKT_COMP);
