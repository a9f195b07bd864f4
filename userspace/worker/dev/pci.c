// SPDX-License-Identifier: GPL-2.0-only
#include <stdatomic.h>

#include "pci.h"

#define PORT_ADDRESS	0xcf8
#define PORT_DATA	0xcfc

#define ADDRESS_ENABLE	BIT(31)
#define ADDRESS_FIELDS	0x80fffffc
#define ADDRESS_DEVICE	0x00ffff00	/* bus, device, function */
#define ADDRESS_WORD	0x000000fc

/* The identity that other small VMMs give a bridge without a chipset. */
#define BRIDGE_ID	0x0d578086
#define BRIDGE_CLASS	0x06000000	/* host bridge, revision 0 */
#define WORD_ID		0x00
#define WORD_CLASS	0x08

static u64 address_read(void *dev, u64 port, unsigned int size)
{
	struct pci *pci = dev;

	(void)port;
	return size == 4 ? atomic_load(&pci->address) : ~0ull;
}

/* Only a whole write is one: bytes are for other chips at these ports. */
static void address_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct pci *pci = dev;

	(void)port;
	if (size == 4)
		atomic_store(&pci->address, value & ADDRESS_FIELDS);
}

/* The bridge has nothing to set: no ranges, no interrupt, no capability. */
static u64 data_read(void *dev, u64 port, unsigned int size)
{
	struct pci *pci = dev;
	u32 address = atomic_load(&pci->address), word = 0;

	(void)size;
	if (!(address & ADDRESS_ENABLE) || (address & ADDRESS_DEVICE))
		return ~0ull;
	if ((address & ADDRESS_WORD) == WORD_ID)
		word = BRIDGE_ID;
	else if ((address & ADDRESS_WORD) == WORD_CLASS)
		word = BRIDGE_CLASS;
	return word >> (port & 3) * 8;
}

void pci_reset(struct pci *pci)
{
	atomic_store(&pci->address, 0);
}

int pci_add_to(struct pci *pci, struct bus *ports)
{
	int ret = bus_add(ports, &(struct bus_range){
		.first = PORT_ADDRESS, .last = PORT_ADDRESS, .width = 4,
		.read = address_read, .write = address_write, .dev = pci,
	});

	if (ret)
		return ret;
	return bus_add(ports, &(struct bus_range){
		.first = PORT_DATA, .last = PORT_DATA + 3, .width = 4,
		.read = data_read, .dev = pci,
	});
}
