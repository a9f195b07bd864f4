/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands where <kunit/test.h> stands in a kernel. */
#include "kunit_host.h"
