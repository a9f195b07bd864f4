// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "serial.h"

/* registers */
#define RBR_THR		0
#define IER		1
#define IIR_FCR		2
#define LCR		3
#define MCR		4
#define LSR		5
#define MSR		6
#define SCR		7

#define IER_RX		0x01
#define IER_THRE	0x02
#define IER_LINE	0x04
#define IER_MODEM	0x08
#define IIR_NONE	0x01
#define IIR_LINE	0x06
#define IIR_RX		0x04
#define IIR_TIMEOUT	0x0c
#define IIR_THRE	0x02
#define IIR_MODEM	0x00
#define IIR_FIFOS	0xc0
#define FCR_ENABLE	0x01
#define FCR_KEEP	0xc9	/* enable, DMA mode, trigger level */
#define LCR_DLAB	0x80
#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define LSR_DATA	0x01
#define LSR_BREAK	0x10
#define LSR_THRE	0x20
#define LSR_EMPTY	0x40
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_CD		0x80

static u32 in_count(const struct serial *s)
{
	return s->in_head - s->in_tail;
}

static bool receiving(const struct serial *s)
{
	return !(s->mcr & MCR_LOOP) && ((s->mcr & MCR_RTS) || (s->ier & IER_RX));
}

static bool data_ready(const struct serial *s)
{
	if (s->mcr & MCR_LOOP)
		return s->loop_full;
	return s->break_pending || (receiving(s) && in_count(s));
}

static u32 trigger_level(const struct serial *s)
{
	static const u8 levels[] = { 1, 4, 8, 14 };

	return s->fcr & FCR_ENABLE ? levels[s->fcr >> 6] : 1;
}

