/* SPDX-License-Identifier: GPL-2.0-only */
/* frame.h - frames that a guest would send, byte by byte. */
#ifndef OVID_TESTS_FRAME_H
#define OVID_TESTS_FRAME_H

#include <arpa/inet.h>
#include <string.h>

#include "../../uapi/ovid_net.h"
#include "../lib/types.h"

static inline void frame_put16(u8 *at, u16 n)
{
	at[0] = n >> 8;
	at[1] = n;
}

static inline u16 frame_get16(const u8 *at)
{
	return at[0] << 8 | at[1];
}

static inline u32 frame_get32(const u8 *at)
{
	return (u32)frame_get16(at) << 16 | frame_get16(at + 2);
}

static inline u32 frame_sum(const u8 *at, size_t len, u32 sum)
{
	for (; len > 1; len -= 2, at += 2)
		sum += frame_get16(at);
	if (len)
		sum += at[0] << 8;
	return sum;
}

static inline u16 frame_fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static inline void frame_ether(u8 *f, const u8 *to, const u8 *from, u16 type)
{
	memcpy(f, to, 6);
	memcpy(f + 6, from, 6);
	frame_put16(f + 12, type);
}

/* behind the Ethernet header: IPv4 without options, with @bytes of UDP or TCP, which are there */
static inline size_t frame_ip(u8 *f, u8 protocol, u32 from, u32 to, size_t bytes)
{
	u8 *ip = f + 14, *data = ip + 20;
	u32 sum;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	frame_put16(ip + 2, 20 + bytes);
	ip[8] = 64;
	ip[9] = protocol;
	frame_put16(ip + 12, from >> 16);
	frame_put16(ip + 14, from);
	frame_put16(ip + 16, to >> 16);
	frame_put16(ip + 18, to);
	frame_put16(ip + 10, frame_fold(frame_sum(ip, 20, 0)));
	frame_put16(data + (protocol == 6 ? 16 : 6), 0);
	sum = frame_sum(ip + 12, 8, protocol + bytes);
	frame_put16(data + (protocol == 6 ? 16 : 6), frame_fold(frame_sum(data, bytes, sum)));
	return 14 + 20 + bytes;
}

/* DHCP: @type 1: DISCOVER, 3: REQUEST */
static inline size_t frame_dhcp(u8 *f, const u8 *mac, u8 type, u32 wants)
{
	static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	u8 *udp = f + 14 + 20, *d = udp + 8;
	size_t len = 240;

	frame_ether(f, all, mac, 0x0800);
	memset(udp, 0, 8 + 300);
	frame_put16(udp, 68);
	frame_put16(udp + 2, 67);
	frame_put16(udp + 4, 8 + 300);
	d[0] = 1;
	d[1] = 1;
	d[2] = 6;
	memcpy(d + 4, "\x12\x34\x56\x78", 4);
	memcpy(d + 28, mac, 6);
	memcpy(d + 236, "\x63\x82\x53\x63", 4);
	memcpy(d + len, (u8[]){ 53, 1, type }, 3);
	len += 3;
	if (wants) {
		memcpy(d + len, (u8[]){ 50, 4, wants >> 24, wants >> 16, wants >> 8, wants }, 6);
		len += 6;
	}
	d[len] = 255;
	return frame_ip(f, 17, 0, ~0u, 8 + 300);
}

/* the address that an answer of DHCP's gives, of which @type it is; or 0 */
static inline u32 frame_dhcp_address(const u8 *f, size_t len, u8 type)
{
	const u8 *udp = f + 34, *d = udp + 8;

	if (len < 34 + 8 + 240 + 3 || frame_get16(f + 12) != 0x0800 || f[23] != 17 ||
	    frame_get16(udp + 2) != 68 || d[240] != 53 || d[242] != type)
		return 0;
	return frame_get32(d + 16);
}

#endif
