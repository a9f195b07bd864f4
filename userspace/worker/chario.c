// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chario.h"

#define CHUNK		4096	/* a pipe that polls writable takes this much at once */
#define CROWDED		(CHARIO_RING / 4 * 3)
#define THROTTLE_NS	20000000

void chario_init(struct chario *c, void (*wake)(void *arg), void *arg)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->drained, NULL);
	c->wake = wake;
	c->arg = arg;
}

static u64 oldest(const struct chario *c)
{
	return c->head > CHARIO_RING ? c->head - CHARIO_RING : 0;
}

int chario_attach(struct chario *c, int in, int out, bool patient)
{
	int ret = -ENOSPC;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < CHARIO_SINKS; i++) {
		struct chario_sink *s = &c->sink[i];

		if (s->used)
			continue;
		/* a late visitor sees what is still there of what was said */
		*s = (struct chario_sink){
			.used = true, .patient = patient, .in = in, .out = out,
			.pos = oldest(c),
		};
		ret = 0;
		break;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}

static void detach(struct chario_sink *s)
{
	if (s->in >= 0)
		close(s->in);
	if (s->out >= 0 && s->out != s->in)
		close(s->out);
	s->used = false;
}

/* How far the slowest patient sink is behind. */
static u64 backlog(const struct chario *c)
{
	u64 most = 0;

	for (unsigned int i = 0; i < CHARIO_SINKS; i++) {
		const struct chario_sink *s = &c->sink[i];

		if (s->used && s->patient && s->out >= 0 && c->head - s->pos > most)
			most = c->head - s->pos;
	}
	return most;
}

bool chario_put(struct chario *c, u8 byte)
{
	u64 behind;
	bool room;

	pthread_mutex_lock(&c->lock);
	behind = backlog(c);
	room = behind < CHARIO_RING;
	if (room)
		c->ring[c->head++ % CHARIO_RING] = byte;
	else
		c->full = true;
	if (behind >= CROWDED)
		c->crowded = true;
	if (!c->waiting) {
		c->waiting = true;
		c->wake(c->arg);
	}
	pthread_mutex_unlock(&c->lock);
	return room;
}

void chario_throttle(struct chario *c)
{
	struct timespec until;

	if (!atomic_load_explicit(&c->crowded, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += THROTTLE_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&c->lock);
	if (c->crowded)
		pthread_cond_timedwait(&c->drained, &c->lock, &until);
	pthread_mutex_unlock(&c->lock);
}

unsigned int chario_poll(struct chario *c, struct pollfd *pfd, bool want_input)
{
	unsigned int nr = 0;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < CHARIO_SINKS; i++) {
		const struct chario_sink *s = &c->sink[i];

		if (!s->used)
			continue;
		if (s->in >= 0 && want_input)
			pfd[nr++] = (struct pollfd){ .fd = s->in, .events = POLLIN };
		if (s->out >= 0 && s->stalled)
			pfd[nr++] = (struct pollfd){ .fd = s->out, .events = POLLOUT };
	}
	pthread_mutex_unlock(&c->lock);
	return nr;
}

static bool writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1;
}

static void drain_sink(struct chario *c, struct chario_sink *s)
{
	s->stalled = false;
	if (s->pos < oldest(c))
		s->pos = oldest(c);
	while (s->pos < c->head) {
		u64 at = s->pos % CHARIO_RING;
		size_t len = min_u64(min_u64(c->head - s->pos, CHARIO_RING - at), CHUNK);
		ssize_t done;

		if (!writable(s->out)) {
			s->stalled = true;
			return;
		}
		done = write(s->out, c->ring + at, len);
		if (done > 0) {
			s->pos += done;
		} else if (done < 0 && errno == EAGAIN) {
			s->stalled = true;
			return;
		} else if (done < 0 && errno != EINTR) {
			detach(s);	/* gone: reader closed, disk full */
			return;
		}
	}
}

bool chario_drain(struct chario *c)
{
	bool room = false;

	pthread_mutex_lock(&c->lock);
	c->waiting = false;
	for (unsigned int i = 0; i < CHARIO_SINKS; i++)
		if (c->sink[i].used && c->sink[i].out >= 0)
			drain_sink(c, &c->sink[i]);
	if (c->crowded && backlog(c) < CROWDED) {
		c->crowded = false;
		pthread_cond_broadcast(&c->drained);
	}
	if (c->full && backlog(c) < CHARIO_RING) {
		c->full = false;
		room = true;
	}
	pthread_mutex_unlock(&c->lock);
	return room;
}

static struct chario_sink *sink_of(struct chario *c, int fd)
{
	for (unsigned int i = 0; i < CHARIO_SINKS; i++)
		if (c->sink[i].used && c->sink[i].in == fd)
			return &c->sink[i];
	return NULL;
}

/* End of input: a visitor has left; a patient sink still wants the output. */
static void input_ended(struct chario_sink *s)
{
	if (!s->patient || s->in == s->out) {
		detach(s);
		return;
	}
	close(s->in);
	s->in = -1;
}

size_t chario_read(struct chario *c, const struct pollfd *pfd, unsigned int nr,
		   u8 *buf, size_t len)
{
	size_t got = 0;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < nr && !got; i++) {
		struct chario_sink *s;
		ssize_t done;

		if (!(pfd[i].events & POLLIN) || !pfd[i].revents)
			continue;
		s = sink_of(c, pfd[i].fd);
		if (!s)
			continue;
		done = read(s->in, buf, len);
		if (done > 0)
			got = done;
		else if (done == 0 || (errno != EINTR && errno != EAGAIN))
			input_ended(s);
	}
	pthread_mutex_unlock(&c->lock);
	return got;
}

bool chario_pending(struct chario *c)
{
	bool pending;

	pthread_mutex_lock(&c->lock);
	pending = backlog(c);
	pthread_mutex_unlock(&c->lock);
	return pending;
}
