// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "pic.h"

#define PIC_CASCADE	2

#define ICW1_INIT	0x10
#define ICW1_SINGLE	0x02
#define ICW1_ICW4	0x01
#define ICW4_AUTO_EOI	0x02
#define ICW4_NESTED_ALL	0x10
#define OCW3		0x08

/* Distance from the highest priority; 8: none of @mask is set. */
static unsigned int rank_of(const struct pic_chip *c, u8 mask)
{
	unsigned int rank;

	for (rank = 0; rank < 8; rank++)
		if (mask & BIT((c->lowest + 1 + rank) & 7))
			break;
	return rank;
}

/* The input that would interrupt now, or -1. */
static int chip_pending(const struct pic_chip *c, bool master)
{
	unsigned int rank = rank_of(c, c->irr & ~c->imr);
	u8 in_service = c->isr;

	if (rank == 8)
		return -1;
	if (c->special_mask)
		in_service &= ~c->imr;
	/* special fully nested: the slave may interrupt its own service */
	if (master && c->nested_all)
		in_service &= ~BIT(PIC_CASCADE);
	if (rank >= rank_of(c, in_service))
		return -1;
	return (c->lowest + 1 + rank) & 7;
}

static void chip_set_line(struct pic_chip *c, unsigned int n, bool level)
{
	u8 bit = BIT(n);

	if (!level) {
		if (c->elcr & bit)
			c->irr &= ~bit;
		c->lines &= ~bit;
		return;
	}
	if ((c->elcr & bit) || !(c->lines & bit))
		c->irr |= bit;
	c->lines |= bit;
}

static void pic_update(struct pic *pic)
{
	struct pic_chip *master = &pic->chip[0];
	bool level;

	/* between the chips the slave's output is a level, so no edge is lost */
	if (chip_pending(&pic->chip[1], false) >= 0)
		master->irr |= BIT(PIC_CASCADE);
	else
		master->irr &= ~BIT(PIC_CASCADE);
	level = chip_pending(master, true) >= 0;
	if (level == pic->intr_level)
		return;
	pic->intr_level = level;
	pic->intr(pic->arg, level);
}

static void chip_take(struct pic_chip *c, unsigned int n)
{
	u8 bit = BIT(n);

	if (c->auto_eoi) {
		if (c->rotate_aeoi)
			c->lowest = n;
	} else {
		c->isr |= bit;
	}
	if (!(c->elcr & bit))
		c->irr &= ~bit;
}

static int __acknowledge(struct pic *pic)
{
	int irq = chip_pending(&pic->chip[0], true);
	int slave;

	if (irq < 0)
		return -1;
	chip_take(&pic->chip[0], irq);
	if (irq != PIC_CASCADE)
		return pic->chip[0].base + irq;
	slave = chip_pending(&pic->chip[1], false);
	if (slave < 0)		/* gone since: the slave answers with its spurious input */
		return pic->chip[1].base + 7;
	chip_take(&pic->chip[1], slave);
	return pic->chip[1].base + slave;
}

int pic_acknowledge(struct pic *pic)
{
	int vector;

	pthread_mutex_lock(&pic->lock);
	vector = __acknowledge(pic);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
	return vector;
}

void pic_repeat(struct pic *pic)
{
	pthread_mutex_lock(&pic->lock);
	pic->intr(pic->arg, pic->intr_level);
	pthread_mutex_unlock(&pic->lock);
}

