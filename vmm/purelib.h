/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a pure file may include: types, errno, bits, unaligned loads,
 * barriers towards memory that is shared with a guest.
 *
 * A pure file takes values and returns a decision; it never sleeps, allocates,
 * locks or logs.  It is built into the module and, with the same source, for
 * userspace (selftests/unit, selftests/fuzz), where purelib_host.h stands in.
 * Files of the bus that also allocate: vmbus/buslib.h.
 */
#ifndef OVID_PURELIB_H
#define OVID_PURELIB_H

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#else
#include "purelib_host.h"
#endif

#endif
