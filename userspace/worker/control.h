/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control.h - the VM's side of its control socket (lib/ctl.h has the messages).
 */
#ifndef OVID_CONTROL_H
#define OVID_CONTROL_H

#include <poll.h>

#include "../lib/ctl.h"
#include "machine.h"

#define CONTROL_CLIENTS	16

struct control_client {
	int fd;			/* -1: free */
	int file;		/* came with the line; -1: none */
	int more[OVID_DISK_MAX_PARENTS];	/* and those behind it */
	unsigned int nr_more;
	struct json_object *question;	/* while it is being answered */
	bool waits;		/* for the end */
	u32 borrows;		/* bits by enum vmbus_device: has the channel's file */
	size_t len;
	char line[CTL_LINE];
};

struct control {
	int listen_fd;		/* -1: none */
	int end_fd;		/* takes the last word too; -1: none */
	u64 started;
	struct control_client client[CONTROL_CLIENTS];
};

void control_init(struct control *c, int listen_fd, int end_fd);
unsigned int control_poll(struct control *c, struct pollfd *pfd);
void control_serve(struct control *c, struct machine *m, const struct pollfd *pfd,
		   unsigned int nr);

/* Tells all who wait, and closes. */
void control_end(struct control *c, int status, const char *text);

/* Answers; takes the reference.  Who cannot be told is closed. */
struct json_object *control_ok(void);
void control_answer(struct control_client *cl, struct json_object *msg, const int *fds,
		    unsigned int nr);
void control_refuse(struct control_client *cl, const char *text);

/* control_disk.c: what is done with disks; false: @verb is none of these */
bool control_disk(struct machine *m, struct control_client *cl, const char *verb);

/* control_net.c: the same with network cards */
bool control_net(struct machine *m, struct control_client *cl, const char *verb);
/* of the interfaces that vmbus_bare_nets() lacks: a list of names */
struct json_object *control_net_names(const struct machine *m);

/* A new connection from the owner or root, or -1. */
int control_accept(int listen_fd, u32 owner);

#endif
