// SPDX-License-Identifier: GPL-2.0-only
/*
 * The providers of the kernel, for OVID_VMBUS_OFFER to choose from by name.
 */
#include <linux/stddef.h>
#include "echo.h"

extern const struct ovid_chan_ops *const ovid_providers[];

const struct ovid_chan_ops *const ovid_providers[] = {
	&ovid_echo,
	NULL
};
