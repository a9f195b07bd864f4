/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * powercut.h - what is done to files, recorded, and done again up to some point, with what was
 * not flushed there or not, sector by sector.
 */
#ifndef OVID_POWERCUT_H
#define OVID_POWERCUT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../vsp/storage/image/memfile.h"

#define SECTOR		512u

struct event {
	enum memfile_op op;
	unsigned int file;
	u64 off, len;
	u8 *data;
};

/**
 * struct tape - what was done, in order
 * @name: of the test
 * @event: one operation on a file each
 * @nr: of them
 * @seed: of what is random
 */
struct tape {
	const char *name;
	struct event *event;
	unsigned int nr;
	u64 seed;
};

/* who records one file */
struct recorder {
	struct tape *tape;
	unsigned int file;
};

static void die(const struct tape *t, const char *what, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void die(const struct tape *t, const char *what, ...)
{
	va_list ap;

	printf("# %s: ", t->name);
	va_start(ap, what);
	vprintf(what, ap);
	va_end(ap);
	printf("\nnot ok 1 - power cuts\n1..1\n");
	exit(1);
}

#define MUST(t, call) do {							\
	int ret_ = (call);							\
	if (ret_)								\
		die(t, "%s: %s", #call, strerror(-ret_));			\
} while (0)

static u32 rnd(struct tape *t, u32 below)
{
	t->seed = t->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (t->seed >> 33) % below;
}

static void record(struct memfile *f, enum memfile_op op, u64 off, const void *buf, u64 len)
{
	struct recorder *r = f->watcher;
	struct tape *t = r->tape;
	struct event *e;

	t->event = realloc(t->event, (t->nr + 1) * sizeof(*e));
	e = &t->event[t->nr++];
	*e = (struct event){ .op = op, .file = r->file, .off = off, .len = len };
	if (op == MEMFILE_WRITE) {
		e->data = malloc(len);
		memcpy(e->data, buf, len);
	}
}

static void tape_begin(struct recorder *r, struct tape *t, unsigned int file, struct memfile *f)
{
	*r = (struct recorder){ t, file };
	f->watch = record;
	f->watcher = r;
}

static void tape_free(struct tape *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		free(t->event[i].data);
	free(t->event);
	t->event = NULL;
	t->nr = 0;
}

static void apply_sectors(struct tape *t, struct memfile *f, const struct event *e, bool all)
{
	u64 at, part;

	for (at = 0; at < e->len; at += part) {
		part = SECTOR - (e->off + at) % SECTOR;
		if (part > e->len - at)
			part = e->len - at;
		if (!all && rnd(t, 2))
			continue;
		if (e->op == MEMFILE_WRITE)
			MUST(t, memfile_write(f, e->off + at, e->data + at, part));
		else
			MUST(t, memfile_punch(f, e->off + at, part));
	}
}

/* @how: 0: nothing of it, 1: all, else any of it */
static void apply(struct tape *t, struct memfile *f, const struct event *e, unsigned int how)
{
	if (!how)
		return;
	switch (e->op) {
	case MEMFILE_RESIZE:
		if (how == 1 || rnd(t, 2))
			MUST(t, memfile_resize(f, e->off));
		break;
	case MEMFILE_PUNCH:
		/* of what was never written, or is cut off, there is nothing to be zeros */
		if (ovid_fits(e->off, e->len, f->size))
			apply_sectors(t, f, e, how == 1);
		break;
	case MEMFILE_WRITE:
		apply_sectors(t, f, e, how == 1);
		break;
	default:
		break;
	}
}

#endif
