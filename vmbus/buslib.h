/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an I/O-free file of the bus may include besides vmm/purelib.h: kvzalloc(),
 * kvfree(), and array_index_nospec().  So it may sleep, and takes memory of whoever
 * called it; all else that it does is to call the effects it was given.
 */
#ifndef OVID_BUSLIB_H
#define OVID_BUSLIB_H

#ifdef __KERNEL__
#include <linux/nospec.h>
#include <linux/slab.h>
#endif

#endif
