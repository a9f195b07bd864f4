/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serve.h - the VMBus of a test guest's machine: the kernel's channels by name, and one
 * that this process serves.
 */
#ifndef OVID_GUEST_SERVE_H
#define OVID_GUEST_SERVE_H

#include <stdbool.h>
#include <stdint.h>

struct serve;

/* makes the bus, with the channels that are there from the start: 0 or -errno */
int serve_start(int part, struct serve **serve);
/* @channel: G_CHANNEL_*; @latency: of its monitor, 0: none.  0 or -errno */
int serve_offer(struct serve *s, unsigned int channel, unsigned int latency);
int serve_revoke(struct serve *s, unsigned int channel);
/* of the partition: its value; -1: there is none */
int64_t serve_counter(struct serve *s, const char *name);
/* can the module make faults, and its files be reached? */
bool serve_can_fail(void);
/* G_NET_*; @ram: the guest's memory.  0 or more, or -errno */
int64_t serve_net(struct serve *s, const uint64_t *arg, void *ram, uint64_t bytes);
/* rules as in Documentation/vmbus-faults.rst: 0 or -errno */
int serve_fault(const char *rules);
/* of the partition, whose VPs do not run */
int serve_reset(struct serve *s);
/* closes all channels */
void serve_stop(struct serve *s);

#endif
