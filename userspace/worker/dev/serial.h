/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serial.h - a 16550A UART at COM1.
 *
 * Output leaves at once through @out, which may refuse (then the transmitter
 * is busy until serial_out_ready()).  Input waits in @in and is the "wire": it
 * is shown to the guest only while the guest asks for it (RTS raised, or the
 * receive interrupt enabled), so that nothing typed before the driver is there
 * gets lost, not even when the driver clears its FIFO.
 *
 * Locks: @lock guards everything; @out and interrupt lines are taken under it.
 */
#ifndef OVID_SERIAL_H
#define OVID_SERIAL_H

#include <pthread.h>

#include "../bus.h"
#include "../irq.h"

#define SERIAL_COM1	0x3f8
#define SERIAL_IN	4096	/* a power of two */

struct serial {
	pthread_mutex_t lock;
	u8 ier, fcr, lcr, mcr, scr, dll, dlm, msr_delta;
	bool thre_pending;	/* transmitter-empty interrupt not yet seen */
	bool tx_busy;		/* @out refused; its byte is in @held */
	u8 held;
	bool loop_full;		/* loopback: one byte under way */
	u8 loop_byte;
	bool break_pending;
	bool line;
	u8 in[SERIAL_IN];
	u32 in_head, in_tail;
	bool starving;		/* tell @want_input when there is room again */
	struct irqs *irqs;
	bool (*out)(void *arg, u8 byte);
	void (*want_input)(void *arg);
	void *arg;
};

void serial_init(struct serial *s, struct irqs *irqs, bool (*out)(void *arg, u8 byte),
		 void (*want_input)(void *arg), void *arg);
void serial_reset(struct serial *s);

/* Room for input now; none makes the device call @want_input once there is. */
size_t serial_room(struct serial *s);
void serial_input(struct serial *s, const u8 *bytes, size_t len);
void serial_break(struct serial *s);
void serial_out_ready(struct serial *s);
int serial_add_to(struct serial *s, struct bus *ports);

#endif
