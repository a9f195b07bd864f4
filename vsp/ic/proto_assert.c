// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds proto.h to the header of the kernel's own guest drivers.  No code.
 */
#include <linux/hyperv.h>

#include "proto.h"

#define SIZE(ours, theirs)	static_assert(sizeof(struct ours) == sizeof(struct theirs))
#define AT(ours, m, theirs, n) \
	static_assert(offsetof(struct ours, m) == offsetof(struct theirs, n))
/* behind the two headers that Linux has and we have as one */
#define AT_HEADER(m, n)							\
	static_assert(offsetof(struct ic_w_header, m) ==			\
		      sizeof(struct vmbuspipe_hdr) + offsetof(struct icmsg_hdr, n))
#define IS(ours, theirs)	static_assert((u32)(ours) == (u32)(theirs))

static_assert(sizeof(struct ic_w_header) == ICMSG_HDR);
AT_HEADER(framework, icverframe);
AT_HEADER(type, icmsgtype);
AT_HEADER(version, icvermsg);
AT_HEADER(bytes, icmsgsize);
AT_HEADER(status, status);
AT_HEADER(transaction, ictransaction_id);
AT_HEADER(flags, icflags);
static_assert(sizeof(struct ic_w_header) + IC_NEGOTIATE_BYTES(2 + 3) ==
	      ICMSG_NEGOTIATE_PKT_SIZE(2, 3));
AT(ic_w_negotiate, list, icmsg_negotiate, icversion_data);
IS(IC_NEGOTIATE, ICMSGTYPE_NEGOTIATE);
IS(IC_HEARTBEAT, ICMSGTYPE_HEARTBEAT);
IS(IC_KVP, ICMSGTYPE_KVPEXCHANGE);
IS(IC_SHUTDOWN, ICMSGTYPE_SHUTDOWN);
IS(IC_TIMESYNC, ICMSGTYPE_TIMESYNC);
IS(IC_VSS, ICMSGTYPE_VSS);
IS(IC_FCOPY, ICMSGTYPE_FCOPY);
IS(IC_TRANSACTION, ICMSGHDRFLAG_TRANSACTION);
IS(IC_REQUEST, ICMSGHDRFLAG_REQUEST);
IS(IC_RESPONSE, ICMSGHDRFLAG_RESPONSE);
IS(IC_S_NO_MORE, HV_S_CONT);

SIZE(ic_w_heartbeat, heartbeat_msg_data);
SIZE(ic_w_shutdown, shutdown_msg_data);
AT(ic_w_shutdown, flags, shutdown_msg_data, flags);
AT(ic_w_shutdown, message, shutdown_msg_data, display_message);
SIZE(ic_w_timesync3, ictimesync_data);
AT(ic_w_timesync3, flags, ictimesync_data, flags);
AT(ic_w_timesync, flags, ictimesync_ref_data, flags);
AT(ic_w_timesync, stratum, ictimesync_ref_data, stratum);
static_assert(sizeof(struct ic_w_timesync) >= sizeof(struct ictimesync_ref_data));
IS(IC_TIMESYNC_SYNC, ICTIMESYNCFLAG_SYNC);
IS(IC_TIMESYNC_SAMPLE, ICTIMESYNCFLAG_SAMPLE);

IS(IC_KVP_GET, KVP_OP_GET);
IS(IC_KVP_SET_IP, KVP_OP_SET_IP_INFO);
IS(IC_KVP_POOLS, KVP_POOL_COUNT);
SIZE(ic_w_kvp_pair, hv_kvp_exchg_msg_value);
AT(ic_w_kvp_pair, key, hv_kvp_exchg_msg_value, key);
AT(ic_w_kvp_pair, value, hv_kvp_exchg_msg_value, value);
AT(ic_w_kvp_value, pair, hv_kvp_msg, body.kvp_get.data);
AT(ic_w_kvp_enumerate, index, hv_kvp_msg, body.kvp_enum_data.index);
AT(ic_w_kvp_enumerate, pair, hv_kvp_msg, body.kvp_enum_data.data);
AT(ic_w_kvp_delete, key, hv_kvp_msg, body.kvp_delete.key);
SIZE(ic_w_kvp_ip, hv_kvp_ip_msg);
AT(ic_w_kvp_ip, adapter, hv_kvp_ip_msg, kvp_ip_val.adapter_id);
AT(ic_w_kvp_ip, family, hv_kvp_ip_msg, kvp_ip_val.addr_family);
AT(ic_w_kvp_ip, dhcp, hv_kvp_ip_msg, kvp_ip_val.dhcp_enabled);
AT(ic_w_kvp_ip, address, hv_kvp_ip_msg, kvp_ip_val.ip_addr);
AT(ic_w_kvp_ip, netmask, hv_kvp_ip_msg, kvp_ip_val.sub_net);
AT(ic_w_kvp_ip, gateway, hv_kvp_ip_msg, kvp_ip_val.gate_way);
AT(ic_w_kvp_ip, dns, hv_kvp_ip_msg, kvp_ip_val.dns_addr);

IS(IC_VSS_HOT_BACKUP, VSS_OP_HOT_BACKUP);
IS(IC_VSS_FREEZE, VSS_OP_FREEZE);
IS(IC_VSS_THAW, VSS_OP_THAW);
SIZE(ic_w_vss, hv_vss_msg);
AT(ic_w_vss, flags, hv_vss_msg, vss_cf.flags);

IS(IC_FCOPY_START, START_FILE_COPY);
IS(IC_FCOPY_DATA, WRITE_TO_FILE);
IS(IC_FCOPY_COMPLETE, COMPLETE_FCOPY);
IS(IC_FCOPY_CANCEL, CANCEL_FCOPY);
SIZE(ic_w_fcopy, hv_fcopy_hdr);
SIZE(ic_w_fcopy_start, hv_start_fcopy);
AT(ic_w_fcopy_start, name, hv_start_fcopy, file_name);
AT(ic_w_fcopy_start, path, hv_start_fcopy, path_name);
AT(ic_w_fcopy_start, flags, hv_start_fcopy, copy_flags);
AT(ic_w_fcopy_start, bytes, hv_start_fcopy, file_size);
SIZE(ic_w_fcopy_data, hv_do_fcopy);
AT(ic_w_fcopy_data, offset, hv_do_fcopy, offset);
AT(ic_w_fcopy_data, bytes, hv_do_fcopy, size);
AT(ic_w_fcopy_data, data, hv_do_fcopy, data);
IS(IC_PATH_UNITS, W_MAX_PATH);
