/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pic.h - the pair of 8259A interrupt controllers.
 *
 * Locks: @lock guards everything; @intr is called under it (a leaf: an ioctl).
 */
#ifndef OVID_PIC_H
#define OVID_PIC_H

#include <pthread.h>

#include "../bus.h"

struct pic_chip {
	u8 irr, isr, imr;
	u8 lines;	/* level of each input */
	u8 elcr;	/* level-triggered inputs */
	u8 base;	/* vector of input 0 */
	u8 lowest;	/* input with the lowest priority */
	u8 init_step;	/* next ICW, 0: initialized */
	bool need_icw4, auto_eoi, rotate_aeoi, special_mask, nested_all;
	bool read_isr, poll;
};

struct pic {
	pthread_mutex_t lock;
	struct pic_chip chip[2];	/* master, slave on its input 2 */
	bool intr_level;
	void (*intr)(void *arg, bool level);
	void *arg;
};

void pic_init(struct pic *pic, void (*intr)(void *arg, bool level), void *arg);
void pic_reset(struct pic *pic);
void pic_set_irq(struct pic *pic, unsigned int irq, bool level);

/* The interrupt-acknowledge cycle: a vector, or -1 when there is none. */
int pic_acknowledge(struct pic *pic);

/* Says its output again, to one who has not heard it. */
void pic_repeat(struct pic *pic);

int pic_add_to(struct pic *pic, struct bus *ports);

#endif
