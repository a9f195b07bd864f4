/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults that the host makes because it was asked to (pure): one rule, from a line of text
 * to the question whether it is due.  The language is in Documentation/vmbus-faults.rst.
 */
#ifndef OVID_FAULT_RULE_H
#define OVID_FAULT_RULE_H

#include "proto.h"

#define OVID_FAULT_TEXT		120	/* of a rule, with its NUL */
#define OVID_FAULT_NAME		16
#define OVID_FAULT_MAX_MS	10000

enum ovid_fault_what {
	OVID_FAULT_DROP,
	OVID_FAULT_DELAY,
	OVID_FAULT_REFUSE,
	OVID_FAULT_RESCIND,
	OVID_FAULT_CORRUPT,
};

enum ovid_fault_where {
	OVID_FAULT_IN,		/* a message of the guest */
	OVID_FAULT_OUT,		/* ... for it */
	OVID_FAULT_OPEN,
	OVID_FAULT_GPADL,
	OVID_FAULT_PACKET,	/* of the guest, to a provider in the kernel; corrupt: for it */
};

/* of a packet's header; the order of the names in fault_rule.c */
enum ovid_fault_field {
	OVID_FAULT_NO_FIELD,
	OVID_FAULT_TYPE,
	OVID_FAULT_OFFSET,
	OVID_FAULT_LENGTH,
	OVID_FAULT_FLAGS,
	OVID_FAULT_TRANSACTION,
	OVID_FAULT_PAYLOAD,
};

/**
 * struct ovid_fault_rule - what is to go wrong, and when
 * @text: as it was given
 * @what: happens
 * @where: it happens
 * @type: only to messages of that type; 0: any
 * @relid: only to that channel; 0: any
 * @provider: only to channels of that provider; "": any
 * @nth: of what fits it is the first one, from 1
 * @times: and so many from there on; 0: all
 * @ms: of a delay
 * @field: of a packet
 * @xor: with what
 * @seen: what fitted
 * @done: how often it was done
 */
struct ovid_fault_rule {
	char text[OVID_FAULT_TEXT];
	enum ovid_fault_what what;
	enum ovid_fault_where where;
	u32 type;
	u32 relid;
	char provider[OVID_FAULT_NAME];
	u32 nth;
	u32 times;
	u32 ms;
	enum ovid_fault_field field;
	u64 xor;
	u64 seen;
	u64 done;
};

/**
 * struct ovid_fault_event - something that a rule may be about
 * @what: could be done to it
 * @where: it is
 * @type: of the message, or 0
 * @relid: channel that it is about; 0: none
 * @provider: of that channel, or ""
 */
struct ovid_fault_event {
	enum ovid_fault_what what;
	enum ovid_fault_where where;
	u32 type;
	u32 relid;
	const char *provider;
};

/* @text: one line, of which nothing is left: 0, or -EINVAL: it makes no sense */
int ovid_fault_parse(char *text, struct ovid_fault_rule *rule);
/* counts, and says whether it is to be done now */
bool ovid_fault_due(struct ovid_fault_rule *rule, const struct ovid_fault_event *event);
/* channel that a message is about; 0: it does not say */
u32 ovid_fault_relid(const void *msg, u32 bytes);
/* spoils a packet whose payload has @payload bytes */
void ovid_fault_spoil(const struct ovid_fault_rule *rule, struct vmbus_w_packet *packet,
		      u32 payload);

#endif
