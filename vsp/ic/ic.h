/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The six integration components, as providers.
 */
#ifndef OVID_IC_H
#define OVID_IC_H

#include "../../vmbus/channel.h"

extern const struct ovid_chan_ops ovid_ic_heartbeat;
extern const struct ovid_chan_ops ovid_ic_shutdown;
extern const struct ovid_chan_ops ovid_ic_timesync;
extern const struct ovid_chan_ops ovid_ic_kvp;
extern const struct ovid_chan_ops ovid_ic_vss;
extern const struct ovid_chan_ops ovid_ic_fcopy;

#endif
