/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jail.h - what a process is left with that looks at a stranger's disk: no network, no files but
 * programs, their libraries and one of its own, no rights, and a limit to all else.
 */
#ifndef OVID_BOOTFIND_JAIL_H
#define OVID_BOOTFIND_JAIL_H

#include "../lib/fail.h"
#include "../lib/types.h"

/* For this process and its children; @file: what they may read besides */
int jail_enter(u32 uid, u32 gid, const char *file, struct failure *why);

/*
 * For a program that is about to be executed: nothing that makes, opens to write, connects or
 * signals.  Its reads are told by the file that this returns (seccomp_unotify(2)), or -errno.
 * @open: only reads are told, all is allowed; for sanitizers.
 */
int jail_reader(bool open);

#endif
