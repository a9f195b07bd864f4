// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vid.h"

static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int vid_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vid_get_info(int dev, struct ovid_info *info)
{
	*info = (struct ovid_info){ .size = sizeof(*info) };
	return call(dev, OVID_GET_INFO, info);
}

int vid_create_partition(int dev, u32 flags, const char *name)
{
	struct ovid_create_partition arg = { .size = sizeof(arg), .flags = flags };

	snprintf((char *)arg.name, sizeof(arg.name), "%s", name);
	return call(dev, OVID_CREATE_PARTITION, &arg);
}

int vid_create_memory(int dev, u32 flags, u64 bytes)
{
	struct ovid_create_memory arg = {
		.size = sizeof(arg), .flags = flags, .bytes = bytes,
	};

	return call(dev, OVID_CREATE_MEMORY, &arg);
}

int vid_map_memory(int part, u64 gpa, u64 bytes, int memory, u64 offset)
{
	struct ovid_map_memory arg = {
		.size = sizeof(arg),
		.flags = OVID_MAP_WRITE | OVID_MAP_EXEC | OVID_MAP_FD,
		.gpa = gpa, .bytes = bytes, .fd = memory, .source = offset,
	};

	return call(part, OVID_MAP_MEMORY, &arg);
}

int vid_discard_memory(int part, u64 gpa, u64 bytes)
{
	struct ovid_gpa_range arg = { .size = sizeof(arg), .gpa = gpa, .bytes = bytes };

	return call(part, OVID_DISCARD_MEMORY, &arg);
}

int vid_get_cpuid(int part, struct ovid_cpuid_entry *entries, u32 *count)
{
	struct ovid_cpuid arg = {
		.size = sizeof(arg), .count = *count, .entries = (uintptr_t)entries,
	};
	int ret = call(part, OVID_GET_CPUID, &arg);

	*count = arg.count;
	return ret;
}

int vid_set_cpuid(int part, const struct ovid_cpuid_entry *entries, u32 count)
{
	struct ovid_cpuid arg = {
		.size = sizeof(arg), .count = count, .entries = (uintptr_t)entries,
	};

	return call(part, OVID_SET_CPUID, &arg);
}

int vid_partition_ctrl(int part, u32 op)
{
	struct ovid_partition_ctrl arg = { .size = sizeof(arg), .op = op };

	return call(part, OVID_PARTITION_CTRL, &arg);
}

int vid_get_property(int part, u32 code, u64 *value)
{
	struct ovid_property arg = { .size = sizeof(arg), .code = code };
	int ret = call(part, OVID_GET_PROPERTY, &arg);

	*value = arg.value;
	return ret;
}

int vid_set_property(int part, u32 code, u64 value)
{
	struct ovid_property arg = { .size = sizeof(arg), .code = code, .value = value };

	return call(part, OVID_SET_PROPERTY, &arg);
}

int vid_inject(int part, u32 kind, u64 address, u32 data)
{
	struct ovid_inject arg = {
		.size = sizeof(arg), .kind = kind, .data = data, .address = address,
	};

	return call(part, OVID_INJECT, &arg);
}

int vid_stats_fd(int part_vp_or_channel)
{
	return call(part_vp_or_channel, OVID_GET_STATS_FD, NULL);
}

int vid_create_vmbus(int part, u32 max_version, u32 flags)
{
	struct ovid_vmbus_create arg = {
		.size = sizeof(arg), .flags = flags, .max_version = max_version,
	};

	return call(part, OVID_VMBUS_CREATE, &arg);
}

int vid_save_vmbus(int part, void *buf, u64 *bytes)
{
	struct ovid_vmbus_state arg = {
		.size = sizeof(arg), .op = OVID_STATE_SAVE, .buf = (uintptr_t)buf, .bytes = *bytes,
	};
	int ret = call(part, OVID_VMBUS_STATE, &arg);

	*bytes = arg.bytes;
	return ret;
}

int vid_restore_vmbus(int part, const void *buf, u64 bytes)
{
	struct ovid_vmbus_state arg = {
		.size = sizeof(arg), .op = OVID_STATE_RESTORE, .buf = (uintptr_t)buf,
		.bytes = bytes,
	};

	return call(part, OVID_VMBUS_STATE, &arg);
}

int vid_offer(int part, const char *provider, u32 latency)
{
	struct ovid_vmbus_offer arg = { .size = sizeof(arg), .latency = latency };

	snprintf((char *)arg.provider, sizeof(arg.provider), "%s", provider);
	return call(part, OVID_VMBUS_OFFER, &arg);
}

/* the guest knows one controller from another by its instance; the first has the provider's own */
int vid_offer_scsi(int part, u8 n)
{
	static const u8 second[16] = {
		0x26, 0x4f, 0x1b, 0x7a, 0x0e, 0x5c, 0x0b, 0x4d,
		0x9d, 0x64, 0x2f, 0x3c, 0x8e, 0x91, 0xa0, 0xd6,
	};
	struct ovid_vmbus_offer arg = { .size = sizeof(arg), .provider = "scsi" };

	if (n) {
		memcpy(arg.instance, second, sizeof(second));
		arg.instance[15] += n - 1;
	}
	return call(part, OVID_VMBUS_OFFER, &arg);
}

