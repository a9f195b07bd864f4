/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pci.h - configuration mechanism 1 with a host bridge behind it and nothing else,
 * so that a guest that looks for PCI finds an empty bus, not a broken one.
 *
 * Port 0xcf9, between its ports, is the reset control register of power.h.
 */
#ifndef OVID_PCI_H
#define OVID_PCI_H

#include "../bus.h"

struct pci {
	_Atomic u32 address;	/* each VP writes it and reads data by a lock of the guest's */
};

void pci_reset(struct pci *pci);
int pci_add_to(struct pci *pci, struct bus *ports);

#endif
