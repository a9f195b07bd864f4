// SPDX-License-Identifier: GPL-2.0-only
/*
 * OID_CONFIG_PARAMETER (pure): what a guest's user has set for the card, name and value in UTF-16.
 *
 * Linux says "NetworkAddress" when its address changes (rndis_filter_set_device_mac()).  Windows
 * has NDIS's keywords of offloads: digits (OpenVMM's oid_set_rndis_config_parameter()).  What is
 * not known is taken and ignored.
 */
#include "rndis_priv.h"

/* UTF-16 within the object; @units of it */
struct text {
	const u8 *at;
	u32 units;
};

static u32 unit(const struct text *text, u32 i)
{
	return get_unaligned_le16(text->at + 2 * i);
}

static bool read_text(const struct rndis_ask *ask, u32 offset, u32 bytes, struct text *text)
{
	if (bytes % 2 || offset > ask->in_bytes || bytes > ask->in_bytes - offset)
		return false;
	text->at = ask->in + offset;
	text->units = bytes / 2;
	return true;
}

static bool is_text(const struct text *text, const char *ascii)
{
	u32 i;

	for (i = 0; i < text->units; i++)
		if (!ascii[i] || unit(text, i) != (u8)ascii[i])
			return false;
	return !ascii[i];
}

static int hex_digit(u32 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* 12 digits, with dashes anywhere between them */
static bool read_address(const struct text *text, u8 *mac)
{
	u32 n = 0, i;
	int digit;

	for (i = 0; i < text->units; i++) {
		if (unit(text, i) == '-')
			continue;
		digit = hex_digit(unit(text, i));
		if (digit < 0 || n == 2 * NET_MAC_BYTES)
			return false;
		mac[n / 2] = n % 2 ? mac[n / 2] | digit : digit << 4;
		n++;
	}
	return n == 2 * NET_MAC_BYTES && rndis_is_own_address(mac);
}

static u32 set_address(struct rndis_ask *ask, const struct text *value)
{
	u8 mac[NET_MAC_BYTES];

	if (!read_address(value, mac))
		return RNDIS_INVALID_DATA;
	memcpy(ask->rndis->address, mac, sizeof(mac));
	ask->changed |= RNDIS_CHANGED_ADDRESS;
	return RNDIS_SUCCESS;
}

/* 0: off; 1: for frames of the guest's; 2: for those it gets; 3: both */
static const struct keyword {
	const char *name;
	u32 tx;
	u32 rx;
} keywords[] = {
	{ "*IPChecksumOffloadIPv4", NET_TX_IP_CSUM, NET_RX_IP_CSUM },
	{ "*TCPChecksumOffloadIPv4", NET_TX_TCP4_CSUM, NET_RX_TCP4_CSUM },
	{ "*TCPChecksumOffloadIPv6", NET_TX_TCP6_CSUM, NET_RX_TCP6_CSUM },
	{ "*UDPChecksumOffloadIPv4", NET_TX_UDP4_CSUM, NET_RX_UDP4_CSUM },
	{ "*UDPChecksumOffloadIPv6", NET_TX_UDP6_CSUM, NET_RX_UDP6_CSUM },
	{ "*LsoV2IPv4", NET_LSO4, 0 },
	{ "*LsoV2IPv6", NET_LSO6, 0 },
	{ "*RscIPv4", NET_RSC4, 0 },
	{ "*RscIPv6", NET_RSC6, 0 },
};

static u32 set_keyword(struct rndis_ask *ask, const struct keyword *word, const struct text *value)
{
	u32 number = value->units == 1 ? unit(value, 0) - '0' : 10;
	u32 on = 0;

	if (number > (word->rx ? 3 : 1))
		return RNDIS_INVALID_DATA;
	if (number & 1)
		on |= word->tx;
	if (number & 2)
		on |= word->rx;
	ask->rndis->offloads = (ask->rndis->offloads & ~(word->tx | word->rx)) | on;
	ask->changed |= RNDIS_CHANGED_OFFLOADS;
	return RNDIS_SUCCESS;
}

u32 ovid_rndis_set_parameter(struct rndis_ask *ask)
{
	struct ndis_w_parameter parameter;
	struct text name, value;
	u32 i;

	if (ask->in_bytes < sizeof(parameter))
		return RNDIS_INVALID_LENGTH;
	memcpy(&parameter, ask->in, sizeof(parameter));
	if (!read_text(ask, parameter.name_offset, parameter.name_bytes, &name) ||
	    !read_text(ask, parameter.value_offset, parameter.value_bytes, &value))
		return RNDIS_INVALID_DATA;
	if (parameter.type != NDIS_PARAM_STRING)
		return RNDIS_SUCCESS;
	if (is_text(&name, "NetworkAddress"))
		return set_address(ask, &value);
	for (i = 0; i < ARRAY_SIZE(keywords); i++)
		if (is_text(&name, keywords[i].name))
			return set_keyword(ask, &keywords[i], &value);
	return RNDIS_SUCCESS;
}
