/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chario.h - the far end of the serial line: a ring of what the guest wrote,
 * and up to CHARIO_SINKS files that read it and type into it.
 *
 * A patient sink (a file, a pipe, the terminal that started the VM) holds the
 * guest's transmitter up when the ring is full; a visitor (console client,
 * socket) that is too slow misses output instead.
 *
 * Locks: @lock guards everything; VP threads only put, the main thread drains.
 * A guest that writes without looking whether the transmitter is free is slowed
 * down by chario_throttle(), which its VP thread calls with no lock held.
 */
#ifndef OVID_CHARIO_H
#define OVID_CHARIO_H

#include <poll.h>
#include <pthread.h>

#include "../lib/types.h"

#define CHARIO_RING	65536	/* a power of two */
#define CHARIO_SINKS	8

struct chario_sink {
	bool used;
	bool patient;
	bool stalled;		/* the file takes no more for now */
	int in, out;		/* -1: not, or not any more */
	u64 pos;		/* next byte of the ring to write */
};

struct chario {
	pthread_mutex_t lock;
	u8 ring[CHARIO_RING];
	u64 head;
	struct chario_sink sink[CHARIO_SINKS];
	bool full;		/* a put was refused */
	_Atomic bool crowded;	/* a patient sink is far behind */
	pthread_cond_t drained;
	bool waiting;		/* @wake was called and nothing drained since */
	void (*wake)(void *arg);
	void *arg;
};

void chario_init(struct chario *c, void (*wake)(void *arg), void *arg);

/* Takes the files over.  -ENOSPC: too many sinks. */
int chario_attach(struct chario *c, int in, int out, bool patient);

bool chario_put(struct chario *c, u8 byte);

/* Waits a little for room, if there is little. */
void chario_throttle(struct chario *c);

/*
 * For the poll loop: two slots a sink, so at most 2 * CHARIO_SINKS.  @want_input
 * is whether input could be delivered.
 */
unsigned int chario_poll(struct chario *c, struct pollfd *pfd, bool want_input);

/* Writes what can be written; true when a refused put would succeed now. */
bool chario_drain(struct chario *c);

/* Reads from whoever has typed, one file a call; 0: nobody. */
size_t chario_read(struct chario *c, const struct pollfd *pfd, unsigned int nr,
		   u8 *buf, size_t len);

bool chario_pending(struct chario *c);

#endif
