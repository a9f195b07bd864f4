// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVSP: nvsp.h.  What a guest expects of the answers is in Linux's drivers/net/hyperv/netvsc.c.
 */
#include "nvsp.h"
#include "rndis.h"

#define HEAD_BYTES	((u32)sizeof(u32))
#define MDL_CHAIN	34		/* as Hyper-V says; nobody asks */

static const u32 versions[] = {		/* the newest first */
	NVSP_VERSION_61, NVSP_VERSION_6, NVSP_VERSION_5, NVSP_VERSION_4, NVSP_VERSION_2,
	NVSP_VERSION_1,
};

/* bytes that a message of the guest's has at least; 0: there is no such message */
static u32 least(u32 type)
{
	switch (type) {
	case NVSP_INIT:
		return HEAD_BYTES + sizeof(struct nvsp_w_init);
	case NVSP_NDIS_VERSION:
		return HEAD_BYTES + sizeof(struct nvsp_w_ndis_version);
	case NVSP_RX_BUFFER:
	case NVSP_TX_BUFFER:
		return HEAD_BYTES + sizeof(struct nvsp_w_buffer);
	case NVSP_RX_REVOKE:
	case NVSP_TX_REVOKE:
		return HEAD_BYTES + sizeof(struct nvsp_w_revoke);
	case NVSP_RNDIS:
		return HEAD_BYTES + sizeof(struct nvsp_w_rndis);
	case NVSP_NDIS_CONFIG:
		return HEAD_BYTES + sizeof(struct nvsp_w_ndis_config);
	case NVSP_SUBS:
		return HEAD_BYTES + sizeof(struct nvsp_w_subs);
	case NVSP_SWITCH_PATH:
		return HEAD_BYTES + sizeof(u32);
	default:
		return 0;
	}
}

static enum ovid_nvsp_do reply(struct nvsp_w_message *msg, u32 *bytes, u32 type)
{
	msg->type = type;
	*bytes = sizeof(*msg);
	return NVSP_DO_REPLY;
}

/* nothing but that it was taken */
static enum ovid_nvsp_do taken(u32 *bytes)
{
	*bytes = 0;
	return NVSP_DO_REPLY;
}

static u32 agree(const struct nvsp_w_init *init)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(versions); i++)
		if (init->min <= versions[i] && versions[i] <= init->max)
			return versions[i];
	return 0;
}

/* a guest asks until one is good for both; not when it has begun with that one */
static enum ovid_nvsp_do on_init(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 *bytes)
{
	u32 version = nvsp->rx || nvsp->tx ? 0 : agree(&msg->init);

	if (version)
		*nvsp = (struct ovid_nvsp){ .version = version };
	memset(msg, 0, sizeof(*msg));
	msg->init_complete.version = version;
	msg->init_complete.max_mdl_chain = MDL_CHAIN;
	msg->init_complete.status = version ? NVSP_OK : NVSP_FAIL;
	return reply(msg, bytes, NVSP_INIT_COMPLETE);
}

static enum ovid_nvsp_do on_config(struct ovid_nvsp *nvsp, const struct nvsp_w_message *msg,
				   u32 *bytes)
{
	if (nvsp->version >= NVSP_VERSION_2 && !nvsp->rx) {
		nvsp->mtu = msg->ndis_config.mtu;
		nvsp->caps = msg->ndis_config.caps;
	}
	return taken(bytes);
}

static enum ovid_nvsp_do on_rx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 *bytes)
{
	if (nvsp->version && !nvsp->rx && msg->buffer.id == NVSP_RX_BUFFER_ID) {
		*bytes = sizeof(*msg);
		return NVSP_DO_RX_BUFFER;
	}
	ovid_nvsp_rx(nvsp, msg, 0, 0);
	return reply(msg, bytes, NVSP_RX_BUFFER_COMPLETE);
}

static enum ovid_nvsp_do on_tx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 *bytes)
{
	if (nvsp->version && !nvsp->tx) {
		*bytes = sizeof(*msg);
		return NVSP_DO_TX_BUFFER;
	}
	ovid_nvsp_tx(nvsp, msg, 0);
	return reply(msg, bytes, NVSP_TX_BUFFER_COMPLETE);
}

