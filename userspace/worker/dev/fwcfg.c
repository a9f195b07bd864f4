// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fwcfg.h"

#define PORT_SELECTOR	0x510
#define PORT_DATA	0x511

#define KEY_SIGNATURE	0x00
#define KEY_ID		0x01
#define KEY_RAM_SIZE	0x03
#define KEY_NB_CPUS	0x05
#define KEY_MAX_CPUS	0x0f
#define KEY_FILE_DIR	0x19

/* An item is at most eight bytes; past its end it reads as zeroes. */
static u64 item(const struct fwcfg *fw)
{
	switch (fw->selector) {
	case KEY_SIGNATURE:
		return 'Q' | 'E' << 8 | 'M' << 16 | 'U' << 24;
	case KEY_ID:
		return 1;	/* the port interface, no DMA */
	case KEY_RAM_SIZE:
		return fw->memory;
	case KEY_NB_CPUS:
	case KEY_MAX_CPUS:
		return fw->vps;
	case KEY_FILE_DIR:
	default:
		return 0;	/* no files, no item */
	}
}

static u64 fwcfg_read(void *dev, u64 port, unsigned int size)
{
	struct fwcfg *fw = dev;
	u8 value = 0;

	(void)size;
	if (port != PORT_DATA)
		return 0xff;
	pthread_mutex_lock(&fw->lock);
	if (fw->offset < 8)
		value = item(fw) >> (fw->offset++ * 8);
	pthread_mutex_unlock(&fw->lock);
	return value;
}

static void fwcfg_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct fwcfg *fw = dev;

	if (port != PORT_SELECTOR || size != 2)
		return;
	pthread_mutex_lock(&fw->lock);
	fw->selector = value;
	fw->offset = 0;
	pthread_mutex_unlock(&fw->lock);
}

void fwcfg_init(struct fwcfg *fw, u64 memory, u16 vps)
{
	memset(fw, 0, sizeof(*fw));
	pthread_mutex_init(&fw->lock, NULL);
	fw->memory = memory;
	fw->vps = vps;
}

int fwcfg_add_to(struct fwcfg *fw, struct bus *ports)
{
	int ret = bus_add(ports, &(struct bus_range){
		.first = PORT_SELECTOR, .last = PORT_SELECTOR, .width = 2,
		.write = fwcfg_write, .dev = fw,
	});

	if (ret)
		return ret;
	return bus_add(ports, &(struct bus_range){
		.first = PORT_DATA, .last = PORT_DATA, .width = 1,
		.read = fwcfg_read, .dev = fw,
	});
}
