/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwcfg.h - the fw_cfg port pair, as far as bare test kernels ask it: how much
 * memory, how many processors, no files.
 */
#ifndef OVID_FWCFG_H
#define OVID_FWCFG_H

#include <pthread.h>

#include "../bus.h"

struct fwcfg {
	pthread_mutex_t lock;
	u64 memory;
	u16 vps;
	u16 selector;
	u32 offset;
};

void fwcfg_init(struct fwcfg *fw, u64 memory, u16 vps);
int fwcfg_add_to(struct fwcfg *fw, struct bus *ports);

#endif