int vid_attach_disk(int scsi, struct ovid_disk *disk)
{
	disk->size = sizeof(*disk);
	return call(scsi, OVID_DISK_ATTACH, disk);
}

int vid_detach_disk(int scsi, u8 lun)
{
	struct ovid_disk arg = { .size = sizeof(arg), .lun = lun };

	return call(scsi, OVID_DISK_DETACH, &arg);
}

int vid_resize_disk(int scsi, u8 lun, u64 *bytes)
{
	struct ovid_disk_size arg = { .size = sizeof(arg), .lun = lun, .bytes = *bytes };
	int ret = call(scsi, OVID_DISK_RESIZE, &arg);

	*bytes = arg.bytes;
	return ret;
}

int vid_disk_medium(int scsi, u8 lun, int fd, bool force)
{
	struct ovid_disk_medium arg = {
		.size = sizeof(arg), .flags = force ? OVID_DISK_FORCE : 0, .lun = lun, .fd = fd,
	};

	return call(scsi, OVID_DISK_MEDIUM, &arg);
}

int vid_disk_limit(int scsi, struct ovid_disk_limit *limit)
{
	limit->size = sizeof(*limit);
	return call(scsi, OVID_DISK_LIMIT, limit);
}

int vid_disk_info(int scsi, u8 lun, struct ovid_disk_info *info)
{
	*info = (struct ovid_disk_info){ .size = sizeof(*info), .lun = lun };
	return call(scsi, OVID_DISK_INFO, info);
}

/* the guest knows one card from another by its instance */
int vid_offer_net(int part, u8 n)
{
	static const u8 first[16] = {
		0x4d, 0x02, 0xb7, 0x38, 0x91, 0x6c, 0x5e, 0x4a,
		0xa3, 0x0f, 0x6e, 0x8b, 0x15, 0x72, 0xd9, 0x40,
	};
	struct ovid_vmbus_offer arg = { .size = sizeof(arg), .provider = "net" };

	memcpy(arg.instance, first, sizeof(first));
	arg.instance[15] += n;
	return call(part, OVID_VMBUS_OFFER, &arg);
}

int vid_net_setup(int net, struct ovid_net *card)
{
	card->size = sizeof(*card);
	return call(net, OVID_NET_SETUP, card);
}

int vid_net_end(int net, struct ovid_net_end *end)
{
	end->size = sizeof(*end);
	return call(net, OVID_NET_END, end);
}

int vid_net_link(int net, u32 flags)
{
	struct ovid_net_link arg = { .size = sizeof(arg), .flags = flags };

	return call(net, OVID_NET_LINK, &arg);
}

int vid_net_info(int net, struct ovid_net_info *info)
{
	*info = (struct ovid_net_info){ .size = sizeof(*info) };
	return call(net, OVID_NET_INFO, info);
}

int vid_sockets(int part)
{
	struct ovid_vmbus_sockets arg = { .size = sizeof(arg) };

	return call(part, OVID_VMBUS_SOCKETS, &arg);
}

int vid_socket_reply(int sockets, u64 id, u32 refuse)
{
	struct ovid_socket_reply arg = { .size = sizeof(arg), .id = id, .refuse = refuse };

	return call(sockets, OVID_SOCKET_REPLY, &arg);
}

int vid_vsock_bind(int vsock, int part, u32 cid)
{
	struct ovid_vsock_bind arg = { .size = sizeof(arg), .partition = part, .cid = cid };

	return call(vsock, OVID_VSOCK_BIND, &arg);
}

int vid_create_vp(int part, u32 index)
{
	struct mshv_create_vp arg = { .vp_index = index };

	return call(part, MSHV_CREATE_VP, &arg);
}

int vid_run_vp(int vp)
{
	return call(vp, OVID_RUN_VP, NULL);
}

static int regs_call(int vp, unsigned long request, const struct ovid_reg *regs, u32 count)
{
	struct ovid_regs arg = {
		.size = sizeof(arg), .count = count, .regs = (uintptr_t)regs,
	};

	return call(vp, request, &arg);
}

int vid_get_regs(int vp, struct ovid_reg *regs, u32 count)
{
	return regs_call(vp, OVID_GET_REGS, regs, count);
}

int vid_set_regs(int vp, const struct ovid_reg *regs, u32 count)
{
	return regs_call(vp, OVID_SET_REGS, regs, count);
}

static int state_call(int vp, unsigned long request, u8 type, void *page)
{
	struct mshv_get_set_vp_state arg = {
		.type = type, .buf_sz = OVID_PAGE_SIZE, .buf_ptr = (uintptr_t)page,
	};

	return call(vp, request, &arg);
}

int vid_get_state(int vp, u8 type, void *page)
{
	return state_call(vp, MSHV_GET_VP_STATE, type, page);
}

int vid_set_state(int vp, u8 type, void *page)
{
	return state_call(vp, MSHV_SET_VP_STATE, type, page);
}
