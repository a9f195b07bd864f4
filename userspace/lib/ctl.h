/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl.h - control sockets: where they are, and the messages on them.
 *
 * A running VM listens at <runtime folder>/<name>.sock.  Messages are JSON
 * objects, a line each: {"do":"pause"} is answered by {"ok":true,…} or
 * {"ok":false,"error":"…"}.  Files may travel beside a line.
 *
 * A detached VM writes how it ended to <name>.end, which stays until the name is
 * taken again: {"ok":true,"status":0,"text":""}.
 */
#ifndef OVID_CTL_H
#define OVID_CTL_H

#include <json-c/json.h>
#include <sys/types.h>

#include "fail.h"
#include "types.h"

#define CTL_LINE	1024
#define CTL_MAX_FDS	250
#define CTL_SECONDS	5	/* without an answer: the worker is stopped or stuck */

/* $OVID_RUNTIME_DIR, /run/ovid for root, $XDG_RUNTIME_DIR/ovid; made when missing. */
int ctl_folder(char *path, size_t len, struct failure *why);

/* A name is letters, digits, '-', '_' and '.', not first a '.'; 31 at most. */
bool ctl_name_ok(const char *name);

/* The listening socket of a new VM; takes the place of a dead one's. */
int ctl_listen(const char *name, struct failure *why);

/* Removes a VM's socket and the file of its end, once nobody listens there. */
void ctl_unlink(const char *name);
int ctl_connect(const char *name, struct failure *why);

/* What is to be received may take so long; 0: as long as it takes.  Before, CTL_SECONDS. */
void ctl_set_patience(int fd, int seconds);

/* The file for a VM's last word, empty until then; and what it says. */
int ctl_end_create(const char *name, struct failure *why);
int ctl_end_read(const char *name, struct json_object **end, struct failure *why);

/* The uid at the other end, or -1. */
long ctl_peer_uid(int fd);

int ctl_send(int fd, struct json_object *msg, const int *fds, unsigned int nr);

/* One line; NULL at the end of the connection or for what is no JSON object.
 * Files that came with it go to @fds, at most *@nr; *@nr says how many.
 */
struct json_object *ctl_receive(int fd, int *fds, unsigned int *nr);

/* As read(); files that came with the bytes go to @fds, behind the *@nr that are there, up to @room. */
ssize_t ctl_read(int fd, void *buf, size_t len, int *fds, unsigned int *nr, unsigned int room);

/*
 * Sends {"do":@verb}, receives the answer, does both.  An answer has "ok" true.  NULL with
 * errno EAGAIN: there was none in time.  Files as for ctl_receive().
 */
void ctl_tell(int fd, const char *verb);
struct json_object *ctl_answer(int fd, int *fds, unsigned int *nr, struct failure *why);
struct json_object *ctl_ask(int fd, const char *verb, int *fds, unsigned int *nr,
			    struct failure *why);

/* The same for a question that says more than what to do; takes the reference.  @file: -1: none. */
struct json_object *ctl_question(const char *verb);
struct json_object *ctl_put(int fd, struct json_object *question, int file, int *fds,
			    unsigned int *nr, struct failure *why);

/* The same with @nr_files of @files. */
struct json_object *ctl_put_files(int fd, struct json_object *question, const int *files,
				  unsigned int nr_files, int *fds, unsigned int *nr,
				  struct failure *why);

/* ctl_ask() with @file beside the question. */
struct json_object *ctl_give(int fd, const char *verb, int file, struct failure *why);

#endif
