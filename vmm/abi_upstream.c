// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds the header of the kernel we are built against to the list that our own
 * mshv.h is held to.  A file of its own: the two define the same names.  Empty
 * where the kernel has none.
 */
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/stddef.h>

#ifndef __CHECKER__	/* sparse does not know __has_include */
#if __has_include(<uapi/linux/mshv.h>)
#include <uapi/linux/mshv.h>
#include "abi_mshv.h"
#endif
#endif