static u8 interrupt_id(const struct serial *s)
{
	if ((s->ier & IER_LINE) && s->break_pending)
		return IIR_LINE;
	/* the line is idle below the trigger level: that is the timeout */
	if ((s->ier & IER_RX) && data_ready(s))
		return (s->mcr & MCR_LOOP) || in_count(s) >= trigger_level(s) ?
			IIR_RX : IIR_TIMEOUT;
	if ((s->ier & IER_THRE) && s->thre_pending)
		return IIR_THRE;
	if ((s->ier & IER_MODEM) && s->msr_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_line(struct serial *s)
{
	bool level = interrupt_id(s) != IIR_NONE && (s->mcr & MCR_OUT2) &&
		     !(s->mcr & MCR_LOOP);

	if (level == s->line)
		return;
	s->line = level;
	irq_set(s->irqs, IRQ_COM1, level);
}

static void transmit(struct serial *s, u8 byte)
{
	s->thre_pending = false;
	if (s->mcr & MCR_LOOP) {
		s->loop_byte = byte;
		s->loop_full = true;
		s->thre_pending = true;
		return;
	}
	/* a guest that writes into a busy transmitter loses, as on hardware */
	if (s->tx_busy)
		return;
	if (s->out(s->arg, byte)) {
		s->thre_pending = true;
	} else {
		s->held = byte;
		s->tx_busy = true;
	}
}

void serial_out_ready(struct serial *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->tx_busy && s->out(s->arg, s->held)) {
		s->tx_busy = false;
		s->thre_pending = true;
		update_line(s);
	}
	pthread_mutex_unlock(&s->lock);
}

static u8 receive(struct serial *s)
{
	u8 byte;

	if (s->mcr & MCR_LOOP) {
		byte = s->loop_byte;
		s->loop_full = false;
		return byte;
	}
	if (s->break_pending) {
		s->break_pending = false;
		return 0;
	}
	if (!data_ready(s))
		return 0;
	byte = s->in[s->in_tail++ % SERIAL_IN];
	if (s->starving && in_count(s) <= SERIAL_IN / 2) {
		s->starving = false;
		s->want_input(s->arg);
	}
	return byte;
}

static u8 line_status(const struct serial *s)
{
	u8 lsr = s->tx_busy ? 0 : LSR_THRE | LSR_EMPTY;

	if (data_ready(s))
		lsr |= LSR_DATA;
	if (s->break_pending)
		lsr |= LSR_BREAK;
	return lsr;
}

static u8 modem_lines(const struct serial *s)
{
	u8 msr = 0;

	if (!(s->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_CD;
	if (s->mcr & MCR_RTS)
		msr |= MSR_CTS;
	if (s->mcr & MCR_DTR)
		msr |= MSR_DSR;
	if (s->mcr & MCR_OUT1)
		msr |= MSR_RI;
	if (s->mcr & MCR_OUT2)
		msr |= MSR_CD;
	return msr;
}

static u8 modem_status(struct serial *s)
{
	u8 msr = modem_lines(s) | s->msr_delta;

	s->msr_delta = 0;
	return msr;
}

static void write_mcr(struct serial *s, u8 value)
{
	u8 before = modem_lines(s), changed;

	s->mcr = value & 0x1f;
	if (!(value & MCR_LOOP))
		s->loop_full = false;
	changed = before ^ modem_lines(s);
	/* RI reports only its trailing edge */
	if (!(before & MSR_RI))
		changed &= ~MSR_RI;
	s->msr_delta |= changed >> 4;
}

static u8 identify(struct serial *s)
{
	u8 id = interrupt_id(s);

	if (id == IIR_THRE)
		s->thre_pending = false;
	return id | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static void write_ier(struct serial *s, u8 value)
{
	/* enabling the interrupt while the transmitter is empty raises it */
	if ((value & IER_THRE) && !(s->ier & IER_THRE) && !s->tx_busy)
		s->thre_pending = true;
	s->ier = value & 0x0f;
}

static u64 serial_read(void *dev, u64 port, unsigned int size)
{
	struct serial *s = dev;
	u8 value = 0;

	(void)size;
	pthread_mutex_lock(&s->lock);
	switch (port & 7) {
	case RBR_THR:
		value = s->lcr & LCR_DLAB ? s->dll : receive(s);
		break;
	case IER:
		value = s->lcr & LCR_DLAB ? s->dlm : s->ier;
		break;
	case IIR_FCR:
		value = identify(s);
		break;
	case LCR:
		value = s->lcr;
		break;
	case MCR:
		value = s->mcr;
		break;
	case LSR:
		value = line_status(s);
		break;
	case MSR:
		value = modem_status(s);
		break;
	case SCR:
		value = s->scr;
		break;
	}
	update_line(s);
	pthread_mutex_unlock(&s->lock);
	return value;
}

static void serial_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct serial *s = dev;

	(void)size;
	pthread_mutex_lock(&s->lock);
	switch (port & 7) {
	case RBR_THR:
		if (s->lcr & LCR_DLAB)
			s->dll = value;
		else
			transmit(s, value);
		break;
	case IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = value;
		else
			write_ier(s, value);
		break;
	case IIR_FCR:
		s->fcr = value & FCR_ENABLE ? value & FCR_KEEP : 0;
		break;
	case LCR:
		s->lcr = value;
		break;
	case MCR:
		write_mcr(s, value);
		break;
	case SCR:
		s->scr = value;
		break;
	}
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

size_t serial_room(struct serial *s)
{
	size_t room;

	pthread_mutex_lock(&s->lock);
	room = SERIAL_IN - in_count(s);
	if (!room)
		s->starving = true;
	pthread_mutex_unlock(&s->lock);
	return room;
}

void serial_input(struct serial *s, const u8 *bytes, size_t len)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < len && in_count(s) < SERIAL_IN; i++)
		s->in[s->in_head++ % SERIAL_IN] = bytes[i];
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

void serial_break(struct serial *s)
{
	pthread_mutex_lock(&s->lock);
	s->break_pending = true;
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

/* The guest's side goes back to power-on; waiting input stays. */
void serial_reset(struct serial *s)
{
	pthread_mutex_lock(&s->lock);
	s->ier = s->fcr = s->lcr = s->mcr = s->scr = s->dlm = s->msr_delta = 0;
	s->dll = 12;
	s->thre_pending = s->loop_full = s->break_pending = false;
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

void serial_init(struct serial *s, struct irqs *irqs, bool (*out)(void *arg, u8 byte),
		 void (*want_input)(void *arg), void *arg)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->irqs = irqs;
	s->out = out;
	s->want_input = want_input;
	s->arg = arg;
	serial_reset(s);
}

int serial_add_to(struct serial *s, struct bus *ports)
{
	return bus_add(ports, &(struct bus_range){
		.first = SERIAL_COM1, .last = SERIAL_COM1 + 7, .width = 1,
		.read = serial_read, .write = serial_write, .dev = s,
	});
}
