// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "pit.h"

/* products of ticks and nanoseconds */
__extension__ typedef unsigned __int128 wide;

#define PORT_COMMAND	0x43
#define PORT_SPEAKER	0x61
#define ACCESS_BOTH	3

static u64 elapsed_ticks(const struct pit_channel *c, u64 now)
{
	if (now < c->start)
		return 0;
	return (u64)((wide)(now - c->start) * PIT_HZ / NSEC_PER_SEC);
}

static bool periodic(const struct pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

static u16 count_now(const struct pit_channel *c, u64 now)
{
	u64 t = elapsed_ticks(c, now);
	u32 value;

	if (!c->reload)
		return 0;
	if (!c->gate && c->mode != 1 && c->mode != 5)
		t = 0;
	switch (c->mode) {
	case 2:
		value = c->reload - t % c->reload;
		break;
	case 3:		/* counts down twice per period, by two */
		value = c->reload - 2 * t % c->reload;
		break;
	default:
		value = c->reload - (u32)t;
	}
	if (c->bcd) {
		value %= 10000;
		value = value % 10 | value / 10 % 10 << 4 |
			value / 100 % 10 << 8 | value / 1000 << 12;
	}
	return value;
}

static bool output_now(const struct pit_channel *c, u64 now)
{
	u64 t = elapsed_ticks(c, now);

	if (!c->reload)
		return c->mode != 0;
	switch (c->mode) {
	case 0: case 1:
		return t >= c->reload;
	case 2:
		return !c->gate || t % c->reload != c->reload - 1;
	case 3:
		return !c->gate || t % c->reload < (c->reload + 1) / 2;
	default:
		return t != c->reload;
	}
}

/* When channel 0's output rises next, or 0. */
static u64 next_rise(const struct pit_channel *c, u64 now)
{
	u64 t = elapsed_ticks(c, now), at;

	if (!c->reload || c->mode == 1 || c->mode == 5)
		return 0;	/* never loaded, or waiting for a gate that is fixed */
	if (periodic(c))
		at = (t / c->reload + 1) * c->reload;
	else if (t < c->reload)
		at = c->reload;
	else
		return 0;
	return c->start + (u64)(((wide)at * NSEC_PER_SEC + PIT_HZ - 1) / PIT_HZ);
}

static void load(struct pit *pit, unsigned int n, u16 value)
{
	struct pit_channel *c = &pit->ch[n];
	u64 now = vclock_now(pit->clock);

	if (c->bcd)
		value = (value >> 12) % 10 * 1000 + (value >> 8 & 15) % 10 * 100 +
			(value >> 4 & 15) % 10 * 10 + (value & 15) % 10;
	c->reload = value ? value : c->bcd ? 10000 : 0x10000;
	c->start = now;
	if (n)
		return;
	irq_set(pit->irqs, IRQ_TIMER, false);
	pit->arm(pit->arg, next_rise(c, now));
}

void pit_tick(struct pit *pit)
{
	struct pit_channel *c = &pit->ch[0];
	u64 now;

	pthread_mutex_lock(&pit->lock);
	now = vclock_now(pit->clock);
	/* one interrupt however late we are: the guest's clock is not this one */
	irq_set(pit->irqs, IRQ_TIMER, false);
	irq_set(pit->irqs, IRQ_TIMER, true);
	pit->arm(pit->arg, next_rise(c, now));
	pthread_mutex_unlock(&pit->lock);
}

void pit_resume(struct pit *pit)
{
	pthread_mutex_lock(&pit->lock);
	pit->arm(pit->arg, next_rise(&pit->ch[0], vclock_now(pit->clock)));
	pthread_mutex_unlock(&pit->lock);
}

static void latch_count(struct pit_channel *c, u64 now)
{
	if (c->count_latched)
		return;
	c->latch = count_now(c, now);
	c->count_latched = true;
}

static void latch_status(struct pit_channel *c, u64 now)
{
	if (c->status_latched)
		return;
	c->status = output_now(c, now) << 7 | !c->reload << 6 | c->access << 4 |
		    c->mode << 1 | c->bcd;
	c->status_latched = true;
}

static void read_back(struct pit *pit, u8 command, u64 now)
{
	for (unsigned int n = 0; n < 3; n++) {
		if (!(command & BIT(n + 1)))
			continue;
		if (!(command & 0x20))
			latch_count(&pit->ch[n], now);
		if (!(command & 0x10))
			latch_status(&pit->ch[n], now);
	}
}

static void command(struct pit *pit, u8 value)
{
	u64 now = vclock_now(pit->clock);
	unsigned int n = value >> 6, mode = value >> 1 & 7;
	struct pit_channel *c;

	if (n == 3) {
		read_back(pit, value, now);
		return;
	}
	c = &pit->ch[n];
	if (!(value & 0x30)) {
		latch_count(c, now);
		return;
	}
	*c = (struct pit_channel){
		.gate = c->gate, .access = value >> 4 & 3, .bcd = value & 1,
		.mode = mode > 5 ? mode - 4 : mode,
	};
	if (n)
		return;
	irq_set(pit->irqs, IRQ_TIMER, false);
	pit->arm(pit->arg, 0);
}

static void write_count(struct pit *pit, unsigned int n, u8 value)
{
	struct pit_channel *c = &pit->ch[n];

	switch (c->access) {
	case 1:
		load(pit, n, value);
		break;
	case 2:
		load(pit, n, value << 8);
		break;
	case ACCESS_BOTH:
		if (c->write_high)
			load(pit, n, value << 8 | c->low);
		else
			c->low = value;
		c->write_high = !c->write_high;
		break;
	}
}

static u8 read_count(struct pit *pit, unsigned int n)
{
	struct pit_channel *c = &pit->ch[n];
	u16 value;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	value = c->count_latched ? c->latch : count_now(c, vclock_now(pit->clock));
	high = c->access == ACCESS_BOTH ? c->read_high : c->access == 2;
	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	if (c->access != ACCESS_BOTH || high)
		c->count_latched = false;
	return high ? value >> 8 : value;
}

static u64 pit_read(void *dev, u64 port, unsigned int size)
{
	struct pit *pit = dev;
	u8 value;

	(void)size;
	if (port == PORT_COMMAND)
		return 0xff;
	pthread_mutex_lock(&pit->lock);
	value = read_count(pit, port & 3);
	pthread_mutex_unlock(&pit->lock);
	return value;
}

static void pit_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct pit *pit = dev;

	(void)size;
	pthread_mutex_lock(&pit->lock);
	if (port == PORT_COMMAND)
		command(pit, value);
	else
		write_count(pit, port & 3, value);
	pthread_mutex_unlock(&pit->lock);
}

