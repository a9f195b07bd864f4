/* SPDX-License-Identifier: GPL-2.0-only */
/* stack.h - libslirp between the file of a card's channel and sockets: a turn of poll(). */
#ifndef OVID_SLIRP_STACK_H
#define OVID_SLIRP_STACK_H

#include "../lib/fail.h"
#include "slirp.h"

struct stack;

/* With its forwards.  0 or -status. */
int stack_create(struct stack **stack, const struct slirp_config *config, struct failure *why);
void stack_destroy(struct stack *s);

/* From now on the guest is behind this file, which is taken over, and does not block; -1: nowhere */
void stack_file(struct stack *s, int file);

int stack_forward(struct stack *s, const struct slirp_forward *forward, struct failure *why);
int stack_unforward(struct stack *s, const struct slirp_forward *forward, struct failure *why);

/* Waits until there is something to do, and does it.  Is there something to read from @orders? */
bool stack_turn(struct stack *s, int orders);

#endif
