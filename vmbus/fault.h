/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where faults are made that somebody has asked for (fault_rule.h), so that those who write a
 * guest's drivers can provoke them.  Without OVID_FAULTS, which only a debug build has, nothing of
 * it is there.
 */
#ifndef OVID_VMBUS_FAULT_H
#define OVID_VMBUS_FAULT_H

#include <linux/types.h>

struct ovid_chan;
struct ovid_gpadl;
struct ovid_vmbus;
struct ovid_vmbus_mail;

#ifdef OVID_FAULTS
#include <linux/spinlock.h>
#include "fault_rule.h"

#define OVID_FAULT_RULES	16

/**
 * struct ovid_faults - the rules of a bus
 * @lock: a leaf; any context but interrupts
 * @nr: of @rule
 * @rule: rules
 * @rescind: bit 0: channels are marked that are to be taken back
 */
struct ovid_faults {
	spinlock_t lock;
	u32 nr;
	struct ovid_fault_rule rule[OVID_FAULT_RULES];
	unsigned long rescind;
};

/* a new bus, which is published: its rules are those of the module's parameter */
void ovid_faults_init(struct ovid_vmbus *vmbus);
/* a message of the guest's: true: it is lost.  vmbus->lock held; may sleep */
bool ovid_fault_message_in(struct ovid_vmbus *vmbus, const struct ovid_vmbus_mail *mail);
/* the same for one to the guest */
bool ovid_fault_message_out(struct ovid_vmbus *vmbus, const void *msg, u32 bytes);
/* 0 or -errno: refuse it; vmbus->lock held */
int ovid_fault_open(struct ovid_chan *chan);
int ovid_fault_gpadl(struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl);
/* the next packet is not to be taken, the channel goes; chan->lock held */
bool ovid_fault_packet_in(struct ovid_chan *chan);
/* one was written and not published: @payload bytes, or -errno: it was not; chan->lock held */
void ovid_fault_packet_out(struct ovid_chan *chan, int err, u32 payload);
/* channels are marked */
bool ovid_fault_pending(const struct ovid_vmbus *vmbus);
/* takes them back; the bus's thread, no lock held */
void ovid_fault_rescind(struct ovid_vmbus *vmbus);
#else
static inline void ovid_faults_init(struct ovid_vmbus *vmbus) {}
static inline bool ovid_fault_message_in(struct ovid_vmbus *vmbus,
					 const struct ovid_vmbus_mail *mail)
{
	return false;
}

static inline bool ovid_fault_message_out(struct ovid_vmbus *vmbus, const void *msg, u32 bytes)
{
	return false;
}

static inline int ovid_fault_open(struct ovid_chan *chan)
{
	return 0;
}

static inline int ovid_fault_gpadl(struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl)
{
	return 0;
}

static inline bool ovid_fault_packet_in(struct ovid_chan *chan)
{
	return false;
}

static inline void ovid_fault_packet_out(struct ovid_chan *chan, int err, u32 payload) {}

static inline bool ovid_fault_pending(const struct ovid_vmbus *vmbus)
{
	return false;
}

static inline void ovid_fault_rescind(struct ovid_vmbus *vmbus) {}
#endif

#endif