/* once for each time it is opened, with all that it needs */
static enum ovid_nvsp_do on_subs(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 *bytes,
				 u16 *subs)
{
	u32 count = msg->subs.count;
	bool good = nvsp->version >= NVSP_VERSION_5 && nvsp->rx && !nvsp->subs &&
		    msg->subs.op == NVSP_SUBS_ALLOCATE && count;

	*subs = good ? min(count, *subs) : 0;
	nvsp->subs = *subs;
	memset(msg, 0, sizeof(*msg));
	msg->subs.op = good ? NVSP_OK : NVSP_FAIL;
	msg->subs.count = *subs;
	reply(msg, bytes, NVSP_SUBS);
	return *subs ? NVSP_DO_SUBS : NVSP_DO_REPLY;
}

enum ovid_nvsp_do ovid_nvsp_message(struct ovid_nvsp *nvsp, bool primary,
				    struct nvsp_w_message *msg, u32 *bytes, u16 *subs)
{
	u32 wanted = least(msg->type);

	if (!wanted || *bytes < wanted || (!primary && msg->type != NVSP_RNDIS))
		return taken(bytes);
	switch (msg->type) {
	case NVSP_RNDIS:
		return NVSP_DO_RNDIS;
	case NVSP_INIT:
		return on_init(nvsp, msg, bytes);
	case NVSP_NDIS_CONFIG:
		return on_config(nvsp, msg, bytes);
	case NVSP_NDIS_VERSION:
		nvsp->ndis = msg->ndis_version.major << 16 | (msg->ndis_version.minor & 0xffff);
		return taken(bytes);
	case NVSP_RX_BUFFER:
		return on_rx(nvsp, msg, bytes);
	case NVSP_TX_BUFFER:
		return on_tx(nvsp, msg, bytes);
	case NVSP_RX_REVOKE:
		taken(bytes);
		return NVSP_DO_RX_REVOKE;
	case NVSP_TX_REVOKE:
		taken(bytes);
		return NVSP_DO_TX_REVOKE;
	case NVSP_SUBS:
		return on_subs(nvsp, msg, bytes, subs);
	default:	/* NVSP_SWITCH_PATH: Linux takes no word with it */
		return taken(bytes);
	}
}

void ovid_nvsp_rx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 parts, u32 part_bytes)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = NVSP_RX_BUFFER_COMPLETE;
	msg->rx_complete.status = parts ? NVSP_OK : NVSP_FAIL;
	if (!parts)
		return;
	nvsp->rx = true;
	msg->rx_complete.nr_sections = 1;
	msg->rx_complete.section_bytes = part_bytes;
	msg->rx_complete.nr_parts = parts;
	msg->rx_complete.end_offset = parts * part_bytes;
}

void ovid_nvsp_tx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 part_bytes)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = NVSP_TX_BUFFER_COMPLETE;
	msg->tx_complete.status = part_bytes ? NVSP_OK : NVSP_FAIL;
	msg->tx_complete.section_bytes = part_bytes;
	if (part_bytes)
		nvsp->tx = true;
}

void ovid_nvsp_no_subs(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg)
{
	nvsp->subs = 0;
	msg->subs.op = NVSP_FAIL;
	msg->subs.count = 0;
}

u32 ovid_nvsp_rndis(struct nvsp_w_message *msg, u32 status)
{
	msg->type = NVSP_RNDIS_COMPLETE;
	msg->status = status;
	return HEAD_BYTES + sizeof(msg->status);
}

bool ovid_nvsp_ok(const struct ovid_nvsp *nvsp)
{
	u32 i;

	if (!net_is_bool(&nvsp->rx) || !net_is_bool(&nvsp->tx))
		return false;
	for (i = 0; i < ARRAY_SIZE(versions); i++)
		if (nvsp->version == versions[i])
			return true;
	return !nvsp->version && !nvsp->rx && !nvsp->tx && !nvsp->subs;
}
