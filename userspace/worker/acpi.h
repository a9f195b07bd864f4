/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * acpi.h - the tables a guest finds: RSDP, XSDT, FADT (hardware-reduced), MADT,
 * DSDT, at LOAD_ACPI and below 1 MiB; and the code at the reset vector.
 */
#ifndef OVID_ACPI_H
#define OVID_ACPI_H

#include "../lib/fail.h"
#include "gmem.h"

int acpi_build(const struct gmem *gm, unsigned int vps, bool vmbus, struct failure *why);

#endif
