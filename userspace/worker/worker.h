/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVID_WORKER_H
#define OVID_WORKER_H

/* The whole life of a worker; its exit status.  The channel is WORKER_CHANNEL. */
int worker_main(void);

#endif