/* bit 4 toggles with each 15 us refresh: old delay loops watch it */
static u64 speaker_read(void *dev, u64 port, unsigned int size)
{
	struct pit *pit = dev;
	u64 now, value;

	(void)port;
	(void)size;
	pthread_mutex_lock(&pit->lock);
	now = vclock_now(pit->clock);
	value = pit->ch[2].gate | pit->speaker << 1 | (now / 15085 & 1) << 4 |
		(u64)output_now(&pit->ch[2], now) << 5;
	pthread_mutex_unlock(&pit->lock);
	return value;
}

static void speaker_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct pit *pit = dev;
	struct pit_channel *c = &pit->ch[2];
	bool gate = value & 1;

	(void)port;
	(void)size;
	pthread_mutex_lock(&pit->lock);
	if (gate && !c->gate)
		c->start = vclock_now(pit->clock);
	c->gate = gate;
	pit->speaker = value & 2;
	pthread_mutex_unlock(&pit->lock);
}

void pit_reset(struct pit *pit)
{
	pthread_mutex_lock(&pit->lock);
	memset(pit->ch, 0, sizeof(pit->ch));
	pit->ch[0].gate = pit->ch[1].gate = true;
	for (int n = 0; n < 3; n++)
		pit->ch[n].access = ACCESS_BOTH;
	pit->speaker = false;
	irq_set(pit->irqs, IRQ_TIMER, false);
	pit->arm(pit->arg, 0);
	pthread_mutex_unlock(&pit->lock);
}

void pit_init(struct pit *pit, struct vclock *clock, struct irqs *irqs,
	      void (*arm)(void *arg, u64 deadline), void *arg)
{
	memset(pit, 0, sizeof(*pit));
	pthread_mutex_init(&pit->lock, NULL);
	pit->clock = clock;
	pit->irqs = irqs;
	pit->arm = arm;
	pit->arg = arg;
	pit_reset(pit);
}

int pit_add_to(struct pit *pit, struct bus *ports)
{
	int ret = bus_add(ports, &(struct bus_range){
		.first = 0x40, .last = PORT_COMMAND, .width = 1,
		.read = pit_read, .write = pit_write, .dev = pit,
	});

	if (ret)
		return ret;
	return bus_add(ports, &(struct bus_range){
		.first = PORT_SPEAKER, .last = PORT_SPEAKER, .width = 1,
		.read = speaker_read, .write = speaker_write, .dev = pit,
	});
}
