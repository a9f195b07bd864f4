/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libovid_priv.h - a channel as the library has it; and how tests make one without a file.
 */
#ifndef LIBOVID_PRIV_H
#define LIBOVID_PRIV_H

#include "../../vmbus/ring.h"
#include "libovid.h"

/**
 * struct ovid_channel
 * @file: H
 * @signals: eventfd
 * @own_signals: it was made here
 * @open: the rings are there
 * @broken: they make no sense, until it is opened anew
 * @map: both of them; NULL: they are not ours
 * @map_bytes: of @map
 * @want: a turn is wanted when a packet of so many bytes fits; 0: no
 * @peeked: the packet that was peeked last
 */
struct ovid_channel {
	int file, signals;
	bool own_signals, open, broken;
	void *map;
	size_t map_bytes;
	uint32_t want;
	struct ovid_ring in, out;
	struct ovid_packet peeked;
};

/*
 * Begins to use rings; each is its shared page, its data of so many bytes, and the same data once
 * more.  0 or -errno.
 */
int ovid_lib_use_rings(struct ovid_channel *channel, void *in, uint32_t in_bytes, void *out,
			   uint32_t out_bytes);

#endif
