// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest has left undone in a frame's headers (pure).
 *
 * Of a frame that is to be cut, guests leave IP's length at 0 and TCP's checksum at the sum of a
 * pseudo header without a length (Linux's netvsc_xmit(), FreeBSD's hn_tso_fixup()); of another
 * one, with a length.  Who cuts it in Linux, or makes the checksum, wants the length in both
 * (tcp_gso_segment(), skb_checksum_help()).  So all of it is made anew, from the headers
 * themselves; where the guest says TCP's header begins is not asked.
 */
#include "rndis.h"

#define ETH_IP4			0x0800
#define ETH_IP6			0x86dd
#define ETH_TAG			0x8100
#define ETH_SERVICE_TAG		0x88a8
#define ETH_TAG_BYTES		4
#define ETH_MAX_TAGS		2

#define IP4_BYTES		20
#define IP4_MORE		0x2000	/* ... fragments follow */
#define IP4_OFFSET		0x1fff
#define IP6_BYTES		40
#define IP6_MAX_EXTENSIONS	8

#define PROTO_HOP		0
#define PROTO_TCP		6
#define PROTO_UDP		17
#define PROTO_ROUTING		43
#define PROTO_OPTIONS		60

#define TCP_BYTES		20
#define TCP_CSUM		16
#define UDP_BYTES		8
#define UDP_CSUM		6

#define L4_CSUM			(NET_FRAME_TCP_CSUM | NET_FRAME_UDP_CSUM | NET_FRAME_LSO)

/**
 * struct walk - where a frame's headers are
 * @head: its first bytes
 * @bytes: of @head
 * @frame: bytes of all of it
 * @ip: IP's header; 0: there is none
 * @ip6: it is IPv6's
 * @l4: what is behind it, and behind its extensions
 * @end: of IP's packet
 * @proto: of @l4
 * @fragment: @l4 is not all of it, or no header
 * @routed: IPv6's destination is not yet the last one
 */
struct walk {
	u8 *head;
	u32 bytes;
	u32 frame;
	u32 ip;
	bool ip6;
	u32 l4;
	u32 end;
	u8 proto;
	bool fragment;
	bool routed;
};

/* @bytes at @at are among those we see */
static bool sees(const struct walk *walk, u32 at, u32 bytes)
{
	return at <= walk->bytes && bytes <= walk->bytes - at;
}

/* ---- sums ---- */

static u32 add(u32 sum, const u8 *p, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i += 2)
		sum += get_unaligned_be16(p + i);
	return sum;
}

static u16 fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void make_ip4_csum(struct walk *walk)
{
	u8 *ip = walk->head + walk->ip;

	put_unaligned_be16(0, ip + 10);
	put_unaligned_be16(~fold(add(0, ip, (ip[0] & 0xf) * 4)), ip + 10);
}

/* of the pseudo header: addresses, protocol, length */
static u16 pseudo(const struct walk *walk)
{
	const u8 *ip = walk->head + walk->ip;
	u32 sum = walk->proto + (walk->end - walk->l4);

	return fold(walk->ip6 ? add(sum, ip + 8, 32) : add(sum, ip + 12, 8));
}

/* ---- headers ---- */

static int find_ip(struct walk *walk)
{
	u32 at = NET_ETH_BYTES - 2, tags = 0;
	u16 type;

	for (;;) {
		if (!sees(walk, at, 2))
			return -EPROTO;
		type = get_unaligned_be16(walk->head + at);
		if (type != ETH_TAG && type != ETH_SERVICE_TAG)
			break;
		if (tags++ == ETH_MAX_TAGS)
			return -EPROTO;
		at += ETH_TAG_BYTES;
	}
	if (type != ETH_IP4 && type != ETH_IP6)
		return -EPROTO;
	walk->ip = at + 2;
	walk->ip6 = type == ETH_IP6;
	return 0;
}

/* @whole: the length is what there is, and is put there */
static int read_ip4(struct walk *walk, bool whole)
{
	u8 *ip = walk->head + walk->ip;
	u32 ihl, length;
	u16 fragment;

	if (!sees(walk, walk->ip, IP4_BYTES))
		return -EPROTO;
	ihl = (ip[0] & 0xf) * 4;
	if (ip[0] >> 4 != 4 || ihl < IP4_BYTES || !sees(walk, walk->ip, ihl))
		return -EPROTO;
	length = whole ? walk->frame - walk->ip : get_unaligned_be16(ip + 2);
	if (length < ihl || length > 0xffff || length > walk->frame - walk->ip)
		return -EPROTO;
	if (whole)
		put_unaligned_be16(length, ip + 2);
	fragment = get_unaligned_be16(ip + 6);
	walk->fragment = fragment & (IP4_MORE | IP4_OFFSET);
	walk->proto = ip[9];
	walk->l4 = walk->ip + ihl;
	walk->end = walk->ip + length;
	return 0;
}

