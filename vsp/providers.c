// SPDX-License-Identifier: GPL-2.0-only
/*
 * The providers of the kernel, for OVID_VMBUS_OFFER to choose from by name.
 */
#include <linux/stddef.h>
#include "echo.h"
#include "ic/ic.h"
#include "net/net.h"
#include "storage/storage.h"

extern const struct ovid_chan_ops *const ovid_providers[];

const struct ovid_chan_ops *const ovid_providers[] = {
	&ovid_ic_heartbeat,
	&ovid_ic_shutdown,
	&ovid_ic_timesync,
	&ovid_ic_kvp,
	&ovid_ic_vss,
	&ovid_ic_fcopy,
	&ovid_storage,
	&ovid_net,
	&ovid_echo,
	NULL
};
