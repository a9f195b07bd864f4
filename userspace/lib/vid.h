/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vid.h - the calls of /dev/ovid, one thin wrapper each.
 *
 * All return 0 (or a file) or a negative errno, and keep nothing.
 */
#ifndef OVID_VID_H
#define OVID_VID_H

#include "../../uapi/hvdef.h"
#include "../../uapi/mshv.h"
#include "../../uapi/ovid.h"
#include "../../uapi/ovid_net.h"
#include "types.h"

#define VID_DEVICE	"/dev/ovid"
#define VID_VSOCK_DEVICE "/dev/ovid-vsock"

int vid_open(const char *path);
int vid_get_info(int dev, struct ovid_info *info);
int vid_create_partition(int dev, u32 flags, const char *name);
int vid_create_memory(int dev, u32 flags, u64 bytes);

int vid_map_memory(int part, u64 gpa, u64 bytes, int memory, u64 offset);
int vid_discard_memory(int part, u64 gpa, u64 bytes);
int vid_get_cpuid(int part, struct ovid_cpuid_entry *entries, u32 *count);
int vid_set_cpuid(int part, const struct ovid_cpuid_entry *entries, u32 count);
int vid_partition_ctrl(int part, u32 op);
int vid_get_property(int part, u32 code, u64 *value);
int vid_set_property(int part, u32 code, u64 value);
int vid_inject(int part, u32 kind, u64 address, u32 data);
int vid_stats_fd(int part_vp_or_channel);
int vid_create_vmbus(int part, u32 max_version, u32 flags);
/* @bytes: in: of @buf; out: of the state, also with -E2BIG */
int vid_save_vmbus(int part, void *buf, u64 *bytes);
int vid_restore_vmbus(int part, const void *buf, u64 bytes);
int vid_offer(int part, const char *provider, u32 latency);	/* the channel's file */

/* @fd: a raw file or a block device, which the channel @scsi keeps */
/* SCSI controller @n, the first is 0: the channel's file */
int vid_offer_scsi(int part, u8 n);
int vid_attach_disk(int scsi, struct ovid_disk *disk);	/* @size is set here */
int vid_detach_disk(int scsi, u8 lun);
/* 0: as large as its file is; out: as large as it is now */
int vid_resize_disk(int scsi, u8 lun, u64 *bytes);
/* @fd: a disc, or -1 */
int vid_disk_medium(int scsi, u8 lun, int fd, bool force);
/* a question, or another limit, as limit->flags say */
int vid_disk_limit(int scsi, struct ovid_disk_limit *limit);
int vid_disk_info(int scsi, u8 lun, struct ovid_disk_info *info);

/* network card @n, the first is 0: the channel's file; @size of what is given is set here */
int vid_offer_net(int part, u8 n);
int vid_net_setup(int net, struct ovid_net *card);
int vid_net_end(int net, struct ovid_net_end *end);
int vid_net_link(int net, u32 flags);
int vid_net_info(int net, struct ovid_net_info *info);

int vid_sockets(int part);	/* a file of connects; see ovid.h, C */
int vid_socket_reply(int sockets, u64 id, u32 refuse);
int vid_vsock_bind(int vsock, int part, u32 cid);	/* see ovid.h, B */

int vid_create_vp(int part, u32 index);
int vid_run_vp(int vp);
int vid_get_regs(int vp, struct ovid_reg *regs, u32 count);
int vid_set_regs(int vp, const struct ovid_reg *regs, u32 count);

/* @page: 4096 bytes, page-aligned; @type: MSHV_VP_STATE_* */
int vid_get_state(int vp, u8 type, void *page);
int vid_set_state(int vp, u8 type, void *page);

#endif