/* those that may be before TCP and UDP; that of fragments is none */
static int pass_extensions(struct walk *walk)
{
	const u8 *p;
	u32 n;

	for (n = 0; n < IP6_MAX_EXTENSIONS; n++) {
		if (walk->proto != PROTO_HOP && walk->proto != PROTO_ROUTING &&
		    walk->proto != PROTO_OPTIONS)
			return 0;
		if (!sees(walk, walk->l4, 8))
			return -EPROTO;
		p = walk->head + walk->l4;
		if (walk->proto == PROTO_ROUTING && p[3])
			walk->routed = true;
		walk->proto = p[0];
		walk->l4 += 8 + p[1] * 8;
		if (walk->l4 > walk->end)
			return -EPROTO;
	}
	return -EPROTO;
}

static int read_ip6(struct walk *walk, bool whole)
{
	u8 *ip = walk->head + walk->ip;
	u32 length;

	if (!sees(walk, walk->ip, IP6_BYTES) || ip[0] >> 4 != 6)
		return -EPROTO;
	walk->l4 = walk->ip + IP6_BYTES;
	length = whole ? walk->frame - walk->l4 : get_unaligned_be16(ip + 4);
	if (length > 0xffff || length > walk->frame - walk->l4)
		return -EPROTO;
	if (whole)
		put_unaligned_be16(length, ip + 4);
	walk->proto = ip[6];
	walk->end = walk->l4 + length;
	return pass_extensions(walk);
}

/* ---- what is asked for ---- */

static int do_csum(struct walk *walk, u32 flags, struct ovid_frame_fix *fix)
{
	bool tcp = !(flags & NET_FRAME_UDP_CSUM) || flags & NET_FRAME_LSO;
	u32 least = tcp ? TCP_BYTES : UDP_BYTES;

	if (walk->fragment || walk->proto != (tcp ? PROTO_TCP : PROTO_UDP) ||
	    walk->end - walk->l4 < least || !sees(walk, walk->l4, least))
		return -EPROTO;
	fix->csum = true;
	fix->csum_start = walk->l4;
	fix->csum_offset = tcp ? TCP_CSUM : UDP_CSUM;
	/* the last destination is the guest's to know; what it leaves there has a length */
	if (!walk->routed || flags & NET_FRAME_LSO)
		put_unaligned_be16(pseudo(walk), walk->head + walk->l4 + fix->csum_offset);
	return 0;
}

/* TCP; what is no longer than one piece is none, as Linux wants it */
static int do_segment(struct walk *walk, u32 mss, struct ovid_frame_fix *fix)
{
	u32 tcp = (walk->head[walk->l4 + 12] >> 4) * 4;

	if (tcp < TCP_BYTES || tcp > walk->end - walk->l4 || !sees(walk, walk->l4, tcp) ||
	    mss < NET_MIN_MSS || mss > 0xffff)
		return -EPROTO;
	if (walk->end - walk->l4 - tcp <= mss)
		return 0;
	if (walk->end / mss > NET_MAX_PIECES)
		return -EPROTO;
	fix->segment = true;
	fix->ip6 = walk->ip6;
	fix->headers = walk->l4 + tcp;
	fix->mss = mss;
	return 0;
}

int ovid_frame_offload(u8 *head, u32 head_bytes, const struct ovid_rndis_frame *frame,
		       struct ovid_frame_fix *fix)
{
	bool whole = frame->flags & NET_FRAME_LSO;
	struct walk walk = { .head = head, .bytes = head_bytes, .frame = frame->bytes };
	int err;

	memset(fix, 0, sizeof(*fix));
	if (!(frame->flags & (L4_CSUM | NET_FRAME_IP_CSUM)))
		return 0;
	err = find_ip(&walk);
	if (!err)
		err = walk.ip6 ? read_ip6(&walk, whole) : read_ip4(&walk, whole);
	if (!err && walk.ip6 && frame->flags & NET_FRAME_IP_CSUM)
		err = -EPROTO;
	if (!err && frame->flags & L4_CSUM)
		err = do_csum(&walk, frame->flags, fix);
	if (!err && whole)
		err = do_segment(&walk, frame->mss, fix);
	if (err)
		return err;
	if (!walk.ip6 && (whole || frame->flags & NET_FRAME_IP_CSUM))
		make_ip4_csum(&walk);
	return 0;
}
