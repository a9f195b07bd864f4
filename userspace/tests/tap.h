/* SPDX-License-Identifier: GPL-2.0-only */
/* tap.h - enough of TAP for a test program: CHECK() and a plan at the end. */
#ifndef OVID_TAP_H
#define OVID_TAP_H

#include <stdio.h>

static int tap_count, tap_failed;

#define CHECK(cond, ...) do {						\
	int ok_ = !!(cond);						\
	printf("%sok %d - ", ok_ ? "" : "not ", ++tap_count);		\
	printf(__VA_ARGS__);						\
	printf("\n");							\
	if (!ok_) {							\
		tap_failed++;						\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
	}								\
} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