void pic_set_irq(struct pic *pic, unsigned int irq, bool level)
{
	if (irq > 15 || irq == PIC_CASCADE)
		return;
	pthread_mutex_lock(&pic->lock);
	chip_set_line(&pic->chip[irq / 8], irq % 8, level);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static void chip_reset(struct pic_chip *c)
{
	u8 elcr = c->elcr, lines = c->lines;

	*c = (struct pic_chip){ .elcr = elcr, .lines = lines, .lowest = 7 };
	c->irr = lines & elcr;
}

/* OCW2: end of interrupt and priority rotation */
static void chip_ocw2(struct pic_chip *c, u8 value)
{
	unsigned int command = value >> 5, n = value & 7;
	unsigned int rank = rank_of(c, c->isr);

	switch (command) {
	case 0: case 4:		/* rotation in automatic EOI mode: clear, set */
		c->rotate_aeoi = command == 4;
		break;
	case 1: case 5:		/* non-specific EOI, and rotating */
		if (rank == 8)
			break;
		n = (c->lowest + 1 + rank) & 7;
		c->isr &= ~BIT(n);
		if (command == 5)
			c->lowest = n;
		break;
	case 3:			/* specific EOI */
		c->isr &= ~BIT(n);
		break;
	case 7:			/* the same, rotating */
		c->isr &= ~BIT(n);
		c->lowest = n;
		break;
	case 6:			/* set priority */
		c->lowest = n;
		break;
	}
}

static void chip_ocw3(struct pic_chip *c, u8 value)
{
	if (value & 0x04)
		c->poll = true;
	if (value & 0x02)
		c->read_isr = value & 1;
	if (value & 0x40)
		c->special_mask = value & 0x20;
}

static void chip_write_command(struct pic_chip *c, u8 value)
{
	if (value & ICW1_INIT) {
		chip_reset(c);
		c->init_step = 2;
		c->need_icw4 = value & ICW1_ICW4;
	} else if (value & OCW3) {
		chip_ocw3(c, value);
	} else {
		chip_ocw2(c, value);
	}
}

static void chip_write_data(struct pic_chip *c, u8 value)
{
	switch (c->init_step) {
	case 2:
		c->base = value & 0xf8;
		c->init_step = 3;
		break;
	case 3:		/* how the chips are joined is fixed */
		c->init_step = c->need_icw4 ? 4 : 0;
		break;
	case 4:
		c->auto_eoi = value & ICW4_AUTO_EOI;
		c->nested_all = value & ICW4_NESTED_ALL;
		c->init_step = 0;
		break;
	default:
		c->imr = value;
	}
}

static u8 chip_poll(struct pic_chip *c, bool master)
{
	int irq = chip_pending(c, master);

	c->poll = false;
	if (irq < 0)
		return 0;
	chip_take(c, irq);
	return 0x80 | irq;
}

static u64 pic_read(void *dev, u64 port, unsigned int size)
{
	struct pic *pic = dev;
	bool master = port < 0xa0;
	struct pic_chip *c = &pic->chip[!master];
	u8 value;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	if (c->poll)
		value = chip_poll(c, master);
	else if (port & 1)
		value = c->imr;
	else
		value = c->read_isr ? c->isr : c->irr;
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
	return value;
}

static void pic_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct pic *pic = dev;
	struct pic_chip *c = &pic->chip[port >= 0xa0];

	(void)size;
	pthread_mutex_lock(&pic->lock);
	if (port & 1)
		chip_write_data(c, value);
	else
		chip_write_command(c, value);
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

static u64 elcr_read(void *dev, u64 port, unsigned int size)
{
	struct pic *pic = dev;

	(void)size;
	return pic->chip[port & 1].elcr;
}

static void elcr_write(void *dev, u64 port, u64 value, unsigned int size)
{
	/* timer, keyboard, cascade; RTC and FPU are always edge-triggered */
	static const u8 settable[2] = { 0xf8, 0xde };
	struct pic *pic = dev;

	(void)size;
	pthread_mutex_lock(&pic->lock);
	pic->chip[port & 1].elcr = value & settable[port & 1];
	pthread_mutex_unlock(&pic->lock);
}

void pic_reset(struct pic *pic)
{
	pthread_mutex_lock(&pic->lock);
	for (int i = 0; i < 2; i++) {
		pic->chip[i].elcr = 0;
		chip_reset(&pic->chip[i]);
		pic->chip[i].imr = 0xff;
	}
	pic_update(pic);
	pthread_mutex_unlock(&pic->lock);
}

void pic_init(struct pic *pic, void (*intr)(void *arg, bool level), void *arg)
{
	memset(pic, 0, sizeof(*pic));
	pthread_mutex_init(&pic->lock, NULL);
	pic->intr = intr;
	pic->arg = arg;
	pic_reset(pic);
}

int pic_add_to(struct pic *pic, struct bus *ports)
{
	static const u16 chips[] = { 0x20, 0xa0 };
	struct bus_range r = { .width = 1, .read = pic_read, .write = pic_write, .dev = pic };
	int ret = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(chips) && !ret; i++) {
		r.first = chips[i];
		r.last = chips[i] + 1;
		ret = bus_add(ports, &r);
	}
	if (ret)
		return ret;
	r.first = 0x4d0;
	r.last = 0x4d1;
	r.read = elcr_read;
	r.write = elcr_write;
	return bus_add(ports, &r);
}
