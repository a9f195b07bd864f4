/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - test results in TAP: one numbered line per assertion, the plan last.
 *
 * A program calls tap_begin() first and returns tap_done() from main().  Both
 * values of a comparison are printed when it fails.  tap_begin() sets an alarm
 * so that no program outlives its limit.
 */
#ifndef OVID_TEST_TAP_H
#define OVID_TEST_TAP_H

#include <stdbool.h>
#include <stdint.h>

#define TAP_LIMIT	60	/* seconds, unless a program asks for another */

void tap_begin(const char *program, unsigned int seconds);
int tap_done(void);

bool tap_ok(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool tap_is(int64_t got, int64_t want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void tap_skip(const char *what, const char *why);
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* ends the program: nothing further can be tested */
void tap_bail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* a call that must fail with this errno; the call's value is -1 or a negative errno */
#define tap_fails(call, error, ...)	tap_is(tap_errno(call), error, __VA_ARGS__)
/* 0 for success, else errno, of a call in the -1 or -errno style */
#define tap_errno(call) ({						\
	errno = 0;							\
	long __r = (call);						\
	__r >= 0 ? 0 : __r == -1 && errno ? errno : (int)-__r; })

#endif
